"""What every kind of source offers: list repositories, and stream the entries of one."""

import codecs
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from typing import ClassVar, Protocol, TypeVar

from pipelines.crawl.limits import Limits

T = TypeVar("T")
MAX_PATHS_BYTES = 100_000_000  # of all paths of a repository: folders may be nested, and names be long, without end


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
    digest: str = ""  # stands for the content where the revision does not
    default_branch: str = ""
    fork_of: str = ""  # `owner/name` of what it is a fork of
    topics: tuple[str, ...] = ()
    created_at: str = ""  # ISO 8601, UTC


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
    encoding: str = ""  # what the source says of bytes that are no UTF-8


class UnreadableEntryError(Exception):
    """The bytes of one entry cannot be had; the others may be sound."""


class DroppedRepositoryError(Exception):
    """A repository that cannot be taken as a whole: what was read of it is dropped too, and the others go on."""

    def __init__(self, detail: str, reason: str = "unreadable_repository") -> None:
        super().__init__(detail)
        self.reason = reason


class Source(Protocol):
    """`cache_folder` is a local folder that stays from crawl to crawl; a source has a folder of its own inside."""

    # The settings that decide the rows of a repository once it is listed: while they, the revision and the digest are
    # the same, its rows are carried over from the last crawl. One without revision and digest is always read again.
    ROW_SETTINGS: ClassVar[tuple[str, ...]]

    def fingerprint(self) -> str:
        """A short text that changes when any repository of the source changes. Fetches nothing large."""

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        """The repositories, each once. ValueError where the source itself is set up wrongly.

        Runs where the crawl was started; fetches nothing large.
        """

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        """The entries of one repository, sorted by path. An entry can be read until the next one is taken.

        Runs on a worker, so here is where a repository is fetched. DroppedRepositoryError, at any moment, where it
        cannot be read. `limits` say what need not be fetched or listed: they are applied to what comes out anyway.
        """

    def kept(self, repository: Repository, limits: Limits) -> str:
        """What another crawl of this repository would read of `cache_folder`: a pattern inside it, or empty."""


def _percent(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("percent", _percent)


def readable_path(path: str | bytes) -> str:
    """`path` as valid Unicode with `/`: bytes that are no UTF-8 become `%NN`, as in a URL.

    Not `\\xNN`, which another system takes for a folder, or at the beginning for the root of a disk.
    """
    return os.fsencode(path).decode("utf-8", "percent").replace(os.sep, "/")


def no_content() -> bytes:
    """The content of an entry that is no regular file."""
    return b""


def each_path_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Of entries with one path, which are neighbours, the first counts that the source itself does not drop."""
    before = None
    for entry in entries:
        is_again = entry.reason is None and entry.path == before
        before = before if entry.reason else entry.path
        yield Entry(entry.path, entry.size_bytes, no_content, "duplicate_path") if is_again else entry


def at_most(items: Iterator[T], limits: Limits) -> list[T]:
    """`items` as a list. DroppedRepositoryError where they are more than a repository may have."""
    found = list(islice(items, limits.max_entries + 1))
    if len(found) > limits.max_entries:
        raise DroppedRepositoryError(f"more than {limits.max_entries} entries", "repository_entries")
    return found


def check_paths(num_bytes: int) -> None:
    """DroppedRepositoryError where the paths of a repository take more than they may, so far."""
    if num_bytes > MAX_PATHS_BYTES:
        raise DroppedRepositoryError(f"paths of more than {MAX_PATHS_BYTES:,} bytes", "repository_entries")


@contextmanager
def open_file(path: str) -> Iterator[BufferedReader]:
    """A regular file, never through a link. UnreadableEntryError where it is none any more, or may not be read."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableEntryError("no regular file any more")
            yield file
    except OSError as error:
        raise UnreadableEntryError(error.strerror or str(error)) from error


def read_file(path: str) -> bytes:
    """The content of `open_file(path)`."""
    with open_file(path) as file:
        return file.read()
