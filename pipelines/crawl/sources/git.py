"""Git repositories, by path or URL. Blobs come straight from the object store: nothing is checked out, no hook, filter
or submodule runs, and the configuration of the machine is not read."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pipelines.config import StageConfig
from pipelines.crawl.sources.source import Entry, Repository, no_content, readable_path

SAFE = ("-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # so that a commit stands for its bytes
    "LC_ALL": "C.UTF-8",
}
# These win over any configuration, so a local repository cannot have its own command run by a fetch of missing objects.
NO_TRANSPORT = "none"
TRANSPORTS = "file:git:http:https:ssh"
REGULAR = (b"100644", b"100755")
REASONS = {b"120000": "symlink", b"160000": "submodule"}
OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitError(ValueError):
    """Git could not read a repository; the message is git's own last line."""


class GitSource(StageConfig):
    kind: Literal["git"] = "git"
    url: str  # a path, https://..., ssh://... or git@host:owner/name
    name: str = ""  # `owner/name`; by default the last two parts of the URL or path
    revision: str = "HEAD"  # branch, tag or commit
    license: str = ""
    num_stars: int = 0

    @property
    def is_local(self) -> bool:
        return Path(self.url).is_dir()

    def fingerprint(self) -> str:
        try:
            return self._commit()
        except GitError:
            return "unreachable"

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        if not self.is_local and ":" not in self.url:
            raise ValueError(
                f"crawl source: url: got {self.url!r}, which is no folder and no URL; expected one of them"
            )
        yield self._repository(cache_folder)

    def _repository(self, cache_folder: str) -> Repository:
        name = self.name or default_name(str(Path(self.url).resolve()) if self.is_local else self.url)
        described = partial(Repository, name, license=self.license, num_stars=self.num_stars)
        try:
            commit = self._commit()
            location = str(Path(self.url if self.is_local else self._fetch(cache_folder, commit)).resolve())
            if not _listing(location, commit):
                return described(commit, location=location, reason="empty_repository", detail="no file in the commit")
            return described(commit, location=location)
        except GitError as error:
            reason = "empty_repository" if self._has_no_commit() else "unreadable_repository"
            return described("", location=self.url, reason=reason, detail=str(error))

    def _commit(self) -> str:
        if self.is_local:
            wanted = f"{self.revision}^{{commit}}"
            return _git(self.url, "rev-parse", "--verify", "--end-of-options", wanted).decode().strip()
        return self.revision if OBJECT_ID.fullmatch(self.revision) else self._remote_commit()

    def _remote_commit(self) -> str:
        """What `revision` is at the remote, by git's own order of names; an annotated tag is what it points to."""
        listed = _git("/", "ls-remote", "--", self.url, self.revision, self.revision + "^{}", transports=TRANSPORTS)
        lines = (line.split("\t") for line in listed.decode(errors="replace").splitlines())
        found = {name: object_id for object_id, name in lines}
        for prefix in ("", "refs/", "refs/tags/", "refs/heads/"):
            for peeled in ("^{}", ""):
                if prefix + self.revision + peeled in found:
                    return found[prefix + self.revision + peeled]
        raise GitError(f"{self.url} has no revision {self.revision}")

    def _has_no_commit(self) -> bool:
        """Whether the repository can be read, and is empty."""
        try:
            if self.is_local:
                return not _git(self.url, "rev-list", "--all", "-n", "1")
            return not _git("/", "ls-remote", "--", self.url, transports=TRANSPORTS)
        except GitError:
            return False

    def _fetch(self, cache_folder: str, commit: str) -> str:
        """A bare repository that holds just `commit`; an unchanged one is not fetched again."""
        folder = Path(cache_folder) / hashlib.blake2b(f"{self.url}@{commit}".encode(), digest_size=10).hexdigest()
        if not (folder / "complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            _git(str(folder), "init", "--bare", "--quiet", "--template=", ".")
            options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules")
            _git(str(folder), "fetch", *options, "--", self.url, commit, transports=TRANSPORTS)
            (folder / "complete").touch()
        return str(folder)

    def entries(self, repository: Repository) -> Iterator[Entry]:
        with Blobs(repository.location) as blobs:
            for path, mode, object_id, size in sorted(_listing(repository.location, repository.revision)):
                if mode in REGULAR:
                    yield Entry(path, int(size), partial(blobs.read, object_id))
                else:
                    yield Entry(path, 0, no_content, REASONS.get(mode, "not_regular"))


def _listing(folder: str, commit: str) -> list[tuple[str, bytes, bytes, bytes]]:
    """(path, mode, object id, size) of everything in a commit. GitError where an object is not there."""
    lines = _git(folder, "ls-tree", "-r", "-z", "--long", "--full-tree", commit).split(b"\0")[:-1]
    found = []
    for head, _, path in (line.partition(b"\t") for line in lines):
        mode, _, object_id, size = head.split()
        if size == b"BAD":
            raise _missing(folder, object_id)
        found.append((readable_path(path), mode, object_id, size))
    return found


def _missing(folder: str, object_id: bytes) -> GitError:
    return GitError(
        f"{folder}: blob {object_id.decode()} is missing or broken; "
        "expected a whole repository: see `git fsck`, or make a clone without a filter"
    )


def default_name(url: str) -> str:
    """`owner/name` of a URL or absolute path, without the user name and password that a URL may hold."""
    path = re.sub(r"^([a-z+]+://)?([^/@]*@)?", "", url).replace(":", "/")
    parts = [part for part in path.split("/") if part]
    if parts[-1:] == [".git"]:
        parts.pop()
    return "/".join(parts[-2:]).removesuffix(".git")


class Blobs:
    """A running `git cat-file --batch`: one process for all blobs of a repository."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            _command(folder, "cat-file", "--batch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(folder, NO_TRANSPORT),
        )

    def read(self, object_id: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(object_id + b"\n")
        self.process.stdin.flush()
        header = self.process.stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            raise _missing(self.folder, object_id)
        content = self.process.stdout.read(int(header[2]))
        self.process.stdout.read(1)  # the newline after each blob
        return content

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def _command(folder: str, *arguments: str) -> list[str]:
    return ["git", "-C", folder, *SAFE, *arguments]


def _environment(folder: str, transports: str) -> dict[str, str]:
    # A folder inside another repository is not that repository.
    ceiling = str(Path(folder).resolve().parent)
    return {**ENVIRONMENT, "GIT_ALLOW_PROTOCOL": transports, "GIT_CEILING_DIRECTORIES": ceiling}


def _git(folder: str, *arguments: str, transports: str = NO_TRANSPORT) -> bytes:
    finished = subprocess.run(
        _command(folder, *arguments), capture_output=True, env=_environment(folder, transports), check=False
    )
    if finished.returncode:
        lines = finished.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise GitError(lines[-1])
    return finished.stdout
