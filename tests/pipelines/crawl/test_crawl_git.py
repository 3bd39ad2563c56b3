"""Git repositories made with `git` itself, some of them hostile: nothing of theirs ever runs."""

import os
import subprocess
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import git, git_objects
from pipelines.crawl.sources import source as sources
from pipelines.crawl.sources.git import GitError, GitSource, default_name
from pipelines.crawl.sources.source import DroppedRepositoryError
from pipelines.crawl.stage import STAGE

IDENTITY = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/local/bin:/usr/bin:/bin",
}  # fmt: skip


def run_git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=IDENTITY, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, **contents: str) -> str:
    """Writes the files, commits everything there is, and returns the commit."""
    for name, content in contents.items():
        (folder / name).write_text(content)
    run_git(folder, "add", "--all")
    run_git(folder, "commit", "--quiet", "--allow-empty", "--message", "a commit")
    return run_git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def listed(cache: str, url: object, **settings: str) -> git.Repository:
    [found] = GitSource(url=str(url), **settings).repositories(cache)
    return found


def crawl(cache: str, url: object, **settings: str) -> list[tuple[str, str | None, str]]:
    """(path, reason, content) of every row."""
    source = GitSource(url=str(url), **settings)
    [found] = source.repositories(cache)
    assert found.reason is None, found
    rows = list(files.rows(source.entries(found, Limits(), cache), Limits()))
    assert {row.found.reason for row in rows} - {None} <= set(STAGE.reasons)
    return [(row.path, row.found.reason, row.found.content.decode()) for row in rows]


def test_every_kind_of_entry(repository, cache):
    (repository / "a").mkdir()
    (repository / "a" / "z.py").write_text("z")
    (repository / "a.py").write_text("a")
    (repository / "run").write_text("#!/bin/sh\n")
    (repository / "run").chmod(0o755)
    (repository / "link").symlink_to("/etc/passwd")
    (repository / "name with\nnewline").write_text("n")
    run_git(repository, "add", "--all")
    run_git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    run_git(repository, "commit", "--quiet", "--message", "a commit")
    (repository / "not committed").write_text("x")
    assert crawl(cache, repository) == [
        ("a.py", None, "a"),
        ("a/z.py", None, "z"),
        ("link", "symlink", ""),
        ("name with\nnewline", None, "n"),
        ("run", None, "#!/bin/sh\n"),
        ("vendored", "submodule", ""),
    ]


def test_a_repository_is_named_by_its_commit(repository, cache):
    made = commit(repository, a="1")
    assert listed(cache, repository) == git.Repository("owner/name", made, "", 0, str(repository))
    named = GitSource(url=str(repository), name="other/name", license="MIT", num_stars=5)
    assert list(named.repositories(cache)) == [git.Repository("other/name", made, "MIT", 5, str(repository))]


def test_limits_rule_out_what_is_never_read(repository, cache):
    commit(repository, big="x" * 100, small="y")
    found = listed(cache, repository)
    limits = Limits(max_file_bytes=10)
    rows = files.rows(GitSource(url=str(repository)).entries(found, limits, cache), limits)
    assert [(row.path, row.found.reason, row.size_bytes) for row in rows] == [
        ("big", "file_size", 100),
        ("small", None, 1),
    ]


def test_bytes_are_those_of_the_commit_whatever_the_attributes(repository, cache):
    (repository / ".gitattributes").write_text("* text eol=crlf filter=shout ident\n")
    run_git(repository, "config", "filter.shout.smudge", "tr a-z A-Z")
    commit(repository, a="$Id$\nlow\n")
    assert crawl(cache, repository)[1] == ("a", None, "$Id$\nlow\n")


def test_a_bare_repository(repository, cache, tmp_path):
    made = commit(repository, a="1")
    run_git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    assert crawl(cache, tmp_path / "bare.git") == [("a", None, "1")]
    assert listed(cache, tmp_path / "bare.git", name="n").revision == made


@pytest.fixture
def releases(repository: Path) -> dict[str, str]:
    """A repository with names that are easily mixed up: name -> commit."""
    made = {"first": commit(repository, a="1")}
    run_git(repository, "branch", "other/main")
    run_git(repository, "tag", "light")
    made["second"] = commit(repository, a="2")
    run_git(repository, "tag", "--annotate", "--message", "m", "annotated")
    made["third"] = commit(repository, a="3")
    return made


