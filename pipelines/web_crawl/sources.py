"""The list of WARC files of a crawl: what `warcs` means, and how to tell whether a file has changed since."""

import fnmatch
import hashlib
from collections.abc import Sequence
from typing import Any

from pyarrow import fs

from pipelines import storage

HASHED_BYTES = 64_000_000  # a larger file is told by its size and its time of change, which cost nothing to read


def expand(warcs: Sequence[str]) -> list[str]:
    """The files that the paths and patterns name, in the order given; a pattern's files by name. None comes twice.

    A pattern has its wildcards in the file name, as in `crawl/*.warc.gz`. ValueError where nothing is found.
    """
    found: dict[str, None] = {}
    for given in warcs:
        files = _matches(given)
        if not files:
            raise ValueError(
                f"[web_crawl] warcs: got {given!r}, where there is no file; expected paths of WARC files, or patterns "
                "such as 'crawl/*.warc.gz'"
            )
        found |= dict.fromkeys(files)
    return list(found)


def _matches(given: str) -> list[str]:
    folder, slash, pattern = given.rpartition("/")
    if any(character in pattern for character in "*?["):
        names = storage.names(folder or slash or ".")
        return [f"{folder}{slash}{name}" for name in names if fnmatch.fnmatchcase(name, pattern)]
    return [given] if _info(given).is_file else []


def _info(url: str) -> fs.FileInfo:
    filesystem, path = storage.open_folder(url)
    return filesystem.get_file_info(path)


def fingerprint(url: str) -> dict[str, Any]:
    """The file's name, its size, and its SHA-256 or, where it is large, its time of change."""
    info = _info(url)
    found = {"warc": url, "size_bytes": info.size}
    if info.size > HASHED_BYTES:
        return found | {"changed_at_ns": info.mtime_ns}
    with storage.open_input(url) as stream:
        return found | {"sha256": hashlib.sha256(stream.read()).hexdigest()}
