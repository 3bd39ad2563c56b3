"""From the bytes of an entry to a row of the FILE table: identity, decoding, and what is dropped already here."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from pipelines import contract
from pipelines.config import StageConfig
from pipelines.crawl.sources.source import Entry, Repository, UnreadableEntryError

BYTE_ORDER_MARK = "\ufeff"


class Limits(StageConfig):
    max_file_bytes: int = 1_000_000
    max_repository_bytes: int = 256_000_000  # a file that would pass this, in the order of paths, is dropped


def file_id(repository: str, revision: str, path: str) -> str:
    """20 hex digits that stay the same in every crawl of that revision."""
    return hashlib.blake2b("\0".join((repository, revision, path)).encode(), digest_size=10).hexdigest()


def decode(content: bytes) -> tuple[str, str | None, str]:
    """(text, reason, detail): the text of UTF-8 bytes, with or without a byte order mark, or why there is none."""
    if b"\0" in content:
        return "", "binary", f"NUL at byte {content.index(0)}"
    try:
        text = content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        return "", "encoding", f"no UTF-8 at byte {error.start}"
    if not text.strip():
        return "", "empty", f"{len(content)} bytes, all white space"
    return text, None, ""


def rows(repository: Repository, entries: Iterable[Entry], limits: Limits) -> Iterator[dict[str, Any]]:
    """The rows of one repository, in the order of its entries."""
    used_bytes = 0
    for entry in entries:
        text, reason, detail = _content(entry, limits, used_bytes)
        used_bytes += 0 if reason else entry.size_bytes
        yield {
            "file_id": file_id(repository.name, repository.revision, entry.path),
            "repository": repository.name,
            "revision": repository.revision,
            "path": entry.path,
            "license": repository.license,
            "num_stars": repository.num_stars,
            "size_bytes": entry.size_bytes,
            "content": text,
            "reason": reason,
            "detail": detail,
        }


def _content(entry: Entry, limits: Limits, used_bytes: int) -> tuple[str, str | None, str]:
    if entry.reason:
        return "", entry.reason, entry.detail
    if entry.size_bytes > limits.max_file_bytes:
        return "", "file_size", f"{entry.size_bytes} > {limits.max_file_bytes}"
    if used_bytes + entry.size_bytes > limits.max_repository_bytes:
        return "", "repository_size", f"{used_bytes + entry.size_bytes} > {limits.max_repository_bytes}"
    try:
        return decode(entry.read())
    except UnreadableEntryError as error:
        return "", "unreadable", str(error)


def row_groups(repositories: Iterable[Iterable[dict[str, Any]]], target_bytes: int) -> Iterator[pa.Table]:
    """Tables of about `target_bytes` of text, cut between repositories only."""
    waiting: list[dict[str, Any]] = []
    waiting_bytes = 0
    for repository in repositories:
        for row in repository:
            waiting.append(row)
            waiting_bytes += 0 if row["reason"] else row["size_bytes"]
        if waiting_bytes >= target_bytes:
            yield pa.Table.from_pylist(waiting, contract.FILE)
            waiting, waiting_bytes = [], 0
    if waiting:
        yield pa.Table.from_pylist(waiting, contract.FILE)
