"""Git repositories, by path or URL. Blobs come straight from the object store: nothing is checked out, no hook, filter
or submodule runs, and the configuration of the machine is not read."""

import hashlib
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pipelines.config import StageConfig
from pipelines.crawl.sources.source import Entry, Repository, no_content, readable_path

SAFE = ["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"] + [
    part for name in ("ext", "fd") for part in ("-c", f"protocol.{name}.allow=never")
]
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C.UTF-8",
}
REGULAR = (b"100644", b"100755")
REASONS = {b"120000": "symlink", b"160000": "submodule"}


class GitError(Exception):
    """Git could not read a repository; the message is git's own last line."""


class GitSource(StageConfig):
    kind: Literal["git"] = "git"
    url: str  # a path, https://..., ssh://... or git@host:owner/name
    name: str = ""  # `owner/name`; by default the last two parts of the URL
    revision: str = "HEAD"
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

    def _commit(self) -> str:
        if self.is_local:
            return (
                _git(self.url, "rev-parse", "--verify", "--end-of-options", f"{self.revision}^{{commit}}")
                .decode()
                .strip()
            )
        found = _git(".", "ls-remote", "--", self.url, self.revision).split()
        if not found:
            raise GitError(f"{self.url} has no revision {self.revision}")
        return found[0].decode()

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        name = self.name or "/".join(self.url.rstrip("/").removesuffix(".git").replace(":", "/").split("/")[-2:])
        if not self.is_local and "://" not in self.url and ":" not in self.url:
            raise ValueError(
                f"crawl source: url: got {self.url!r}, which is no folder and no URL; expected one of them"
            )
        try:
            commit = self._commit()
            location = self.url if self.is_local else self._fetch(cache_folder, commit)
            yield Repository(name, commit, self.license, self.num_stars, str(Path(location).resolve()))
        except GitError as error:
            is_empty = self.is_local and "Needed a single revision" in str(error)
            reason = "empty_repository" if is_empty else "unreadable_repository"
            yield Repository(name, "", self.license, self.num_stars, self.url, reason, str(error))

    def _fetch(self, cache_folder: str, commit: str) -> str:
        """A bare repository that holds just `commit`; an unchanged one is not fetched again."""
        folder = Path(cache_folder) / hashlib.blake2b(f"{self.url}@{commit}".encode(), digest_size=10).hexdigest()
        if not (folder / "complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            _git(str(folder), "init", "--bare", "--quiet", "--template=", ".")
            _git(
                str(folder),
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-recurse-submodules",
                "--",
                self.url,
                commit,
            )
            (folder / "complete").touch()
        return str(folder)

    def entries(self, repository: Repository) -> Iterator[Entry]:
        listing = _git(repository.location, "ls-tree", "-r", "-z", "--long", "--full-tree", repository.revision)
        with Blobs(repository.location) as blobs:
            for line in listing.split(b"\0")[:-1]:
                head, _, path = line.partition(b"\t")
                mode, _, object_id, size = head.split()
                if mode in REGULAR:
                    yield Entry(readable_path(path), int(size), partial(blobs.read, object_id))
                else:
                    yield Entry(readable_path(path), 0, no_content, REASONS.get(mode, "not_regular"))


class Blobs:
    """A running `git cat-file --batch`: one process for all blobs of a repository."""

    def __init__(self, folder: str) -> None:
        command = ["git", "-C", folder, *SAFE, "cat-file", "--batch"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT)

    def read(self, object_id: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(object_id + b"\n")
        self.process.stdin.flush()
        header = self.process.stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            raise GitError(f"blob {object_id.decode()} is missing or broken: {b' '.join(header).decode()}")
        content = self.process.stdout.read(int(header[2]))
        self.process.stdout.read(1)  # the newline after each blob
        return content

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def _git(folder: str, *arguments: str) -> bytes:
    command = ["git", "-C", folder, *SAFE, *arguments]
    finished = subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=False)
    if finished.returncode:
        lines = finished.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise GitError(lines[-1])
    return finished.stdout
