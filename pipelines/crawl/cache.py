"""The folder where sources keep what another crawl would have to fetch again; what no repository needs is removed."""

import glob
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress

from pipelines.recipe import short_hash

UNFINISHED = ("*/*.tmp", "*/*/*.tmp", "*/*/.*.tmp")  # the last: files that `storage` was writing
KEPT = ("git/*/*", "stack/*")  # clones, and tables brought together; what GitHub answered is small, and stays


def folder_of(crawl_folder: str) -> str:
    """A local folder; where the run lies elsewhere, each machine has its own."""
    if "://" in crawl_folder:
        return f"{tempfile.gettempdir()}/repoloom-{short_hash(crawl_folder)}"
    return os.path.join(crawl_folder, "sources")


def remove_unfinished(folder: str) -> None:
    """What a killed crawl left."""
    for path in _matches(folder, UNFINISHED):
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def remove_unneeded(folder: str, needed: Iterable[str]) -> None:
    """Removes what matches none of the patterns `needed`, inside `folder`."""
    kept = _matches(folder, needed)
    for path in _matches(folder, KEPT) - kept:
        shutil.rmtree(path, ignore_errors=True)
    for parent in _matches(folder, ["git/*"]):
        with suppress(OSError):  # it is not empty
            os.rmdir(parent)


def _matches(folder: str, patterns: Iterable[str]) -> set[str]:
    inside = glob.escape(folder)
    return {path for pattern in patterns for path in glob.glob(os.path.join(inside, pattern))}
