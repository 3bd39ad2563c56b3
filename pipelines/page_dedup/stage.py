"""Wires page dedup: signatures, then addresses, texts and near-duplicates at once, then verdicts."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from pipelines import contract, rows
from pipelines.near_duplicates import items, level
from pipelines.near_duplicates.level import Level
from pipelines.near_duplicates.stage import steps
from pipelines.page_dedup import signatures
from pipelines.page_dedup.signatures import PageDedupConfig
from pipelines.stage import Annotate, Kernel, Output, Stage, StageRun, Write

PAGES = Level(
    name="pages",
    id_column="page_id",
    threshold_key="threshold",
    same_reasons=("duplicate_url", "duplicate_page"),
    near_reason="near_duplicate_page",
)
Run = StageRun[PageDedupConfig]


def _external(config: PageDedupConfig, run_folder: str) -> dict[str, Any]:
    return {"earlier": level.earlier_runs("page_dedup", config)} if config.earlier else {}


def _schema(config: PageDedupConfig) -> pa.Schema:
    return items.ITEM


def _shards(run: Run) -> list[str]:
    return run.shards


def _sign(run: Run) -> Callable[[str], Iterator[Output]]:
    def tables(shard: str) -> Iterator[Output]:
        for group in rows.row_groups(run, shard):
            yield f"{PAGES.name}/items", signatures.sign(group.table, run.config)

    return tables


def _kernel(run: Run) -> Kernel:
    pages = level.Verdicts(PAGES, run)
    return lambda table: level.annotation(pages.of(table))


STAGE = Stage(
    name="page_dedup",
    reads={"web_crawl": ("page_id", "url", "size_bytes", "content")},
    writes=contract.PAGE_DEDUP,
    reasons=PAGES.reasons,
    config=PageDedupConfig,
    steps=(
        Write("items", _schema, _shards, _sign, (f"{PAGES.name}/items",), ".arrow"),
        *steps(PAGES),
        Annotate(_kernel, without=("content",)),
    ),
    packages=("numpy", "datasketch"),
    external=_external,
)
