"""Wires the last join: living rows in, documents out, one file per split for every shard of text."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pydantic import Field

from pipelines import contract, rows
from pipelines.config import StageConfig
from pipelines.parquet_shards import assemble
from pipelines.parquet_shards.split import split_of
from pipelines.stage import Output, Stage, StageRun, Write


class ParquetShardsConfig(StageConfig):
    validation_share: float = Field(0.02, ge=0, lt=1)  # of the repositories and domains
    seed: int = 0


def _schema(config: ParquetShardsConfig) -> pa.Schema:
    return contract.DOCUMENT


def _shards(run: StageRun[ParquetShardsConfig]) -> list[str]:
    return run.shards


def _tables(run: StageRun[ParquetShardsConfig]) -> Callable[[str], Iterator[Output]]:
    def tables(shard: str) -> Iterator[Output]:
        is_code = rows.family(shard) == "files"
        for group in rows.row_groups(run, shard):
            yield from split_documents(group.table.to_pylist(), is_code, run.config)

    return tables


def split_documents(living: list[dict[str, Any]], is_code: bool, config: ParquetShardsConfig) -> Iterator[Output]:
    """The documents of one row group, as one table per split."""
    owner = "repository" if is_code else "domain"
    for split in contract.SPLITS:
        chosen = [row for row in living if split_of(row[owner], config.validation_share, config.seed) == split]
        found = assemble.documents(chosen) if is_code else assemble.pages(chosen)
        yield split, pa.Table.from_pylist(found, contract.DOCUMENT)


STAGE = Stage(
    name="parquet_shards",
    reads={
        "crawl": ("file_id", "repository", "revision", "path", "license", "content"),
        "rule_filter": ("language",),
        "topological_sort": ("sample", "position"),
        "web_crawl": ("page_id", "url", "domain", "fetched_at", "content"),
        "fasttext_recall": ("topic",),
        "ngram_decontamination": (),
    },
    writes=contract.DOCUMENT,
    reasons=(),
    config=ParquetShardsConfig,
    steps=(Write("documents", _schema, _shards, _tables, outputs=contract.SPLITS),),
)
