"""Wires repository dedup: signatures, then whole repositories, then single files of those that stay, then verdicts."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from pipelines import contract, rows
from pipelines.near_duplicates import items, level
from pipelines.near_duplicates.level import Level
from pipelines.near_duplicates.stage import steps
from pipelines.repo_dedup import signatures, verdict
from pipelines.repo_dedup.signatures import RepoDedupConfig
from pipelines.stage import Annotate, Kernel, Output, Stage, StageRun, Write

REPOSITORIES = Level(
    name="repositories",
    id_column="repository",
    threshold_key="threshold",
    same_reasons=(),
    near_reason="near_duplicate_repository",
)
FILES = Level(
    name="files",
    id_column="file_id",
    threshold_key="file_threshold",
    same_reasons=("duplicate_file",),
    near_reason="near_duplicate_file",
    across_owners=True,
    after="repositories",
)
Run = StageRun[RepoDedupConfig]


def _external(config: RepoDedupConfig, run_folder: str) -> dict[str, Any]:
    return {"earlier": level.earlier_runs("repo_dedup", config)} if config.earlier else {}


def _schema(config: RepoDedupConfig) -> pa.Schema:
    return items.ITEM


def _shards(run: Run) -> list[str]:
    return run.shards


def _sign(run: Run) -> Callable[[str], Iterator[Output]]:
    def tables(shard: str) -> Iterator[Output]:
        for group in rows.row_groups(run, shard):
            repositories, files = signatures.sign(group.table, run.config)
            yield f"{REPOSITORIES.name}/items", repositories
            yield f"{FILES.name}/items", files

    return tables


def _kernel(run: Run) -> Kernel:
    repositories = level.Verdicts(REPOSITORIES, run)
    files = level.Verdicts(FILES, run)

    def annotate(table: pa.Table) -> pa.Table:
        of_repository, of_file = repositories.of(table), files.of(table)
        return level.annotation(verdict.of_files(table, of_repository, of_file, run.config.keep_dependencies))

    return annotate


STAGE = Stage(
    name="repo_dedup",
    reads={
        "crawl": ("file_id", "repository", "path", "num_stars", "size_bytes", "content"),
        "rule_filter": ("language",),
        "dependency_graph": ("dependencies",),
        "topological_sort": (),
    },
    writes=contract.REPO_DEDUP,
    reasons=(*REPOSITORIES.reasons, *FILES.reasons),
    config=RepoDedupConfig,
    steps=(
        Write("items", _schema, _shards, _sign, (f"{REPOSITORIES.name}/items", f"{FILES.name}/items"), ".arrow"),
        *steps(REPOSITORIES),
        *steps(FILES),
        Annotate(_kernel, without=("content",)),
    ),
    packages=("numpy", "datasketch"),
    external=_external,
)
