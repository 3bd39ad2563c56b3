"""From the bytes of an entry to a row of the FILE table: identity, decoding, and what is dropped already here."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import contract
from pipelines.crawl import carried, encodings
from pipelines.crawl.encodings import Decoded
from pipelines.crawl.licences.repository import licence_of, may_tell
from pipelines.crawl.limits import Limits
from pipelines.crawl.paths import is_safe
from pipelines.crawl.sources.source import DroppedRepositoryError, Entry, Repository, UnreadableEntryError
from pipelines.rows import NOTE_KEY

LFS_POINTERS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
VISIBLE = re.compile(rb"[!-~]")  # in nearly every file that is not white space: so few are looked at further
WHOLE = "."  # the path of the one row of a repository that could not be taken


def file_id(repository: str, revision: str, path: str) -> str:
    """20 hex digits that stay the same in every crawl of that revision."""
    return hashlib.blake2b("\0".join((repository, revision, path)).encode(), digest_size=10).hexdigest()


def decode(content: bytes, declared: str = "") -> Decoded:
    """The text, or why the file is dropped for what is in it."""
    found = encodings.decode(content, declared)
    if found.reason:
        return found
    if not VISIBLE.search(found.content) and found.content.decode().strip() == "":
        return Decoded(b"", "", "empty", f"{len(content)} bytes, all white space")
    if content.startswith(LFS_POINTERS):
        return Decoded(b"", "", "lfs_pointer", "the file itself is in Git LFS")
    return found


class Row(NamedTuple):
    """What is a file's own in its row of the FILE table; the rest is its repository's."""

    path: str
    size_bytes: int
    found: Decoded


def rows(entries: Iterable[Entry], limits: Limits) -> Iterator[Row]:
    """The rows of one repository, in the order of its entries."""
    used_bytes = 0
    for entry in entries:
        found = _decoded(entry, limits, used_bytes)
        used_bytes += 0 if found.reason else entry.size_bytes
        yield Row(entry.path[: limits.max_path_bytes], entry.size_bytes, found)


def _decoded(entry: Entry, limits: Limits, used_bytes: int) -> Decoded:
    if why := _why_unread(entry, limits, used_bytes):
        return Decoded(b"", "", *why)
    try:
        return decode(entry.read(), entry.encoding)
    except UnreadableEntryError as error:
        return Decoded(b"", "", "unreadable", str(error))


def _why_unread(entry: Entry, limits: Limits, used_bytes: int) -> tuple[str, str] | None:
    """(reason, detail) where the bytes are not even asked for."""
    if len(entry.path.encode()) > limits.max_path_bytes:
        return "path_length", f"{len(entry.path.encode())} > {limits.max_path_bytes}"
    if not is_safe(entry.path):
        return "unsafe_path", entry.path[:200]
    if entry.reason:
        return entry.reason, entry.detail
    if entry.size_bytes > limits.max_file_bytes:
        return "file_size", f"{entry.size_bytes} > {limits.max_file_bytes}"
    if used_bytes + entry.size_bytes > limits.max_repository_bytes:
        return "repository_size", f"{used_bytes + entry.size_bytes} > {limits.max_repository_bytes}"
    return None


def batches(repository: Repository, entries: Callable[[], Iterable[Entry]], limits: Limits) -> list[pa.RecordBatch]:
    """The rows of one repository; one row that says why, where it cannot be taken as a whole."""
    try:
        if repository.reason:
            raise DroppedRepositoryError(repository.detail, repository.reason)
        if repository.license:
            _check_licence(repository.license, limits)
        if found := list(_batches(repository, rows(entries(), limits))):
            return found if repository.license else _licensed(found, limits)
        raise DroppedRepositoryError("no file", "empty_repository")
    except DroppedRepositoryError as error:
        return [_batch(repository, [Row(WHOLE, 0, Decoded(b"", "", error.reason, str(error)))])]


def _check_licence(license_: str, limits: Limits) -> None:
    if limits.licences.refuse(license_):
        raise DroppedRepositoryError(license_ or "unknown", "licence")


def _licensed(found: list[pa.RecordBatch], limits: Limits) -> list[pa.RecordBatch]:
    """The rows of a repository with the licence that its own files state, wherever among them these were."""
    license_ = licence_of(_texts_of_licences(found))
    _check_licence(license_, limits)
    return carried.filled(found, "license", license_)


def _texts_of_licences(found: list[pa.RecordBatch]) -> Iterator[tuple[str, str]]:
    """(path, text) of the files that may tell of a licence and were kept."""
    for batch in found:
        for row, path in enumerate(batch.column("path").to_pylist()):
            if may_tell(path) and not batch.column("reason")[row].is_valid:
                yield path, batch.column("content")[row].as_py()


def _batches(repository: Repository, found: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    for some in carried.split(found, lambda row: len(row.found.content)):
        yield _batch(repository, some)


def _batch(repository: Repository, found: list[Row]) -> pa.RecordBatch:
    """The rows as columns. Texts were found to be UTF-8, and never become Python's strings."""
    paths, sizes, decoded = zip(*found, strict=True)
    contents, codecs, reasons, details = zip(*decoded, strict=True)
    columns = {
        "file_id": [file_id(repository.name, repository.revision, path) for path in paths],
        "repository": [repository.name] * len(found),
        "revision": [repository.revision] * len(found),
        "path": paths,
        "license": [repository.license] * len(found),
        "num_stars": [repository.num_stars] * len(found),
        "size_bytes": sizes,
        "encoding": codecs,
        "content": _joined(contents),
        "reason": reasons,
        "detail": details,
    }
    arrays = [pa.array(columns[field.name], field.type) for field in contract.FILE]
    return pa.RecordBatch.from_arrays(arrays, schema=contract.FILE)


def _joined(texts: Sequence[bytes]) -> pa.LargeStringArray:
    """`texts`, each of which is UTF-8, as a column, without a byte to spare."""
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


class Rows(NamedTuple):
    """The rows of a repository, and the key that stands for them in the list of repositories."""

    repository: str
    key: str
    batches: list[pa.RecordBatch]


def row_groups(repositories: Iterable[Rows], target_bytes: int) -> Iterator[pa.Table]:
    """Tables of about `target_bytes` of text, cut between repositories only, each with the keys of what is in it."""
    waiting: list[Rows] = []
    waiting_bytes = 0
    for repository in repositories:
        waiting.append(repository)
        waiting_bytes += sum(kept_bytes(batch) for batch in repository.batches)
        if waiting_bytes >= target_bytes:
            yield _table(waiting)
            waiting, waiting_bytes = [], 0
    if waiting:
        yield _table(waiting)


def _table(found: list[Rows]) -> pa.Table:
    keys = {one.repository: one.key for one in found if one.key and not carried.is_tried_again(one.batches)}
    batches = [batch for one in found for batch in one.batches]
    return pa.Table.from_batches(batches).replace_schema_metadata({NOTE_KEY: json.dumps(keys)})


def kept_bytes(batch: pa.RecordBatch) -> int:
    """The bytes of the files that were not dropped."""
    found: int = pc.sum(batch.column("size_bytes").filter(batch.column("reason").is_null())).as_py() or 0
    return found
