"""Archives: tar (plain, gz, bz2, xz, zst), zip, wheel, sdist. Each is one repository, and never unpacked to disk."""

import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from pipelines.config import StageConfig
from pipelines.crawl.licences.rules import StatedLicence
from pipelines.crawl.limits import Limits
from pipelines.crawl.paths import is_safe
from pipelines.crawl.sources import unpack
from pipelines.crawl.sources.source import DroppedRepositoryError, Entry, Repository, no_content, readable_path

SUFFIX = re.compile(r"(\.tar)?\.(tar|tgz|tbz2?|txz|gz|bz2|xz|zst|zip|whl|jar|crate)\Z", re.IGNORECASE)


class ArchiveSource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ("max_unpacked_bytes", "max_ratio")
    kind: Literal["archive"] = "archive"
    path: str  # a file, or a pattern such as `downloads/*.tar.gz`
    license: StatedLicence = ""  # of all of them
    max_unpacked_bytes: int = Field(4_000_000_000, gt=0)
    max_ratio: float = Field(200.0, ge=1)  # of unpacked to packed bytes, from 64 MB on

    def files(self) -> list[Path]:
        """The archives that `path` matches, sorted. ValueError where there is none."""
        matches = [self.path] if os.path.isfile(self.path) else glob.glob(self.path)
        found = sorted(Path(os.path.abspath(match)) for match in matches if os.path.isfile(match))
        if not found:
            raise ValueError(
                f"crawl source: path: got {self.path!r}, which matches no file; expected an archive, or a pattern "
                "such as 'downloads/*.tar.gz'"
            )
        return found

    def fingerprint(self) -> str:
        parts = (f"{readable_path(file.name)}\0{_digest(file)}" for file in self.files())
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        for file in self.files():
            name = SUFFIX.sub("", readable_path(file.name))
            yield Repository(name, _digest(file), self.license, 0, readable_path(str(file)))

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        """Sorted by path. An archive that breaks off is dropped as a whole: half a repository is none."""
        bounds = unpack.Bounds(
            max_entries=limits.max_entries,
            max_unpacked_bytes=self.max_unpacked_bytes,
            max_ratio=self.max_ratio,
            max_file_bytes=limits.max_file_bytes,
            max_repository_bytes=limits.max_repository_bytes,
        )
        left = self._listed(Path(repository.location), bounds)
        while left:  # so that what was read is forgotten entry by entry
            yield left.pop()

    def _listed(self, file: Path, bounds: unpack.Bounds) -> list[Entry]:
        """The entries in the reverse order of their paths."""
        try:
            found = list(unpack.entries(file, bounds))
        except unpack.BrokenArchiveError as error:
            raise DroppedRepositoryError(readable_path(str(error)), "broken_archive") from error
        return sorted(_each_once(_without_top(found)), key=attrgetter("path"))[::-1]

    def kept(self, repository: Repository, limits: Limits) -> str:
        return ""


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=10)).hexdigest()


def _without_top(entries: list[Entry]) -> list[Entry]:
    """`name-1.0/` at the head of every path that stays inside is no part of the repository."""
    names = [entry.path.removeprefix("./") for entry in entries]
    safe = [is_safe(name) for name in names]
    tops = {name.partition("/")[::2] for name, fine in zip(names, safe, strict=True) if fine}
    top = next(iter(tops))[0] if len({first for first, _ in tops}) == 1 and all(rest for _, rest in tops) else ""
    return [
        replace(entry, path=name.removeprefix(f"{top}/") if top and fine else name)
        for entry, name, fine in zip(entries, names, safe, strict=True)
    ]


def _each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Of several entries with one path the last counts, as where an archive is unpacked; the others are dropped."""
    listed = list(entries)
    last = {entry.path: number for number, entry in enumerate(listed)}
    for number, entry in enumerate(listed):
        is_last = last[entry.path] == number
        yield entry if is_last else Entry(entry.path, entry.size_bytes, no_content, "duplicate_path")
