"""From the bytes of an entry to a row: identity, decoding, limits, and where row groups are cut."""

import pyarrow as pa
import pytest

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.paths import is_safe
from pipelines.crawl.sources.source import (
    DroppedRepositoryError,
    Entry,
    Repository,
    at_most,
    each_path_once,
    no_content,
)


def repository(name: str = "owner/name", revision: str = "abc") -> Repository:
    return Repository(name, revision, "MIT", 7, "anywhere")


def entry(path: str, content: bytes) -> Entry:
    return Entry(path, len(content), lambda: content)


def never_read() -> bytes:
    raise AssertionError("what the limits rule out is not read")


@pytest.mark.parametrize(
    ("identity", "file_id"),
    [
        # printf 'owner/name\0abc\0src/a.py' | b2sum --length 80
        (("owner/name", "abc", "src/a.py"), "28cd92f93cfb68c8377d"),
        (("owner/name", "", "src/a.py"), "3654f7d99aa78f97afef"),
        (("owner/name", "abc", "中/é.py"), "9d403e050db9e200dbba"),
    ],
)
def test_a_file_id_is_the_same_in_every_crawl(identity, file_id):
    assert files.file_id(*identity) == file_id


def test_the_parts_of_an_identity_do_not_run_together():
    assert files.file_id("a", "b", "c") != files.file_id("a", "", "bc") != files.file_id("ab", "", "c")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.py", True), ("a..b/c", True), ("..a", True), ("", False), ("../a", False), ("a/../../b", False),
        ("/etc/passwd", False), ("C:/a", False), ("c:a", False), ("\\\\host\\a", False), ("a\\..\\b", False),
        ("a\0b", False), ("x" * 4097, True),
    ],
)  # fmt: skip
def test_paths_that_lead_out_of_the_repository(path, expected):
    assert is_safe(path) is expected


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"x = 1\n", (b"x = 1\n", "utf-8", None, "")),
        (b"", (b"", "", "empty", "0 bytes, all white space")),
        (b" \t\r\n\xc2\xa0", (b"", "", "empty", "6 bytes, all white space")),
        (b"\xef\xbb\xbf", (b"", "", "empty", "3 bytes, all white space")),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
         (b"", "", "lfs_pointer", "the file itself is in Git LFS")),
    ],
)  # fmt: skip
def test_what_is_dropped_for_its_text(content, outcome):
    assert files.decode(content) == outcome


def test_a_row_says_where_the_file_is_from():
    found = files.batches(repository(), lambda: [entry("src/a.py", b"x\n")], Limits())
    [row] = pa.Table.from_batches(found).to_pylist()
    assert row == {
        "file_id": files.file_id("owner/name", "abc", "src/a.py"),
        "repository": "owner/name",
        "revision": "abc",
        "path": "src/a.py",
        "license": "MIT",
        "num_stars": 7,
        "size_bytes": 2,
        "encoding": "utf-8",
        "content": "x\n",
        "reason": None,
        "detail": "",
    }


def test_the_limits_take_effect_one_byte_beyond():
    limits = Limits(max_file_bytes=4, max_repository_bytes=9)
    found = [
        entry("a", b"1234"),
        Entry("b", 5, never_read),
        entry("c", b"\0\0\0\0"),  # a dropped file takes nothing of the repository's limit
        entry("d", b"1234"),
        Entry("e", 2, never_read),
        entry("f", b"1"),
        Entry("g", 0, no_content, "symlink"),
    ]
    rows = list(files.rows(found, limits))
    assert [(row.path, row.found.reason, row.found.detail) for row in rows] == [
        ("a", None, ""),
        ("b", "file_size", "5 > 4"),
        ("c", "binary", "NUL at byte 0"),
        ("d", None, ""),
        ("e", "repository_size", "10 > 9"),
        ("f", None, ""),
        ("g", "symlink", ""),
    ]


def test_a_path_comes_once():
    link = Entry("a", 0, no_content, "symlink")
    found = [link, entry("a", b"1"), link, entry("a", b"2"), entry("b", b"3"), entry("b", b"4"), entry("b", b"5")]
    rows = files.rows(each_path_once(found), Limits())
    assert [(row.path, row.found.reason or row.found.content) for row in rows] == [
        ("a", "symlink"), ("a", b"1"), ("a", "symlink"), ("a", "duplicate_path"),
        ("b", b"3"), ("b", "duplicate_path"), ("b", "duplicate_path"),
    ]  # fmt: skip


def test_row_groups_are_cut_between_repositories_only():
    def of(name: str, *sizes: int) -> files.Rows:
        found = [entry(str(number), b"x" * size) for number, size in enumerate(sizes)]
        return files.Rows(name, "", files.batches(repository(name), lambda: found, Limits(max_file_bytes=100)))

    repositories = [of("a", 6, 6, 6), of("b", 3), of("c", 4), of("d", 3, 101), of("e", 1)]
    groups = [table.column("repository").to_pylist() for table in files.row_groups(repositories, target_bytes=10)]
    assert groups == [["a", "a", "a"], ["b", "c", "d", "d"], ["e"]]


def test_row_groups_are_measured_in_bytes_not_characters():
    found = [entry("f", "中文".encode())]
    repositories = [files.Rows(name, "", files.batches(repository(name), lambda: found, Limits())) for name in "abc"]
    assert [len(table) for table in files.row_groups(repositories, target_bytes=10)] == [2, 1]


def test_no_repository_is_no_row_group():
    assert list(files.row_groups([], target_bytes=10)) == []


def breaks_off():
    yield entry("a", b"a")
    raise DroppedRepositoryError("the server fell silent")


WHOLE = [
    ("it breaks off", repository(), breaks_off, "unreadable_repository", "the server fell silent"),
    ("too many entries", repository(), lambda: at_most(iter("abc"), Limits(max_entries=2)), "repository_entries",
     "more than 2 entries"),
    ("nothing in it", repository(), lambda: [], "empty_repository", "no file"),
    ("it could not be listed", Repository("a", "", "", 0, "x", "unreadable_repository", "why"), breaks_off,
     "unreadable_repository", "why"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "entries", "reason", "detail"), [c[1:] for c in WHOLE], ids=[c[0] for c in WHOLE])
def test_a_repository_that_cannot_be_taken_is_one_row_that_says_why(found, entries, reason, detail):
    [row] = pa.Table.from_batches(files.batches(found, entries, Limits())).to_pylist()
    assert (row["path"], row["reason"], row["detail"], row["size_bytes"]) == (".", reason, detail, 0)


def test_paths_that_no_repository_may_hold_are_dropped():
    found = [entry("../a", b"a"), entry("中" * 3, b"a"), entry("中" * 4, b"a")]
    rows = files.rows(found, Limits(max_path_bytes=9))
    assert [(row.path, row.found.reason, row.found.detail) for row in rows] == [
        ("../a", "unsafe_path", "../a"),
        ("中" * 3, None, ""),
        ("中" * 4, "path_length", "12 > 9"),
    ]
