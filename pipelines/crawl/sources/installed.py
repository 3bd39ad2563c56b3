"""The packages of this Python environment: real code that every machine has. One repository per distribution."""

import hashlib
from collections.abc import Iterator
from functools import cache, partial
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath
from typing import ClassVar, Literal

from pipelines.config import StageConfig
from pipelines.crawl.licences import core_metadata
from pipelines.crawl.licences.repository import DIST_INFO, licence_of, may_tell
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.source import Entry, Repository, at_most, no_content, read_file, readable_path


class InstalledSource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ()
    kind: Literal["installed"] = "installed"
    max_total_bytes: int = 60_000_000  # smallest distributions first, until their sum would pass this
    max_file_bytes: int = 1_000_000  # larger files, compiled libraries mostly, do not count into that sum

    def fingerprint(self) -> str:
        names = sorted(f"{name}=={_distributions()[name].version}" for name in self._chosen())
        return hashlib.blake2b("\n".join(names).encode(), digest_size=10).hexdigest()

    def _chosen(self) -> list[str]:
        chosen, total = [], 0
        for size, name in sorted((_size_bytes(name, self.max_file_bytes), name) for name in _distributions()):
            total += size
            if size and total <= self.max_total_bytes:
                chosen.append(name)
        return chosen

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        for name in self._chosen():
            found = _distributions()[name]
            yield Repository(name, found.version, core_metadata.stated(found.metadata) or _told(found), 0, name)

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        found = _distributions()[repository.location]
        return iter(sorted(at_most(_entries(found), limits), key=lambda entry: entry.path))

    def kept(self, repository: Repository, limits: Limits) -> str:
        return ""


@cache
def _distributions() -> dict[str, Distribution]:
    """Every distribution by its name: of two folders that hold the same one, the first on the path counts."""
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name and name != "repoloom":
            found.setdefault(name, distribution)
    return found


@cache
def _size_bytes(name: str, max_file_bytes: int) -> int:
    """The bytes of the files that are not larger than `max_file_bytes`. Cached: it asks the disk for every file."""
    sizes = [entry.size_bytes for entry in _entries(_distributions()[name])]
    return sum(size for size in sizes if size <= max_file_bytes)


def _entries(found: Distribution) -> Iterator[Entry]:
    for listed in found.files or []:
        if _is_source(listed):
            file = Path(str(found.locate_file(listed)))
            if file.is_symlink():
                yield Entry(readable_path(str(listed)), 0, no_content, "symlink")
            elif file.is_file():
                yield Entry(readable_path(str(listed)), file.stat().st_size, partial(read_file, str(file)))


def _is_source(path: PurePath) -> bool:
    """Whether `path`, as the distribution's RECORD has it, is a file of the package and not of its installation."""
    top = path.parts[0]
    return not (
        top.endswith((".dist-info", ".data", ".egg-info")) or top in {"..", "__pycache__"} or path.suffix == ".pyc"
    )


def _told(found: Distribution) -> str:
    """What the texts of its licences say, which lie beside the metadata and are no part of the repository."""
    told = [listed for listed in found.files or [] if DIST_INFO.match(str(listed)) and may_tell(str(listed))]
    return licence_of(
        (str(listed), Path(str(found.locate_file(listed))).read_text(errors="replace")) for listed in told
    )
