"""Wires the crawl: list the repositories of every source, then write shard by shard."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pyarrow as pa
from pydantic import Field

from pipelines import contract
from pipelines.crawl import files, listing
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.crawl.sources.directory import DirectorySource
from pipelines.crawl.sources.git import GitSource
from pipelines.crawl.sources.installed import InstalledSource
from pipelines.stage import Local, Output, Stage, StageRun, Write

AnySource = Annotated[ArchiveSource | DirectorySource | GitSource | InstalledSource, Field(discriminator="kind")]
LISTING = "repositories.parquet"


class CrawlConfig(files.Limits):
    sources: tuple[AnySource, ...] = Field(min_length=1)
    num_shards: int = Field(16, gt=0)  # a shard is best at 128 to 256 MB
    row_group_bytes: int = Field(32_000_000, gt=0)


def _external(config: CrawlConfig, run_folder: str) -> dict[str, Any]:
    return {"sources": [{"kind": source.kind, "fingerprint": source.fingerprint()} for source in config.sources]}


def _list(run: StageRun[CrawlConfig]) -> None:
    listing.write(run.path(LISTING), list(run.config.sources), run.path("git"), run.config.num_shards)


def _schema(config: CrawlConfig) -> pa.Schema:
    return contract.FILE


def _shards(run: StageRun[CrawlConfig]) -> list[str]:
    count = run.config.num_shards
    return [f"files-{number:05}-of-{count:05}.parquet" for number in range(count)]


def _tables(run: StageRun[CrawlConfig]) -> Callable[[str], Iterator[Output]]:
    def tables(shard: str) -> Iterator[Output]:
        listed = listing.read(run.path(LISTING), int(shard.split("-")[1]))
        repositories = (
            files.rows(repository, run.config.sources[source].entries(repository), run.config)
            for repository, source in listed
        )
        return (("", table) for table in files.row_groups(repositories, run.config.row_group_bytes))

    return tables


STAGE = Stage(
    name="crawl",
    reads={},
    writes=contract.FILE,
    reasons=(
        "binary",
        "broken_archive",
        "duplicate_path",
        "empty",
        "encoding",
        "file_size",
        "hard_link",
        "not_regular",
        "repository_size",
        "submodule",
        "symlink",
        "unreadable",
        "unsafe_path",
    ),
    config=CrawlConfig,
    steps=(Local("repositories", _list), Write("files", _schema, _shards, _tables)),
    external=_external,
)
