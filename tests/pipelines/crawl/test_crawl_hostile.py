"""A corpus made to do harm, through the whole stage: each entry is kept or dropped with a reason, and nothing outside
the output is touched. What single archives and repositories do is in the tests of their sources."""

import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import checks
from pipelines.runner import run_stage
from pipelines.stage import load

NUM_TINY = 3000
SECRET = "what lies outside"
GIB = 1 << 30


def tar(path: Path, entries: list[tuple[object, bytes]], mode: str = "w") -> None:
    fast = {"compresslevel": 1} if mode == "w:gz" else {}
    with tarfile.open(path, mode, encoding="utf-8", errors="surrogateescape", **fast) as archive:
        for name, content in entries:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(os.fsdecode(name))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def archives(folder: Path) -> None:
    folder.mkdir()
    tar(folder / "bomb.tar.gz", [("r/zeros.py", bytes(70_000_000))], "w:gz")
    tar(folder / "links.tar", [(link("r/s.py", "/etc/passwd", tarfile.SYMTYPE), b""), ("r/a.py", b"a = 1\n"),
                               (link("r/h.py", "../../outside/secret.py", tarfile.LNKTYPE), b"")])  # fmt: skip
    names = (b"r/caf\xe9.py", b"r/\xed\xa0\x80.py", b"r/A.py", b"r/a.py", b"r/a.py")
    tar(folder / "names.tar", [(name, b"%d\n" % number) for number, name in enumerate(names)])
    tar(folder / "tiny.tar", [(f"r/{number}.py", b"x = %d\n" % number) for number in range(NUM_TINY)])
    tar(
        folder / "traversal.tar",
        [("../../outside/new.py", b"a = 1\n"), ("/tmp/new.py", b"a = 1\n"), ("r/a.py", b"a = 1\n")],
    )
    with zipfile.ZipFile(folder / "traversing.zip", "w") as archive:
        archive.writestr("../../outside/new.py", "a = 1\n")
        archive.writestr("C:\\new.py", "a = 1\n")
    (folder / "truncated.tar.gz").write_bytes(gzip.compress(os.urandom(5000))[:-2000])


