"""What every kind of source offers: list repositories, and stream the entries of one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Repository:
    """A repository as a source lists it. `location` is whatever the source needs to find it again."""

    name: str
    revision: str
    license: str
    num_stars: int
    location: str
    reason: str | None = None  # why it cannot be read: it is recorded, and tried again by the next crawl
    detail: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of a repository. `read` fetches the bytes, so nothing is read that the limits rule out.

    It may raise UnreadableEntryError.
    """

    path: str
    size_bytes: int
    read: Callable[[], bytes]
    reason: str | None = None  # set where the source itself drops the entry: no regular file, for example
    detail: str = ""


class UnreadableEntryError(Exception):
    """The bytes of one entry cannot be had; the others may be sound."""


class Source(Protocol):
    def fingerprint(self) -> str:
        """A short text that changes when any repository of the source changes."""

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        """The repositories, each once. ValueError where the source itself is set up wrongly."""

    def entries(self, repository: Repository) -> Iterator[Entry]:
        """The entries of one repository, sorted by path. An entry can be read until the next one is taken."""


def readable_path(path: str | bytes) -> str:
    """`path` as valid Unicode with `/`: bytes that are no UTF-8 become `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def no_content() -> bytes:
    """The content of an entry that is no regular file."""
    return b""
