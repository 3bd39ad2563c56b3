"""Folders as repositories: what is an entry, in which order, and that no link is ever followed."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.directory import DirectorySource
from pipelines.crawl.stage import STAGE
from tests.conftest import write_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def crawl(path: object) -> list[tuple[str, str | None, str]]:
    """(path, reason, content) of every row."""
    source = DirectorySource(path=str(path))
    repositories = list(source.repositories("unused"))
    rows = [row for found in repositories for row in files.rows(source.entries(found, Limits(), ""), Limits())]
    assert {row.found.reason for row in rows} - {None} <= set(STAGE.reasons)
    return [(row.path, row.found.reason, row.found.content.decode()) for row in rows]


def test_rows_are_sorted_by_path_not_by_folder(folder):
    for path in ("a/z", "a.b", "a/b/c", "B", "中"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    assert [path for path, _, _ in crawl(folder)] == ["B", "a.b", "a/b/c", "a/z", "中"]


def test_links_are_named_and_never_followed(folder):
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (folder / "file").write_text("text")
    for name, target in {"in": "file", "out": "../outside/secret", "folder": "../outside", "gone": "nowhere"}.items():
        (folder / name).symlink_to(target)
    assert crawl(folder) == [
        ("file", None, "text"),
        ("folder", "symlink", ""),
        ("gone", "symlink", ""),
        ("in", "symlink", ""),
        ("out", "symlink", ""),
    ]


def test_a_link_that_a_pattern_matches_is_no_repository(folder):
    (folder / "a").write_text("a")
    (folder.parent / "link").symlink_to(folder)
    (folder.parent / "file").write_text("no folder")
    assert [found.name for found in DirectorySource(path=f"{folder.parent}/*").repositories("unused")] == ["project"]
    assert [found.name for found in DirectorySource(path=f"{folder.parent}/link").repositories("unused")] == ["link"]


def test_what_is_no_regular_file_is_not_opened(folder):
    os.mkfifo(folder / "pipe")  # reading it would wait for ever
    assert crawl(folder) == [("pipe", "not_regular", "")]
    assert DirectorySource(path=str(folder)).fingerprint()


def test_version_control_is_left_out(folder):
    for name in (".git", ".hg", "sub/.svn"):
        (folder / name).mkdir(parents=True)
        (folder / name / "config").write_text("x")
    (folder / "worktree").mkdir()
    (folder / "worktree" / ".git").write_text("gitdir: /elsewhere")
    (folder / ".gitignore").write_text("x")
    assert crawl(folder) == [(".gitignore", None, "x")]


def test_a_name_that_is_no_utf_8_is_escaped(folder):
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.py"))).write_text("x = 1")
    assert crawl(folder) == [("caf%E9.py", None, "x = 1")]
    assert DirectorySource(path=str(folder)).fingerprint()


def test_a_repository_whose_own_name_is_no_utf_8_is_recorded(folder):
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).mkdir()
    source = DirectorySource(path=f"{folder}/*")
    [found] = source.repositories("unused")
    assert (found.name, found.reason) == ("caf%E9", "unreadable_repository")
    assert source.fingerprint()


def test_thousands_of_nested_folders(folder):
    inside = str(folder)
    for _ in range(1020):  # deeper than Python's own stack
        inside += "/d"
        os.mkdir(inside)
    Path(inside, "x").write_text("deep")
    (folder.parent / "stays").touch()
    try:
        assert crawl(folder) == [("d/" * 1020 + "x", None, "deep")]
    finally:  # pytest's own removal is recursive, and would fail
        os.unlink(f"{inside}/x")
        os.removedirs(inside)


@pytest.mark.parametrize("made", [(), ("sub/subsub",), (".git",)])
def test_a_folder_without_files_is_an_empty_repository(folder, made):
    for path in made:
        (folder / path).mkdir(parents=True)
    [found] = DirectorySource(path=str(folder)).repositories("unused")
    assert (found.name, found.reason) == ("project", "empty_repository")


@pytest.mark.parametrize("path", ["missing", "project/*", "project/file"])
def test_a_path_that_matches_no_folder_is_refused(folder, path):
    (folder / "file").write_text("x")
    source = DirectorySource(path=str(folder.parent / path))
    expected = (
        f"crawl source: path: got '{folder.parent}/{path}', which matches no folder; expected a folder or pattern"
    )
    with pytest.raises(ValueError, match=f"^{expected.replace('*', '[*]')}$"):
        source.fingerprint()


def test_a_folder_whose_name_looks_like_a_pattern(folder, monkeypatch):
    (folder / "[x]").mkdir()
    (folder / "[x]" / "a").write_text("a")
    assert crawl(folder / "[x]") == [("a", None, "a")]
    monkeypatch.chdir(folder)
    assert [found.name for found in DirectorySource(path=".").repositories("unused")] == ["project"]


def test_the_fingerprint_sees_every_change(folder):
    source = DirectorySource(path=str(folder))
    seen = [source.fingerprint()]
    changes = [
        lambda: (folder / "a").write_text("1"),
        lambda: (folder / "a").write_text("2"),
        lambda: (folder / "a").rename(folder / "b"),
        lambda: (folder / "c").symlink_to("b"),
        lambda: folder.rename(folder.parent / "other"),
    ]
    for change in changes:
        change()
        seen.append(DirectorySource(path=f"{folder.parent}/*").fingerprint())
    assert len(set(seen)) == len(seen)
    assert DirectorySource(path=f"{folder.parent}/*").fingerprint() == seen[-1]


def crawl_ignoring(path: object) -> list[tuple[str, str | None]]:
    """(path, reason) of every entry, where .gitignore counts."""
    source = DirectorySource(path=str(path), gitignore=True)
    [found] = source.repositories("")
    assert source.fingerprint()
    return [(entry.path, entry.reason) for entry in source.entries(found, Limits(), "")]


TREE = ("a.o", "keep.o", "build/x", "src/build/x", "src/a.py", "src/deep/er/a.log", "logs/a.log", "x y", "-")
IGNORED = [
    ("a pattern at any depth", {".gitignore": "*.log"}, {"src/deep/er/a.log", "logs/a.log"}),
    ("negation", {".gitignore": "*.o\n!keep.o"}, {"a.o"}),
    ("an anchor", {".gitignore": "/build"}, {"build/"}),
    ("folders only", {".gitignore": "build/\nkeep.o/"}, {"build/", "src/build/"}),
    ("stars over folders", {".gitignore": "src/**/a.*"}, {"src/a.py", "src/deep/er/a.log"}),
    ("a nested file wins", {".gitignore": "*.log", "src/.gitignore": "!a.log"}, {"logs/a.log"}),
    ("what lies in an ignored folder cannot be called back", {".gitignore": "logs/\n!logs/a.log"}, {"logs/"}),
    ("a nested file speaks of its own folder", {"src/.gitignore": "/build\n*.o"}, {"src/build/"}),
    ("comments, blanks and what is no pattern", {".gitignore": "# a.o\n\n!\n\\\n[\nx\\ y\n"}, {"x y"}),
    ("no UTF-8", {".gitignore": b"\xff\na.o\r\n"}, {"a.o"}),
    ("everything", {".gitignore": "*"}, {".gitignore", "a.o", "keep.o", "build/", "src/", "logs/", "x y", "-"}),
]


@pytest.mark.parametrize(("rules", "expected"), [case[1:] for case in IGNORED], ids=[case[0] for case in IGNORED])
def test_what_gitignore_leaves_out_is_dropped(folder, rules, expected):
    write_files(folder, {**dict.fromkeys(TREE, "x"), **rules})
    assert {path for path, reason in crawl_ignoring(folder) if reason == "gitignore"} == expected
    assert {reason for _, reason in crawl_ignoring(folder)} <= {None, *STAGE.reasons}


def test_a_gitignore_that_is_a_link_does_not_count(folder):
    (folder.parent / "outside").write_text("a")
    (folder / ".gitignore").symlink_to("../outside")
    (folder / "a").write_text("a")
    assert crawl_ignoring(folder) == [(".gitignore", "symlink"), ("a", None)]


def test_a_pattern_that_would_take_for_ever(folder):
    write_files(folder, {".gitignore": "*a" * 40 + "b", "a" * 250: "a"})
    assert crawl_ignoring(folder) == [(".gitignore", None), ("a" * 250, None)]


# `a**/b` is left out: git matches the literal beginning first, and then takes the `**` for one at a border.
PATTERN = st.text("ab*?/!.", min_size=1, max_size=6).filter(
    lambda line: not re.search(r"[^/]\*\*|\*\*[^/]", line.removeprefix("!"))
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.lists(PATTERN, max_size=4), nested=st.lists(PATTERN, max_size=3))
def test_it_is_what_git_itself_leaves_out(tmp_path_factory, top, nested):
    root = tmp_path_factory.mktemp("ignored")
    write_files(root, dict.fromkeys(("a", "b/b/a", "ab", ".b", "a.b/a", "b/a", "b/ab/a.b"), "x"))
    write_files(root, {".gitignore": "\n".join(top), "b/.gitignore": "\n".join(nested)})
    subprocess.run(["git", "-C", str(root), "init", "--quiet"], check=True)
    command = ["git", "-C", str(root), "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")[:-1]
    assert [path for path, reason in crawl_ignoring(root) if reason is None] == sorted(listed)


def test_what_may_not_be_read_is_dropped_alone(folder, monkeypatch):
    write_files(folder, {"a/x": "x", "b/x": "x"})
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("/a/"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert crawl(folder) == [("a/", "unreadable", ""), ("b/x", None, "x")]


def test_a_file_that_became_a_link_is_not_followed(folder):
    write_files(folder.parent, {"secret": "secret", "project/a": "a"})
    source = DirectorySource(path=str(folder))
    [found] = source.repositories("")
    entries = list(source.entries(found, Limits(), ""))
    (folder / "a").unlink()
    (folder / "a").symlink_to("../secret")
    [row] = files.rows(entries, Limits())
    assert (row.found.reason, row.found.content) == ("unreadable", b"")