REVISIONS = [
    ("HEAD", "third"),
    ("main", "third"),  # and not refs/heads/other/main, which ls-remote lists first
    ("refs/heads/main", "third"),
    ("heads/main", "third"),
    ("other/main", "first"),
    ("light", "first"),
    ("annotated", "second"),  # the commit, not the tag
]


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize(("revision", "expected"), REVISIONS)
def test_a_revision_is_the_commit_that_git_would_take(repository, cache, releases, scheme, revision, expected):
    found = listed(cache, f"{scheme}{repository}", revision=revision)
    assert (found.revision, found.reason) == (releases[expected], None)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_revision_may_be_a_commit(repository, cache, releases, scheme):
    assert crawl(cache, f"{scheme}{repository}", revision=releases["first"]) == [("a", None, "1")]


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("revision", ["missing", "0" * 40, "--upload-pack=touch ran", "-x", "", "ma*"])
def test_a_revision_that_does_not_exist(repository, cache, releases, scheme, revision, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = GitSource(url=f"{scheme}{repository}", revision=revision)
    [found] = source.repositories(cache)
    [row] = pa.Table.from_batches(
        files.batches(found, lambda: source.entries(found, Limits(), cache), Limits())
    ).to_pylist()
    assert (row["path"], row["reason"]) == (".", "unreadable_repository")
    assert row["detail"]
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_repository_without_commits_is_empty(repository, cache, scheme):
    assert listed(cache, f"{scheme}{repository}").reason == "empty_repository"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_commit_without_files_is_empty(repository, cache, scheme):
    commit(repository)
    assert crawl(cache, f"{scheme}{repository}") == []  # which `files.batches` calls an empty repository


def test_a_folder_inside_a_repository_is_not_that_repository(repository, cache):
    (repository / "inside").mkdir()
    commit(repository, a="1")
    found = listed(cache, repository / "inside")
    assert found.reason == "unreadable_repository"
    assert "not a git repository" in found.detail


@pytest.mark.parametrize(
    "url",
    [
        "file:///no/such/repository",
        "ext::sh -c 'touch ran'",
        "-u:x",
        "ssh://-oProxyCommand=touch ran/x",
        "--upload-pack=touch ran:x",
    ],
)
def test_a_url_that_cannot_be_read_is_recorded(cache, url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(git, "TRANSPORTS", "file:git:ssh")
    assert GitSource(url=url).fingerprint() == "unreachable"
    found = listed(cache, url)
    assert found.reason == "unreadable_repository"
    assert found.detail
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("url", ["/no/such/folder", "missing", "--upload-pack=x"])
def test_what_is_neither_folder_nor_url_is_refused(cache, url):
    expected = f"crawl source: url: got '{url}', which is no folder and no URL; expected one of them"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        listed(cache, url)


def test_a_url_is_fetched_once_for_each_commit(repository, cache, monkeypatch):
    commands = []
    run = git_objects.run
    monkeypatch.setattr(git_objects, "run", lambda folder, *arguments, **more: (
        commands.append(arguments[0]), run(folder, *arguments, **more))[1])  # fmt: skip
    commit(repository, a="1")
    url = f"file://{repository}"
    assert crawl(cache, url) == [("a", None, "1")]
    assert crawl(cache, url) == [("a", None, "1")]
    assert commands.count("fetch") == 1
    before = GitSource(url=url).fingerprint()
    commit(repository, a="2")
    assert GitSource(url=url).fingerprint() != before
    assert crawl(cache, url) == [("a", None, "2")]
    assert commands.count("fetch") == 2


def test_a_clone_that_was_cut_off_is_made_again(repository, cache, monkeypatch):
    commit(repository, a="1")
    url = f"file://{repository}"
    run = git_objects.run

    def cut_off(folder, command, *arguments, **more):
        found = run(folder, command, *arguments, **more)
        if command == "fetch":
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(git_objects, "run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        crawl(cache, url)
    monkeypatch.setattr(git_objects, "run", run)
    assert crawl(cache, url) == [("a", None, "1")]
    assert not list(Path(cache).rglob("*.tmp"))


def test_a_clone_can_be_thrown_away(repository, cache):
    commit(repository, a="1")
    assert crawl(cache, f"file://{repository}", keep_clone=False) == [("a", None, "1")]
    assert list(Path(cache, "git").glob("*/*")) == []


LIMITS = [
    ({"max_clone_bytes": 1000}, "fetch-pack: unable to|fetch-pack: invalid|index-pack|Unable|File too large"),
    ({"max_clone_seconds": 0.001}, "git fetch took more than 0.001 seconds"),
]


@pytest.mark.parametrize(("settings", "message"), LIMITS)
def test_a_clone_that_grows_too_large_or_takes_too_long_is_given_up(repository, cache, settings, message):
    (repository / "big").write_bytes(os.urandom(100_000))
    commit(repository)
    source = GitSource.model_construct(**{**GitSource(url=f"file://{repository}").model_dump(), **settings})
    [found] = source.repositories(cache)
    with pytest.raises(GitError, match=message):
        list(source.entries(found, Limits(), cache))


@pytest.mark.parametrize(("allowed", "detail"), [("true", "> 10, left at the server"), ("false", "100 > 10")])
def test_large_files_stay_at_a_server_that_can_leave_them_out(repository, cache, allowed, detail):
    run_git(repository, "config", "uploadpack.allowFilter", allowed)
    commit(repository, big="x" * 100, edge="x" * 10, small="y")
    source = GitSource(url=f"file://{repository}")
    [found] = source.repositories(cache)
    limits = Limits(max_file_bytes=10)
    rows = files.rows(source.entries(found, limits, cache), limits)
    assert [(row.path, row.found.reason, row.found.detail) for row in rows] == [
        ("big", "file_size", detail),
        ("edge", None, ""),
        ("small", None, ""),
    ]


def test_a_repository_of_too_many_entries_is_not_listed_to_its_end(repository, cache):
    commit(repository, a="1", b="2", c="3")
    source = GitSource(url=str(repository))
    [found] = source.repositories(cache)
    with pytest.raises(DroppedRepositoryError, match="more than 2 entries"):
        next(source.entries(found, Limits(max_entries=2), cache))


def test_nested_folders_without_end_are_refused(repository, cache):
    """Ten folders of ten folders of ..., 30 levels deep: 30 objects, and no file at all."""
    tree = run_git(repository, "hash-object", "-t", "tree", "-w", "/dev/null")
    for _ in range(30):
        entries = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
        made = subprocess.run(
            ["git", "-C", str(repository), "mktree"], input=entries, env=IDENTITY, check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        tree = made.stdout.strip()
    run_git(repository, "update-ref", "refs/heads/main", run_git(repository, "commit-tree", "-m", "m", tree))
    source = GitSource(url=str(repository))
    [found] = source.repositories(cache)
    with pytest.raises(DroppedRepositoryError, match="more than 1000 entries"):
        next(source.entries(found, Limits(max_entries=1000), cache))


def test_a_folder_that_is_inside_itself_is_refused(repository, cache, monkeypatch):
    """Each path is longer than the one before, so that memory would grow with their square."""
    monkeypatch.setattr(sources, "MAX_PATHS_BYTES", 10_000_000)
    (repository / "a").mkdir()
    commit(repository, **{"a/f": "1"})
    damaged = run_git(repository, "rev-parse", "HEAD:a")
    body = b"40000 folder\0" + bytes.fromhex(damaged)
    place = repository / ".git" / "objects" / damaged[:2] / damaged[2:]
    place.chmod(0o644)
    place.write_bytes(zlib.compress(b"tree %d\0%b" % (len(body), body)))
    source = GitSource(url=str(repository))
    [found] = source.repositories(cache)
    with pytest.raises(DroppedRepositoryError, match="paths of more than 10,000,000 bytes"):
        next(source.entries(found, Limits(), cache))


def marker_script(folder: Path) -> tuple[str, Path]:
    """A program that leaves a mark where it runs, and the mark."""
    mark, script = folder / "ran", folder / "hostile.sh"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\nexec git-upload-pack \"$@\"\n")
    script.chmod(0o755)
    return str(script), mark


def test_no_program_that_a_repository_names_is_run(repository, cache, tmp_path):
    commit(repository, a="1")
    script, mark = marker_script(tmp_path)
    settings = ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.alternateRefsCommand",
                "core.askPass", "uploadpack.packObjectsHook", "diff.external", "gc.recentObjectsHook"]  # fmt: skip
    for name in settings:
        run_git(repository, "config", name, script)
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc"):
        target = repository / ".git" / "hooks" / hook
        target.parent.mkdir(exist_ok=True)
        target.symlink_to(script)
    mark.unlink(missing_ok=True)  # `git config` itself may have run one
    for url in (repository, f"file://{repository}"):
        assert crawl(cache, url) == [("a", None, "1")]
        assert GitSource(url=str(url)).fingerprint()
    assert not mark.exists()


@pytest.mark.parametrize("remote", ["file", "ssh"])
def test_missing_objects_are_not_fetched_by_a_program_of_the_repository(
    repository, cache, tmp_path, remote, monkeypatch
):
    monkeypatch.delitem(git_objects.ENVIRONMENT, "GIT_NO_LAZY_FETCH")  # which an older git does not know
    commit(repository, a="1", b="2")
    blob = run_git(repository, "rev-parse", "HEAD:b")
    script, mark = marker_script(tmp_path)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": {"file": str(repository), "ssh": "ssh://example.invalid/x"}[remote],
        "remote.origin.uploadpack": script,
        "core.sshCommand": script,
        "protocol.allow": "always",
        "protocol.file.allow": "always",
        "protocol.ssh.allow": "always",
    }.items():
        run_git(repository, "config", name, value)
    source = GitSource(url=str(repository))
    [found] = source.repositories(cache)
    rows = files.rows(source.entries(found, Limits(), cache), Limits())
    assert [(row.path, row.found.reason, row.found.detail) for row in rows] == [
        ("a", None, ""),
        ("b", "missing_blob", f"{blob} is not in the clone"),
    ]
    assert not mark.exists()


def test_a_broken_blob_drops_the_repository(repository, cache):
    commit(repository, a="1", b="2" * 100)
    blob = run_git(repository, "rev-parse", "HEAD:b")
    place = repository / ".git" / "objects" / blob[:2] / blob[2:]
    damaged = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(damaged[:-4] + b"\0\0\0\0")
    source = GitSource(url=str(repository))
    [found] = source.repositories(cache)
    with pytest.raises(GitError, match="is broken"):
        list(source.entries(found, Limits(), cache))


def test_replaced_objects_do_not_change_what_a_commit_is(repository, cache):
    commit(repository, a="1", b="2")
    run_git(
        repository, "replace", run_git(repository, "rev-parse", "HEAD:a"), run_git(repository, "rev-parse", "HEAD:b")
    )
    assert crawl(cache, repository)[0] == ("a", None, "1")


def test_a_name_that_is_no_utf_8(repository, cache):
    blob = run_git(repository, "hash-object", "-w", "--stdin")
    entry = b"100644 blob " + blob.encode() + b"\tcaf\xe9.py\0"
    tree = subprocess.run(
        ["git", "-C", str(repository), "mktree", "-z"], input=entry, env=IDENTITY, check=True, capture_output=True
    ).stdout.decode().strip()  # fmt: skip
    run_git(repository, "update-ref", "refs/heads/main", run_git(repository, "commit-tree", "-m", "m", tree))
    assert crawl(cache, repository) == [("caf%E9.py", "empty", "")]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/owner/name", "owner/name"),
        ("https://example.org/owner/name.git/", "owner/name"),
        ("https://user:token@example.org/name.git", "example.org/name"),
        ("git@example.org:owner/name.git", "owner/name"),
        ("ssh://git@example.org:22/group/owner/name", "owner/name"),
        ("file:///home/owner/name/.git", "owner/name"),
        ("/home/owner/name/.git", "owner/name"),
        ("/name", "name"),
    ],
)
def test_the_name_of_a_repository(url, name):
    assert default_name(url) == name
