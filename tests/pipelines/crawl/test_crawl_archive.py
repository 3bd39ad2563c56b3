"""Archives of every kind, sound and made to do harm: each entry is kept or dropped with a reason."""

import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zipfile

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import source as sources
from pipelines.crawl.sources import unpack
from pipelines.crawl.sources.archive import ArchiveSource

FILES = {"top/b.py": b"two = 2\n", "top/a/c.py": b"three = 3\n", "top/a.py": b"one = 1\n"}
PACK = {
    "tar": bytes,
    "tar.gz": lambda data: gzip.compress(data, mtime=0),
    "tgz": lambda data: gzip.compress(data, mtime=0),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


def member(name, content=b"", **changed):
    found = tarfile.TarInfo(name)
    found.size = len(content)
    for field, value in changed.items():
        setattr(found, field, value)
    return found, content


def tar(*members, **options):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **options) as archive:
        for found, content in members:
            archive.addfile(found, io.BytesIO(content))
    return stream.getvalue()


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def read(tmp_path):
    """(path, content or `reason: detail`) of every entry of an archive, given its bytes."""

    def rows(data, name="r.tar", **options):
        (tmp_path / name).write_bytes(data)
        limits = Limits(**{key: options.pop(key) for key in Limits.model_fields if key in options})
        source = ArchiveSource(path=str(tmp_path / name), **options)
        (repository,) = source.repositories("")
        found = files.batches(repository, lambda: source.entries(repository, limits, ""), limits)
        return [
            (r["path"], f"{r['reason']}: {r['detail']}".rstrip(": ") if r["reason"] else r["content"])
            for batch in found
            for r in batch.to_pylist()
        ]

    return rows


REASONS = (
    "broken_archive", "duplicate_path", "empty", "file_size", "not_regular", "symlink", "unreadable", "unsafe_path"
)  # fmt: skip
KEPT = [("a.py", "one = 1\n"), ("a/c.py", "three = 3\n"), ("b.py", "two = 2\n")]


@pytest.mark.parametrize("suffix", PACK)
def test_a_tar_of_every_compression_gives_its_files_by_path_without_the_folder_around(read, suffix):
    data = tar(member("top", type=tarfile.DIRTYPE), *(member(name, content) for name, content in FILES.items()))
    assert read(PACK[suffix](data), f"r.{suffix}") == KEPT


@pytest.mark.parametrize("suffix", ["zip", "whl", "jar"])
def test_a_zip(read, suffix):
    assert read(zipped(FILES), f"r.{suffix}") == KEPT


def test_the_name_is_that_of_the_file_and_the_revision_that_of_its_bytes(tmp_path):
    for name in ("b-1.0.tar.gz", "a.zip", "c.crate"):
        (tmp_path / name).write_bytes(zipped(FILES))
    source = ArchiveSource(path=str(tmp_path / "*"), license="MIT")
    found = list(source.repositories(""))
    assert [(one.name, one.license) for one in found] == [("a", "MIT"), ("b-1.0", "MIT"), ("c", "MIT")]
    assert len({one.revision for one in found}) == 1
    before = source.fingerprint()
    (tmp_path / "a.zip").write_bytes(zipped({"x": b"y"}))
    assert source.fingerprint() != before


def test_a_pattern_that_matches_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"path: got '.*/\*\.zip', which matches no file; expected an archive"):
        ArchiveSource(path=f"{tmp_path}/*.zip").fingerprint()


LINKS = [
    (tarfile.SYMTYPE, "symlink"), (tarfile.LNKTYPE, "hard_link"), (tarfile.CHRTYPE, "not_regular"),
    (tarfile.BLKTYPE, "not_regular"), (tarfile.FIFOTYPE, "not_regular"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "reason"), LINKS)
def test_what_is_no_file_is_dropped(read, kind, reason):
    data = tar(member("r/x", type=kind, linkname="/etc/passwd"), member("r/a.py", b"one = 1\n"))
    assert read(data) == [("a.py", "one = 1\n"), ("x", reason)]


def test_a_symlink_in_a_zip_is_dropped(read):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("r/x")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert read(stream.getvalue(), "r.zip") == [("x", "symlink")]


def test_an_unsafe_path_is_dropped_and_the_others_kept(read, tmp_path):
    data = tar(member("../../evil.py", b"bad = 1\n"), member("r/a.py", b"one = 1\n"), member("/abs.py", b"bad = 1\n"))
    assert read(data) == [("../../evil.py", "unsafe_path: ../../evil.py"), ("/abs.py", "unsafe_path: /abs.py"),
                          ("a.py", "one = 1\n")]  # fmt: skip
    assert os.listdir(tmp_path) == ["r.tar"]


