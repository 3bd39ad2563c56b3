"""Folders on disk: each folder that `path` matches is one repository. Links are never followed."""

import glob
import hashlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pipelines.config import StageConfig
from pipelines.crawl.licences.rules import StatedLicence
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import gitignore
from pipelines.crawl.sources.gitignore import GitIgnore
from pipelines.crawl.sources.source import (
    Entry,
    Repository,
    UnreadableEntryError,
    at_most,
    no_content,
    open_file,
    read_file,
    readable_path,
)

VERSION_CONTROL = {".git", ".hg", ".svn"}
LARGE_BYTES = 256_000_000  # a file from here on is known by when it was changed, and not by its content


class DirectorySource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ()
    kind: Literal["directory"] = "directory"
    path: str  # a folder, or a pattern such as `sources/*`
    license: StatedLicence = ""  # of all of them
    gitignore: bool = False  # whether what .gitignore files leave out is dropped

    def folders(self) -> list[Path]:
        """The folders that `path` matches, sorted. ValueError where there is none."""
        if os.path.isdir(self.path):
            return [Path(os.path.abspath(self.path))]
        matches = (Path(os.path.abspath(match)) for match in glob.glob(self.path))
        found = sorted(match for match in matches if match.is_dir() and not match.is_symlink())
        if not found:
            raise ValueError(
                f"crawl source: path: got {self.path!r}, which matches no folder; expected a folder or pattern"
            )
        return found

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=10)
        for folder in self.folders():
            digest.update(f"{readable_path(folder.name)}\0".encode())
            for entry, path in sorted(_entries(folder, self.gitignore), key=_by_path):
                digest.update(f"{entry.path}\0{entry.size_bytes}\0{entry.reason}\0".encode())
                digest.update(b"" if entry.reason else _digest(path, entry.size_bytes))
        return digest.hexdigest()

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        for folder in self.folders():
            yield Repository(
                name=readable_path(folder.name),
                revision="",
                license=self.license,
                num_stars=0,
                location=readable_path(str(folder)),
                reason=_why_unreadable(folder),
            )

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        found = at_most(_entries(Path(repository.location), self.gitignore), limits)
        return (entry for entry, _ in sorted(found, key=_by_path))

    def kept(self, repository: Repository, limits: Limits) -> str:
        return ""


def _why_unreadable(folder: Path) -> str | None:
    if readable_path(str(folder)) != str(folder):
        return "unreadable_repository"  # its name is no UTF-8, so no table can say where it lies
    return None if next(_entries(folder, False), None) else "empty_repository"


def _by_path(found: tuple[Entry, str]) -> str:
    return found[0].path


def _digest(path: str, size_bytes: int) -> bytes:
    try:
        with open_file(path) as file:
            if size_bytes > LARGE_BYTES:  # a disk image, say, which takes longer to read than all else
                return str(os.fstat(file.fileno()).st_mtime_ns).encode()
            return hashlib.file_digest(file, "blake2b").digest()
    except UnreadableEntryError as error:
        return str(error).encode()


def _entries(root: Path, honours_gitignore: bool) -> Iterator[tuple[Entry, str]]:
    """Everything under `root` that is no folder, in any order, and where it lies.

    A folder that is left out, or that cannot be read, is one entry.
    """
    waiting: list[tuple[str, GitIgnore | None]] = [("", None)]
    while waiting:
        inside, above = waiting.pop()
        rules = _rules(root, inside, above) if honours_gitignore else None
        try:
            found = os.scandir(os.path.join(root, inside))
        except OSError as error:
            yield Entry(readable_path(inside) or ".", 0, no_content, "unreadable", str(error.strerror)), ""
            continue
        with found:
            for item in found:
                is_folder = item.is_dir(follow_symlinks=False)
                path = os.path.join(inside, item.name) + ("/" if is_folder else "")
                if item.name in VERSION_CONTROL:
                    continue
                if rules is not None and rules.leaves_out(readable_path(path)):
                    yield Entry(readable_path(path), 0, no_content, "gitignore"), ""
                elif is_folder:
                    waiting.append((path, rules))
                else:
                    yield _entry(readable_path(path), item), item.path


def _rules(root: Path, inside: str, above: GitIgnore | None) -> GitIgnore | None:
    try:
        return GitIgnore(above, readable_path(inside), read_file(os.path.join(root, inside, gitignore.NAME)))
    except UnreadableEntryError:  # there is none, or it is a link, which git does not follow either
        return above


def _entry(path: str, item: os.DirEntry[str]) -> Entry:
    if item.is_symlink():
        return Entry(path, 0, no_content, "symlink")
    try:
        if not item.is_file(follow_symlinks=False):
            return Entry(path, 0, no_content, "not_regular")
        return Entry(path, item.stat(follow_symlinks=False).st_size, partial(read_file, item.path))
    except OSError as error:
        return Entry(path, 0, no_content, "unreadable", str(error.strerror))