def directory(folder: Path, outside: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    for name, content in {
        "bom.py": b"\xef\xbb\xbfa = 1\n", "mixed.py": b"a = 1\nb = 2\r\nc = 3\rd = 4\n", "nul.py": b"a = 1\0\n",
        "line.py": b"a" * 50_000_000, "Case.py": b"a = 1\n", "case.py": b"b = 1\n", "sub/empty.py": b"",
    }.items():  # fmt: skip
        (folder / name).write_bytes(content)
    with (folder / "sparse.py").open("wb") as file:
        file.truncate(5 * GIB)
    for name in (b"caf\xe9.py", b"\xed\xa0\x80.py", b"line\nend.py"):
        (folder / os.fsdecode(name)).write_bytes(b"a = 1\n")
    (folder / "out").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.py")


def git_repository(folder: Path) -> None:
    """One whose pack was cut in the middle."""
    folder.mkdir()
    (folder / "a.py").write_bytes(b"a = 1\n" + os.urandom(20_000).hex().encode())
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        [*identity, "commit", "--quiet", "-m", "m"],
        ["gc", "--quiet"],
    ):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
    [pack] = (folder / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    os.truncate(pack, pack.stat().st_size // 2)


def git_twice(folder: Path) -> None:
    """One whose tree has a name twice, and two names that are written alike."""
    folder.mkdir()

    def git(*arguments: str, stdin: bytes = b"") -> bytes:
        command = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout.strip()

    git("init", "--quiet")
    one, two = (git("hash-object", "-w", "--stdin", stdin=text) for text in (b"1\n", b"2\n"))
    names = ((one, b"a.py"), (two, b"a.py"), (one, b"%E9.py"), (two, b"\xe9.py"))
    tree = git("mktree", "-z", stdin=b"".join(b"100644 blob %b\t%b\0" % pair for pair in names))
    git("update-ref", "HEAD", git("commit-tree", "-m", "m", tree.decode()).decode())


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Mode, size and time of everything under a folder."""
    found = {}
    for inside, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            status = os.lstat(os.path.join(inside, name))
            times = 0 if os.path.isdir(os.path.join(inside, name)) else status.st_mtime_ns
            found[os.path.join(inside, name)] = (status.st_mode, status.st_size * bool(times), times)
    return found


@pytest.fixture
def crawled(tmp_path, monkeypatch):
    """(manifest, (repository, path) -> [content or reason], what changed outside the output)."""
    made, outside, temporary = tmp_path / "made", tmp_path / "outside", tmp_path / "temporary"
    for folder in (made, outside, temporary):
        folder.mkdir()
    (outside / "secret.py").write_text(SECRET)
    archives(made / "archives")
    directory(made / "folder", outside)
    git_repository(made / "cut")
    git_twice(made / "twice")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("HOME", str(outside))
    monkeypatch.chdir(outside)
    before = snapshot(tmp_path)
    sources = [{"kind": "archive", "path": f"{made}/archives/*"}, {"kind": "directory", "path": str(made / "folder")},
               *({"kind": "git", "url": str(made / name), "name": name} for name in ("cut", "twice"))]  # fmt: skip
    output = tmp_path / "output"
    done = run_stage(load("crawl"), str(output), {"crawl": {"num_shards": 2, "sources": sources}})
    assert not checks.totals(load("crawl"), str(output))
    found: dict[tuple[str, str], list[str]] = {}
    for shard in done.shards:
        for row in pq.read_table(output / "crawl" / shard).to_pylist():
            found.setdefault((row["repository"], row["path"]), []).append(row["reason"] or row["content"])
    after = {path: status for path, status in snapshot(tmp_path).items() if not path.startswith(str(output))}
    return done, found, {path for path in {*before, *after} if before.get(path) != after.get(path)}


EXPECTED = {
    ("bomb", "."): ["broken_archive"], ("truncated", "."): ["broken_archive"], ("cut", "."): ["unreadable_repository"],
    ("links", "s.py"): ["symlink"], ("links", "h.py"): ["hard_link"], ("links", "a.py"): ["a = 1\n"],
    ("names", "caf%E9.py"): ["0\n"], ("names", "%ED%A0%80.py"): ["1\n"],
    ("names", "A.py"): ["2\n"], ("names", "a.py"): ["duplicate_path", "4\n"],
    ("twice", "a.py"): ["2\n", "duplicate_path"], ("twice", "%E9.py"): ["2\n", "duplicate_path"],
    ("folder", "bom.py"): ["a = 1\n"], ("folder", "mixed.py"): ["a = 1\nb = 2\r\nc = 3\rd = 4\n"],
    ("folder", "nul.py"): ["binary"], ("folder", "line.py"): ["file_size"], ("folder", "sparse.py"): ["file_size"],
    ("folder", "Case.py"): ["a = 1\n"], ("folder", "case.py"): ["b = 1\n"], ("folder", "sub/empty.py"): ["empty"],
    ("folder", "caf%E9.py"): ["a = 1\n"], ("folder", "%ED%A0%80.py"): ["a = 1\n"],
    ("folder", "line\nend.py"): ["a = 1\n"], ("folder", "out"): ["symlink"], ("folder", "loop"): ["symlink"],
    ("folder", "pipe.py"): ["not_regular"],
}  # fmt: skip


def test_every_entry_is_kept_or_dropped_with_a_reason_and_nothing_else_is_touched(crawled):
    done, found, changed = crawled
    tiny = {key: found.pop(key) for key in [*found] if key[0] == "tiny"}
    leading_out = {key: found.pop(key) for key in [*found] if key[0].startswith("travers")}
    assert found == EXPECTED
    assert tiny == {("tiny", f"{number}.py"): [f"x = {number}\n"] for number in range(NUM_TINY)}
    assert sorted(value for values in leading_out.values() for value in values) == ["a = 1\n", *["unsafe_path"] * 4]
    num_rows = sum(len(values) for part in (found, tiny, leading_out) for values in part.values())
    assert done.counts.rows == num_rows == done.counts.kept + done.counts.dropped_rows
    assert changed == set()
    assert SECRET not in str(found)