def test_of_entries_with_one_path_the_last_counts(read):
    data = tar(member("r/a.py", b"first = 1\n"), member("r/a.py", b"second = 2\n"), member("r/A.py", b"third = 3\n"))
    assert read(data) == [("A.py", "third = 3\n"), ("a.py", "duplicate_path"), ("a.py", "second = 2\n")]


SIZES = [
    ({"max_file_bytes": 5}, [("a", "file_size: 6 > 5"), ("b", "file_size: 6 > 5"), ("c", "ccccc")]),
    ({"max_repository_bytes": 12}, [("a", "aaaaaa"), ("b", "bbbbbb"), ("c", "repository_size: 17 > 12")]),
    ({"max_entries": 2}, [(".", "repository_entries: more than 2 entries")]),
]


@pytest.mark.parametrize(("options", "expected"), SIZES)
def test_limits(read, options, expected):
    data = tar(member("r/a", b"aaaaaa"), member("r/b", b"bbbbbb"), member("r/c", b"ccccc"))
    assert read(data, **options) == expected


def test_a_bomb_of_names_is_broken_off(read, monkeypatch):
    monkeypatch.setattr(sources, "MAX_PATHS_BYTES", 1_000_000)
    data = gzip.compress(tar(*(member(f"{number}/" + "x/" * 100_000, b"x") for number in range(6))))
    assert read(data) == [(".", "repository_entries: paths of more than 1,000,000 bytes")]


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.bz2", "tar.xz", "tar.zst"])
def test_a_bomb_is_broken_off(read, suffix):
    bomb = PACK[suffix](tar(member("r/x", bytes(70_000_000))))
    assert read(bomb, f"r.{suffix}") == [(".", "broken_archive: unpacks to more than 64,000,000 bytes")]
    assert read(bomb, f"r.{suffix}", max_ratio=1e6) == [("x", "file_size: 70000000 > 1000000")]


def test_many_small_lies_in_a_zip_do_not_add_up(read):
    data = zipped({f"r/{number:03}": bytes([97]) * 1_000_000 for number in range(70)})
    found = read(data, "r.zip", max_ratio=1)
    assert [value for _, value in found if value.startswith("unreadable")] == [
        "unreadable: the archive unpacks to more than it may"
    ] * 6


def test_a_sparse_file_of_5_gb_is_only_listed(read):
    sparse = member("r/x", **{"type": tarfile.GNUTYPE_SPARSE})[0].tobuf(tarfile.GNU_FORMAT)
    header = bytearray(sparse)
    header[386:398], header[398:410] = b"00000000000\0", b"00000000000\0"
    header[483:495] = b"%011o\0" % (5 << 30)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert read(bytes(header) + bytes(1024)) == [("x", "file_size: 5368709120 > 1000000")]


HARM = [
    ("cut off in a file", tar(member("r/a", b"x" * 5000))[:3000], "unexpected end of data"),
    ("cut off in gzip", gzip.compress(tar(member("r/a", os.urandom(5000))))[:-2000], "end-of-stream marker"),
    ("cut off in xz", lzma.compress(tar(member("r/a", os.urandom(5000))))[:-100], "the xz stream has no end"),
    ("a damaged header", tar(member("r/a"), member("r/b")).replace(b"r/b", b"r/c"), "tar header: bad checksum"),
    ("no archive", b"hello, world\n" * 100, "tar header: invalid header"),
    ("nothing", b"", "empty file"),
    ("a zip without its end", zipped({"r/a": b"x" * 5000})[:-30], "no table of contents: the zip is cut off"),
    ("cut off in the last checksum", gzip.compress(tar(member("r/a")))[:-1], "end-of-stream marker"),
    ("a negative size", member("r/a", size=-600)[0].tobuf(tarfile.GNU_FORMAT), "a header of a negative size"),
    ("a negative size of PAX", tar(member("r/a", pax_headers={"size": "-9"}), format=tarfile.PAX_FORMAT), "negative"),
    ("a header of a gigabyte", member("x", type=tarfile.XHDTYPE)[0].tobuf(tarfile.GNU_FORMAT), "a tar header of"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in HARM], ids=[case[0] for case in HARM])
def test_a_broken_archive_is_one_row_that_says_so(read, data, message):
    if message == "a tar header of":
        data = bytearray(data)
        data[124:136] = b"%011o\0" % (1 << 30)
        data[148:156] = b" " * 8
        data[148:156] = b"%06o\0 " % sum(data)
        data = bytes(data) + bytes(10_000)
    ((path, reason),) = read(data)
    assert path == "."
    assert reason.startswith("broken_archive: ")
    assert message in reason


