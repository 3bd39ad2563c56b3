"""Wires the crawl: list the repositories of every source, then write shard by shard."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any

import pyarrow as pa
from pydantic import Field, field_validator

from pipelines import contract, progress
from pipelines.crawl import cache, files, listing, retry
from pipelines.crawl.carried import EarlierShard
from pipelines.crawl.limits import Limits
from pipelines.crawl.listing import Listed
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.crawl.sources.directory import DirectorySource
from pipelines.crawl.sources.git import GitSource
from pipelines.crawl.sources.github import GithubSource
from pipelines.crawl.sources.installed import InstalledSource
from pipelines.crawl.sources.source import each_path_once
from pipelines.crawl.sources.stack import StackSource
from pipelines.crawl.tally import Tally
from pipelines.stage import Local, Output, Stage, StageRun, Write

AnySource = Annotated[
    ArchiveSource | DirectorySource | GitSource | GithubSource | InstalledSource | StackSource,
    Field(discriminator="kind"),
]
LISTING = "repositories.parquet"


class CrawlConfig(Limits):
    sources: tuple[AnySource, ...] = Field(min_length=1)
    num_shards: int = Field(16, gt=0)  # a shard is best at 128 to 256 MB
    row_group_bytes: int = Field(32_000_000, gt=0)

    @field_validator("sources", mode="before")
    @classmethod
    def _are_several(cls, found: object) -> object:
        if isinstance(found, Mapping):
            raise ValueError("expected a list of tables: write [[crawl.sources]], with two brackets, above each source")
        if isinstance(found, list | tuple) and any(isinstance(one, Mapping) and "kind" not in one for one in found):
            raise ValueError('one has no `kind`; expected, for example, kind = "git": docs/sources.md has all of them')
        return found


def _external(config: CrawlConfig, run_folder: str) -> dict[str, Any]:
    with ThreadPoolExecutor(listing.NUM_THREADS) as threads:
        fingerprints = list(threads.map(lambda source: source.fingerprint(), config.sources))
    found = zip(config.sources, fingerprints, strict=True)
    sources = [{"kind": source.kind, "fingerprint": fingerprint} for source, fingerprint in found]
    return {"sources": sources} | retry.asked(run_folder)


def _list(run: StageRun[CrawlConfig]) -> None:
    folder, config = cache.folder_of(run.folder), run.config
    cache.remove_unfinished(folder)
    progress.forget(run)
    made_by = f"{run.stage.code_version} {config.model_dump_json(include=set(Limits.model_fields))}"
    listing.write(run.path(LISTING), list(config.sources), folder, config.num_shards, made_by)
    progress.count(run, "list", {"expected_repositories": listing.num_repositories(run.path(LISTING))})


def _schema(config: CrawlConfig) -> pa.Schema:
    return contract.FILE


def _shards(run: StageRun[CrawlConfig]) -> list[str]:
    count = run.config.num_shards
    return [f"files-{number:05}-of-{count:05}.parquet" for number in range(count)]


def _tables(run: StageRun[CrawlConfig]) -> Callable[[str], Iterator[Output]]:
    config, folder = run.config, cache.folder_of(run.folder)

    def tables(shard: str) -> Iterator[Output]:
        earlier, listed = EarlierShard(run.path(shard)), listing.read(run.path(LISTING), int(shard.split("-")[1]))
        counted = Tally(partial(progress.count, run, shard)).each(rows(one, earlier) for one in listed)
        return (("", table) for table in files.row_groups(counted, config.row_group_bytes))

    def rows(listed: Listed, earlier: EarlierShard) -> files.Rows:
        """Carried over where nothing has changed, else read."""
        repository, source = listed.repository, config.sources[listed.source]
        found = earlier.take(repository.name, listed.key, repository.num_stars) or files.batches(
            repository, lambda: each_path_once(source.entries(repository, config, folder)), config
        )
        return files.Rows(repository.name, listed.key, found)

    return tables


def _remove_unneeded(run: StageRun[CrawlConfig]) -> None:
    """Every shard is whole by now. What was carried over keeps its clone too: other limits read it again."""
    folder, listed = cache.folder_of(run.folder), listing.read_all(run.path(LISTING))
    needed = {run.config.sources[one.source].kept(one.repository, run.config) for one in listed}
    cache.remove_unfinished(folder)
    cache.remove_unneeded(folder, sorted(needed - {""}))


STAGE = Stage(
    name="crawl",
    reads={},
    writes=contract.FILE,
    reasons=(
        "binary",
        "broken_archive",
        "duplicate_path",
        "empty",
        "empty_repository",
        "encoding",
        "file_size",
        "gitignore",
        "hard_link",
        "licence",
        "lfs_pointer",
        "missing_blob",
        "not_regular",
        "path_length",
        "repository_entries",
        "repository_size",
        "submodule",
        "symlink",
        "unreadable",
        "unreadable_repository",
        "unsafe_path",
    ),
    config=CrawlConfig,
    packages=("chardet", "isal", "pathspec"),
    steps=(
        Local("repositories", _list),
        Write("files", _schema, _shards, _tables),
        Local("removed", _remove_unneeded),
    ),
    external=_external,
)
