"""Wires decontamination: index the benchmark tasks that eval wrote, then search every file and page."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipelines import contract, storage
from pipelines.config import StageConfig
from pipelines.ngram_decontamination import index
from pipelines.ngram_decontamination.search import search
from pipelines.stage import Annotate, Kernel, Local, Stage, StageRun

TEXT_COLUMNS = ("prompt", "solution", "test")


class NgramDecontaminationConfig(StageConfig):
    benchmark_tasks: str = ""  # folder of BENCHMARK_TASK tables, as `python -m eval tasks` writes it
    gram_words: int = Field(10, gt=0)
    min_words: int = Field(3, gt=0)  # a text of 3 to 9 words is looked for as a whole; a shorter one is not
    search_tests: bool = False  # tests carry the problem seldom, and boilerplate often


def _tasks(config: NgramDecontaminationConfig) -> pa.Table:
    if not config.benchmark_tasks:
        raise ValueError(
            "config table [ngram_decontamination]: benchmark_tasks: got nothing; expected a folder that "
            "`python -m eval tasks --output FOLDER` wrote: a corpus that was not cleaned cannot be trusted"
        )
    found = [name for name in storage.names(config.benchmark_tasks) if name.endswith(".parquet")]
    if not found:
        raise FileNotFoundError(f"{config.benchmark_tasks}: no benchmark tasks; run `python -m eval tasks --output` it")
    tables = []
    for name in found:
        with storage.open_input(storage.join(config.benchmark_tasks, name)) as stream:
            tables.append(pq.read_table(stream))
    return pa.concat_tables(tables)


def _external(config: NgramDecontaminationConfig) -> dict[str, Any]:
    """The benchmarks, with the versions, that the corpus is cleaned against."""
    counted = _tasks(config).group_by(["benchmark", "version"]).aggregate([([], "count_all")]).to_pylist()
    named = [{"name": row["benchmark"], "version": row["version"], "num_tasks": row["count_all"]} for row in counted]
    return {"benchmarks": sorted(named, key=lambda row: row["name"])}


def _build_index(run: StageRun[NgramDecontaminationConfig]) -> None:
    columns = TEXT_COLUMNS if run.config.search_tests else TEXT_COLUMNS[:2]
    labels, texts = [], []
    for task in _tasks(run.config).sort_by([("benchmark", "ascending"), ("task_id", "ascending")]).to_pylist():
        for column in columns:
            labels.append((task["benchmark"], task["task_id"]))
            texts.append(task[column])
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
