"""Git repositories, by path or URL: nothing is checked out. A URL is cloned where it is read, on a worker."""

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from pipelines.config import StageConfig
from pipelines.crawl.licences.rules import StatedLicence
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import git_objects
from pipelines.crawl.sources.git_objects import TRANSPORTS, GitError, Item
from pipelines.crawl.sources.source import Entry, Repository, at_most, no_content

FOLDER, REGULAR = b"040000", (b"100644", b"100755")
REASONS = {b"120000": "symlink", b"160000": "submodule"}
OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitSource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ()
    kind: Literal["git"] = "git"
    url: str  # a path, https://..., ssh://... or git@host:owner/name
    name: str = ""  # `owner/name`; by default the last two parts of the URL or path
    revision: str = "HEAD"  # branch, tag or commit
    license: StatedLicence = ""
    num_stars: int = Field(0, ge=0)
    keep_clone: bool = True  # of a URL, so that another crawl of this commit fetches nothing
    max_clone_bytes: int = Field(4_000_000_000, gt=0)
    max_clone_seconds: int = Field(3600, gt=0)

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
        yield self._repository()

    def _repository(self) -> Repository:
        where = str(Path(self.url).resolve()) if self.is_local else without_password(self.url)
        described = partial(
            Repository, self.name or default_name(where), license=self.license, num_stars=self.num_stars, location=where
        )
        try:
            return described(self._commit())
        except GitError as error:
            reason = "empty_repository" if self._has_no_commit() else error.reason
            return described("", reason=reason, detail=str(error))

    def _commit(self) -> str:
        if self.is_local:
            wanted = f"{self.revision}^{{commit}}"
            return git_objects.run(self.url, "rev-parse", "--verify", "--end-of-options", wanted).decode().strip()
        return self.revision if OBJECT_ID.fullmatch(self.revision) else self._remote_commit()

    def _remote_commit(self) -> str:
        """What `revision` is at the remote, by git's own order of names; an annotated tag is what it points to."""
        wanted = (self.revision, self.revision + "^{}")
        listed = git_objects.run("/", "ls-remote", "--", self.url, *wanted, transports=TRANSPORTS)
        lines = (line.split("\t") for line in listed.decode(errors="replace").splitlines())
        found = {name: object_id for object_id, name in lines}
        for prefix in ("", "refs/", "refs/tags/", "refs/heads/"):
            for peeled in ("^{}", ""):
                if prefix + self.revision + peeled in found:
                    return found[prefix + self.revision + peeled]
        raise GitError(f"{without_password(self.url)} has no revision {self.revision}")

    def _has_no_commit(self) -> bool:
        """Whether the repository can be read, and is empty."""
        try:
            if self.is_local:
                return not git_objects.run(self.url, "rev-list", "--all", "-n", "1")
            return not git_objects.run("/", "ls-remote", "--", self.url, transports=TRANSPORTS)
        except GitError:
            return False

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        commit = repository.revision
        with (
            self._on_disk(commit, limits.max_file_bytes, cache_folder) as source,
            git_objects.apart(source, commit) as folder,
        ):
            found = at_most(git_objects.items(folder, commit), limits)
            items = sorted(item for item in found if item.mode != FOLDER)
            dropped = [self._why_dropped(item, limits) for item in items]
            wanted = [item.object_id for item, why in zip(items, dropped, strict=True) if why is None]
            with git_objects.blobs(folder, wanted) as contents:
                for item, why in zip(items, dropped, strict=True):
                    if why is None:
                        content = next(contents)
                        yield Entry(item.path, len(content), partial(bytes, content))
                    else:
                        yield Entry(item.path, item.size_bytes or 0, no_content, *why)

    def _why_dropped(self, item: Item, limits: Limits) -> tuple[str, str] | None:
        """(reason, detail) of what is not read."""
        if item.mode not in REGULAR:
            return REASONS.get(item.mode, "not_regular"), ""
        if item.size_bytes is None:  # a clone of ours lacks what the server was asked to leave out
            left_out = ("file_size", f"> {limits.max_file_bytes}, left at the server")
            return ("missing_blob", f"{item.object_id.decode()} is not in the clone") if self.is_local else left_out
        if item.size_bytes > limits.max_file_bytes:
            return "file_size", f"{item.size_bytes} > {limits.max_file_bytes}"
        return None

    @contextmanager
    def _on_disk(self, commit: str, max_file_bytes: int, cache_folder: str) -> Iterator[str]:
        """A folder that holds `commit`: the repository itself, or a bare clone."""
        if self.is_local:
            yield self.url
            return
        folder = os.path.join(cache_folder, self._clone_of(f"{commit}-{max_file_bytes}"))
        if not os.path.exists(folder):
            self._clone(commit, max_file_bytes, folder)
        try:
            yield folder
        finally:
            if not self.keep_clone:
                shutil.rmtree(folder, ignore_errors=True)

    def kept(self, repository: Repository, limits: Limits) -> str:
        """Where the server did not say which commit it has, any clone may be the one."""
        if self.is_local or not self.keep_clone:
            return ""
        return self._clone_of(f"{repository.revision}-{limits.max_file_bytes}" if repository.revision else "*")

    def _clone_of(self, commit: str) -> str:
        return os.path.join("git", hashlib.blake2b(self.url.encode(), digest_size=10).hexdigest(), commit)

    def _clone(self, commit: str, max_file_bytes: int, folder: str) -> None:
        """A bare repository of `commit` alone, without its larger files where the server knows how; whole or absent."""
        unfinished = f"{folder}.{uuid.uuid4().hex[:8]}.tmp"
        options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
        filtered = f"--filter=blob:limit={max_file_bytes + 1}"
        os.makedirs(unfinished)
        try:
            git_objects.run(unfinished, "init", "--bare", "--quiet", "--template=", ".")
            git_objects.run(unfinished, "fetch", *options, filtered, "--", self.url, commit,
                 transports=TRANSPORTS, seconds=self.max_clone_seconds, max_bytes=self.max_clone_bytes)  # fmt: skip
            if not os.path.exists(folder):
                os.rename(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def without_password(url: str) -> str:
    return re.sub(r"^([a-z+]+://)[^/@]*:[^/@]*@", r"\1", url)


def default_name(url: str) -> str:
    """`owner/name` of a URL or absolute path, without the user name and password that a URL may hold."""
    path = re.sub(r"^([a-z+]+://)?([^/@]*@)?", "", url).replace(":", "/")
    parts = [part for part in path.split("/") if part]
    if parts[-1:] == [".git"]:
        parts.pop()
    return "/".join(parts[-2:]).removesuffix(".git")
