"""Wires decontamination: index the benchmark tasks that eval wrote, then search every file and page."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from pipelines import contract, rows, storage
from pipelines.config import StageConfig
from pipelines.ngram_decontamination import index
from pipelines.ngram_decontamination.search import search
from pipelines.stage import Annotate, Kernel, Local, Stage, StageRun

TEXT_COLUMNS = ("prompt", "solution", "test")


class NgramDecontaminationConfig(StageConfig):
    # Folder of BENCHMARK_TASK tables, as `python -m eval tasks` writes it; by default `benchmark_tasks` of the run.
    benchmark_tasks: str = ""
    gram_words: int = Field(10, gt=0)
    min_words: int = Field(3, gt=0)  # a text of 3 to 9 words is looked for as a whole; a shorter one is not
    search_tests: bool = False  # tests carry the problem seldom, and boilerplate often


def _tasks(config: NgramDecontaminationConfig, run_folder: str) -> pa.Table:
    """The rows of every BENCHMARK_TASK table; FileNotFoundError where there is none."""
    folder = config.benchmark_tasks or storage.join(run_folder, "benchmark_tasks")
    found = [name for name in storage.names(folder) if name.endswith(".parquet")]
    if not found:
        raise FileNotFoundError(
            f"{folder}: no benchmark tasks, and a corpus that was not cleaned cannot be trusted; "
            f"run `python -m eval tasks --output {folder}` first"
        )
    return pa.concat_tables(
        table for name in found for table in rows.tables(storage.join(folder, name), contract.BENCHMARK_TASK.names)
    )


def _external(config: NgramDecontaminationConfig, run_folder: str) -> dict[str, Any]:
    """The benchmarks, with the versions, that the corpus is cleaned against."""
    counted = _tasks(config, run_folder).group_by(["benchmark", "version"]).aggregate([([], "count_all")]).to_pylist()
    named = [{"name": row["benchmark"], "version": row["version"], "num_tasks": row["count_all"]} for row in counted]
    return {"benchmarks": sorted(named, key=lambda row: row["name"])}


def _build_index(run: StageRun[NgramDecontaminationConfig]) -> None:
    columns = TEXT_COLUMNS if run.config.search_tests else TEXT_COLUMNS[:2]
    tasks = (
        _tasks(run.config, run.run_folder).sort_by([("benchmark", "ascending"), ("task_id", "ascending")]).to_pylist()
    )
    labels = [(task["benchmark"], task["task_id"]) for task in tasks for _ in columns]
    texts = [task[column] for task in tasks for column in columns]
    index.build(labels, texts, run.config.gram_words, run.config.min_words).save(Path(run.path("index")))


def _kernel(run: StageRun[NgramDecontaminationConfig]) -> Kernel:
    loaded = index.Index.load(Path(run.path("index")))
    return lambda table: annotate(table, loaded)


def annotate(table: pa.Table, loaded: index.Index) -> pa.Table:
    """A table of `content` to the first gram that each text shares with a benchmark."""
    hits = search(table.column("content").combine_chunks(), loaded)
    columns = {
        "reason": ["benchmark_ngram" if hit else None for hit in hits],
        "detail": [f"shares {hit.ngram!r} with {hit.benchmark} {hit.task_id}" if hit else "" for hit in hits],
        "benchmark": [hit.benchmark if hit else "" for hit in hits],
        "task_id": [hit.task_id if hit else "" for hit in hits],
        "ngram": [hit.ngram if hit else "" for hit in hits],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


STAGE = Stage(
    name="ngram_decontamination",
    reads={"crawl": ("content",), "quality_screen": (), "web_crawl": ("content",), "fasttext_recall": ()},
    writes=contract.NGRAM_DECONTAMINATION,
    reasons=("benchmark_ngram",),
    config=NgramDecontaminationConfig,
    steps=(Local("index", _build_index), Annotate(_kernel)),
    external=_external,
)
