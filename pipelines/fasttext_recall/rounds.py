"""The rounds of recall: their settings, their files, and when they end (DeepSeekMath section 2.1)."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipelines import rows, storage
from pipelines.fasttext_recall import classifier
from pipelines.fasttext_recall.domains import Prefixes
from pipelines.stage import StageRun

MAX_ROUNDS = 4  # as many as DeepSeekMath made; DeepSeek-Coder-V2 made three


class FasttextRecallConfig(classifier.Hyperparameters):
    seeds: Prefixes = Prefixes()  # where pages about a topic are known to be
    marked: Prefixes = Prefixes()  # paths that a person marked in the related domains of an earlier run
    num_rounds: int = Field(3, ge=1, le=MAX_ROUNDS)
    stop_share: float = Field(0.98, gt=0, le=1)  # no further round once so many collected pages were known before
    max_examples: int = Field(500_000, gt=0)  # of each topic
    negatives_per_positive: float = Field(1.0, gt=0)
    min_score: float = Field(0.5, ge=0, le=1)
    max_share: float = Field(1.0, ge=0, le=1)  # at most this share of the pages is collected for a topic, best first
    related_share: float = Field(0.1, ge=0, le=1)
    section_share: float = Field(0.5, ge=0, le=1)  # 1.0: only what is `marked` counts


Run = StageRun[FasttextRecallConfig]


def path(run: Run, number: int, *parts: str) -> str:
    """A path in the folder of a round."""
    return run.path(f"round-{number}", *parts)


def result(run: Run, number: int) -> dict[str, Any]:
    """What the ranking of a round came to: `cutoffs`, `num_pages`, `num_collected`, `share_known`."""
    found: dict[str, Any] = storage.read_json(path(run, number, "result.json"))
    return found


def is_active(run: Run, number: int) -> bool:
    """Whether there is a round of that number: there are pages, it is asked for, and nothing had settled before."""
    if number > run.config.num_rounds or not run.ancestors["page_dedup"].counts.kept:
        return False
    if number == 1:
        return True
    return is_active(run, number - 1) and result(run, number - 1)["share_known"] < run.config.stop_share


def last(run: Run) -> int:
    """The number of the last round; 0 where there are no pages."""
    return max((number for number in range(1, MAX_ROUNDS + 1) if is_active(run, number)), default=0)


def tables(run: Run, number: int, what: str, shard: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The row groups of a shard of `examples` or `scores`."""
    return rows.tables(path(run, number, what, shard), columns)


def write(run: Run, number: int, name: str, table: pa.Table) -> None:
    with storage.replacing(path(run, number, name)) as stream:
        pq.write_table(table, stream, compression="zstd")


def read(run: Run, number: int, name: str) -> pa.Table:
    with storage.open_input(path(run, number, name)) as stream:
        return pq.read_table(stream)