def test_an_entry_that_cannot_be_read_is_dropped_alone(read):
    data = bytearray(zipped({"r/a": b"x" * 100, "r/b": b"y" * 100}, zipfile.ZIP_STORED))
    data[data.index(b"x" * 100)] = 0x62
    assert read(bytes(data), "r.zip") == [("a", "unreadable: Bad CRC-32 for file 'r/a'"), ("b", "y" * 100)]
    assert read(zipped({"r/a": b"a"}, zipfile.ZIP_BZIP2), "r.zip") == [("a", "unreadable: compression method 12")]


def test_a_table_of_contents_that_would_fill_memory_is_not_read(read):
    data = bytearray(zipped({"r/a": b"a"}))
    place = data.rindex(b"PK\5\6")
    struct.pack_into("<L", data, place + 12, 200_000_000)
    assert read(bytes(data), "r.zip") == [(".", "broken_archive: a table of contents of 200,000,000 bytes")]


@pytest.mark.parametrize("name", ["r.tar", "r.tar.gz", "r.tar.xz", "r.zip"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_a_file_is_sound_or_dropped(read, name, data):
    is_zip = name == "r.zip"
    sound = zipped(FILES) if is_zip else PACK[name[2:]](tar(*(member(*item) for item in FILES.items())))
    damaged = bytearray(sound)
    for place in data.draw(st.lists(st.integers(0, len(sound) - 1), max_size=5)):
        damaged[place] = data.draw(st.integers(0, 255))
    texts = [value for _, value in read(bytes(damaged[: data.draw(st.integers(0, len(sound)))]), name)]
    if name != "r.tar":  # whose contents no checksum covers
        assert set(texts) <= {text for _, text in KEPT} | {value for value in texts if value.startswith(REASONS)}


@settings(max_examples=300)
@given(
    name=st.text("a/.é\0", min_size=1, max_size=300),
    kind=st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.AREGTYPE, tarfile.LNKTYPE]),
    size=st.integers(0, 2**34),
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT]),
    damage=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), max_size=2),
)
def test_a_header_is_read_as_tarfile_reads_it(name, kind, size, form, damage):
    made = tarfile.TarInfo(name)
    made.type, made.size, made.uname = kind, size, "user"
    try:
        header = bytearray(made.tobuf(form, "utf-8", "surrogateescape")[-512:])
    except ValueError:  # a name that this form cannot hold
        return
    for place, value in damage:
        header[place] = value
    for repaired in (header, checked(header)):
        assert outcome(unpack._TarInfo, repaired) in [
            outcome(tarfile.TarInfo, repaired),
            outcome(tarfile.TarInfo, checked(without_unused(repaired))),
        ]


def without_unused(header: bytearray) -> bytearray:
    """Without owner, mode, times and devices, which are never looked at."""
    zeros = b"0000000\0"
    return header[:100] + zeros * 3 + header[124:136] + b"00000000000\0" + header[148:329] + zeros * 2 + header[345:]


def checked(header: bytearray) -> bytearray:
    """With the checksum that belongs to it, so that damage is not noticed there."""
    blank = header[:148] + b" " * 8 + header[156:]
    return header[:148] + b"%06o\0 " % sum(blank) + header[156:]


def outcome(kind: type[tarfile.TarInfo], header: bytearray) -> object:
    try:
        found = kind.frombuf(bytes(header), "utf-8", "surrogateescape")
    except (tarfile.HeaderError, unpack.BrokenArchiveError):
        return None
    return found.name, found.size, found.type, found.isdir(), found.isfile()


ASK = """
import resource, sys
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import unpack
from pipelines.crawl.sources.archive import ArchiveSource
source = ArchiveSource(path=sys.argv[1])
(repository,) = source.repositories("")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
print([entry.reason for entry in source.entries(repository, Limits(), "")], peak() - before)
"""


def test_memory_stays_small_whatever_comes_out(tmp_path):
    (tmp_path / "r.tar.gz").write_bytes(gzip.compress(tar(member("r/x", bytes(60_000_000)), member("r/y", b"y"))))
    done = subprocess.run(
        [sys.executable, "-c", ASK, tmp_path / "r.tar.gz"], capture_output=True, text=True, check=True
    )
    reasons, kilobytes = done.stdout.rsplit(" ", 1)
    assert reasons == "['file_size', None]"
    assert int(kilobytes) < 20_000


def test_the_sources_of_a_real_package(read, tmp_path):
    """What pip itself builds: the wheel of this environment's own installer, from its files."""
    import pip

    folder = os.path.dirname(pip.__file__)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(folder, "pip-1.0/pip", filter=lambda item: None if "__pycache__" in item.name else item)
    found = dict(read(stream.getvalue(), "pip-1.0.tar.gz"))
    with open(os.path.join(folder, "__main__.py"), encoding="utf-8") as main:
        assert found["pip/__main__.py"] == main.read()
    assert len(found) > 300
