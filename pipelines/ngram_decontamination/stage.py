"""Wires decontamination: index the benchmark tasks that eval wrote, then search every file and page."""

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from pipelines import contract, storage
from pipelines.config import StageConfig
from pipelines.ngram_decontamination import index, tasks
from pipelines.ngram_decontamination.search import annotate
from pipelines.stage import Annotate, Kernel, Local, Stage, StageRun


class NgramDecontaminationConfig(StageConfig):
    # Folder of BENCHMARK_TASK tables, as `python -m eval tasks` writes it; by default `benchmark_tasks` of the run.
    benchmark_tasks: str = ""
    gram_words: int = Field(10, gt=0)
    min_words: int = Field(3, gt=0)  # a text of 3 to 9 words is looked for as a whole; a shorter one is not
    search_tests: bool = False  # tests carry the problem seldom, and boilerplate often

    @model_validator(mode="after")
    def _finds_something(self) -> "NgramDecontaminationConfig":
        if self.min_words > self.gram_words:
            raise ValueError(
                f"min_words {self.min_words} > gram_words {self.gram_words} would leave nothing to look for"
            )
        return self


def _folder(config: NgramDecontaminationConfig, run_folder: str) -> str:
    return config.benchmark_tasks or storage.join(run_folder, "benchmark_tasks")


def _external(config: NgramDecontaminationConfig, run_folder: str) -> dict[str, Any]:
    return {"benchmarks": tasks.versions(tasks.read(_folder(config, run_folder)))}


def _build_index(run: StageRun[NgramDecontaminationConfig]) -> None:
    labels, texts = tasks.texts(tasks.read(_folder(run.config, run.run_folder)), run.config.search_tests)
    index.build(labels, texts, run.config.gram_words, run.config.min_words).save(Path(run.path("index")))


def _kernel(run: StageRun[NgramDecontaminationConfig]) -> Kernel:
    loaded = index.Index.load(Path(run.path("index")))
    return lambda table: annotate(table, loaded)


STAGE = Stage(
    name="ngram_decontamination",
    reads={"crawl": ("content",), "quality_screen": (), "web_crawl": ("content",), "fasttext_recall": ()},
    writes=contract.NGRAM_DECONTAMINATION,
    reasons=("benchmark_ngram",),
    config=NgramDecontaminationConfig,
    steps=(Local("index", _build_index), Annotate(_kernel)),
    external=_external,
)
