"""Folders on disk: each folder that `path` matches is one repository. Links are never followed."""

import glob
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipelines.config import StageConfig
from pipelines.crawl.sources.source import Entry, Repository, no_content, readable_path

VERSION_CONTROL = {".git", ".hg", ".svn"}


class DirectorySource(StageConfig):
    kind: Literal["directory"] = "directory"
    path: str  # a folder, or a pattern such as `sources/*`
    license: str = ""  # SPDX expression of all of them

    def folders(self) -> list[Path]:
        """The folders that `path` matches, sorted. ValueError where there is none."""
        found = sorted(Path(match) for match in glob.glob(self.path) if os.path.isdir(match))
        if not found:
            raise ValueError(
                f"crawl source: path: got {self.path!r}, which matches no folder; expected a folder or pattern"
            )
        return found

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=10)
        for folder in self.folders():
            for entry in sorted(_walk(folder), key=lambda entry: entry.path):
                digest.update(f"{folder.name}\0{entry.path}\0{entry.size_bytes}\0{entry.reason}\0".encode())
                digest.update(entry.read())
        return digest.hexdigest()

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        for folder in self.folders():
            empty = next(_walk(folder), None) is None
            yield Repository(
                name=readable_path(folder.name),
                revision="",
                license=self.license,
                num_stars=0,
                location=str(folder.resolve()),
                reason="empty_repository" if empty else None,
            )

    def entries(self, repository: Repository) -> Iterator[Entry]:
        return _walk(Path(repository.location))


def _walk(root: Path, inside: str = "") -> Iterator[Entry]:
    with os.scandir(root / inside) as found:
        for item in sorted(found, key=lambda item: item.name):
            path = os.path.join(inside, item.name)
            if item.is_symlink():
                yield Entry(readable_path(path), 0, no_content, "symlink")
            elif item.is_dir(follow_symlinks=False):
                if item.name not in VERSION_CONTROL:
                    yield from _walk(root, path)
            elif item.is_file(follow_symlinks=False):
                yield Entry(readable_path(path), item.stat(follow_symlinks=False).st_size, Path(item.path).read_bytes)
            else:
                yield Entry(readable_path(path), 0, no_content, "not_regular")
