"""The list of repositories of a crawl: which there are, which shard each goes to, and which could not be read."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import contract, storage
from pipelines.crawl.sources.source import Repository, Source

LOG = logging.getLogger("pipelines")
NUM_THREADS = 16
# What a source states of a repository: columns of the list, and what decides the rows of the repository.
STATED = (
    "revision", "license", "num_stars", "location", "reason", "detail", "default_branch", "fork_of", "topics",
    "created_at",
)  # fmt: skip
DECISIVE = ("name", "revision", "digest", "license")  # stars come from the new list


def write(url: str, sources: list[Source], cache_folder: str, num_shards: int, made_by: str) -> None:
    """Lists every source and writes a REPOSITORY table, sorted by name. ValueError where two have one name.

    `made_by` stands for the code and the limits that decide the rows of every repository.
    """
    with ThreadPoolExecutor(NUM_THREADS) as threads:  # listing is waiting for servers
        listed = list(threads.map(lambda source: list(source.repositories(cache_folder)), sources))
    found = _each_once(
        (repository, number) for number, repositories in enumerate(listed) for repository in repositories
    )
    for repository, _ in found:
        if repository.reason:
            LOG.warning("crawl: %s: %s %s", repository.name, repository.reason, repository.detail)
    table = pa.Table.from_pylist(
        [_row(*pair, num_shards) | {"key": key(pair[0], sources[pair[1]], made_by)} for pair in found],
        contract.REPOSITORY,
    )
    with storage.replacing(url) as stream:
        pq.write_table(table, stream, compression="zstd")


def _each_once(listed: Iterable[tuple[Repository, int]]) -> list[tuple[Repository, int]]:
    """By name. Of one repository in several sources, two searches for example, the first source counts."""
    found: dict[str, tuple[Repository, int]] = {}
    num_again = 0
    for repository, number in listed:
        first, _ = found.setdefault(repository.name, (repository, number))
        if (first.location, first.revision) != (repository.location, repository.revision):
            both = " and ".join(f"{one.location} {one.revision}".strip() for one in (first, repository))
            raise ValueError(
                f"crawl: two repositories are named {first.name!r}, {both}; a name is that of one: leave one out, or "
                "rename it (`name` of a git source, the file of an archive, the folder)"
            )
        num_again += first is not repository
    if num_again:
        LOG.info("crawl: %d repositories are in the list already, by an earlier source, which counts", num_again)
    return [found[name] for name in sorted(found)]


def _row(repository: Repository, source: int, num_shards: int) -> dict[str, object]:
    return {"repository": repository.name, "source": source, "shard": shard_of(repository.name, num_shards)} | {
        name: getattr(repository, name) for name in STATED
    }


def key(repository: Repository, source: Source, made_by: str) -> str:
    """The same where all that decides its rows, but the number of stars, is the same; empty where nobody can say."""
    if repository.reason or not (repository.revision or repository.digest):
        return ""
    settings = {name: getattr(source, name) for name in source.ROW_SETTINGS}
    what = {name: getattr(repository, name) for name in DECISIVE}
    parts = json.dumps([made_by, type(source).__name__, settings, what], sort_keys=True, default=str)
    return hashlib.blake2b(parts.encode(), digest_size=10).hexdigest()


def shard_of(name: str, num_shards: int) -> int:
    """The shard of a repository depends on its name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % num_shards


def num_repositories(url: str) -> int:
    with storage.open_input(url) as stream:
        return int(pq.read_metadata(stream).num_rows)


class Listed(NamedTuple):
    """A repository of the list."""

    repository: Repository
    source: int  # its place among the sources
    key: str


def read(url: str, shard: int) -> Iterator[Listed]:
    """The repositories of one shard, by name."""
    with storage.open_input(url) as stream:
        yield from _repositories(pq.read_table(stream, filters=[("shard", "=", shard)]))


def read_all(url: str) -> Iterator[Listed]:
    """The repositories of every shard, by name; few are in memory at a time."""
    with storage.open_input(url) as stream:
        for batch in pq.ParquetFile(stream).iter_batches():
            yield from _repositories(batch)


def _repositories(rows: pa.Table | pa.RecordBatch) -> Iterator[Listed]:
    for row in rows.to_pylist():
        stated = {name: row[name] for name in STATED} | {"topics": tuple(row["topics"])}
        yield Listed(Repository(name=row["repository"], **stated), row["source"], row["key"])
