"""Wires the recall: rounds of examples, classifier, scores, ranking and domain counts, and then the verdicts."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa

from pipelines import contract
from pipelines.fasttext_recall import collection, domains, examples, ranking, rounds, verdict
from pipelines.fasttext_recall.rounds import MAX_ROUNDS, FasttextRecallConfig, Run
from pipelines.stage import Annotate, Local, Output, Shuffle, Stage, Step, Write

Tables = Callable[[str], Iterator[Output]]


def _steps(number: int) -> tuple[Step[FasttextRecallConfig], ...]:
    """The steps of one round. Where it is not asked for, or not needed any more, they do nothing."""
    return (
        _write(number, "examples", examples.EXAMPLE, examples.write),
        Local(f"round-{number}/classifier", partial(_if_active, examples.train, number)),
        _write(number, "scores", ranking.SCORED, collection.score),
        Local(f"round-{number}/ranking", partial(_if_active, collection.rank, number)),
        Shuffle(f"round-{number}/domains", f"round-{number}/domains", partial(_build_domains, number)),
        Local(f"round-{number}/related", partial(_if_active, collection.relate, number)),
    )


def _write(
    number: int, what: str, schema: pa.Schema, tables: Callable[[Run, int], Tables]
) -> Write[FasttextRecallConfig]:
    name = f"round-{number}/{what}"
    return Write(name, lambda config: schema, partial(_shards, number), lambda run: tables(run, number), (name,))


def _shards(number: int, run: Run) -> list[str]:
    return run.shards if rounds.is_active(run, number) else []


def _if_active(work: Callable[[Run, int], None], number: int, run: Run) -> None:
    if rounds.is_active(run, number):
        work(run, number)


def _build_domains(number: int, pipeline: Any, run: Run) -> None:
    import apache_beam as beam
    from apache_beam.transforms.combiners import TupleCombineFn

    if not rounds.is_active(run, number):
        return
    _ = (
        pipeline
        | "shards" >> beam.Create(run.shards)
        | "spread over workers" >> beam.Reshuffle()
        | "count" >> beam.FlatMap(lambda shard: collection.domain_counts(run, number, shard).items())
        | "sum" >> beam.CombinePerKey(TupleCombineFn(sum, sum, sum))
        | "rows" >> beam.Map(lambda item: dict(zip(domains.COUNTED.names, (*item[0], *item[1]), strict=True)))
        | "write" >> beam.io.WriteToParquet(rounds.path(run, number, "domains", "domains"), domains.COUNTED)
    )


STAGE = Stage(
    name="fasttext_recall",
    reads={"web_crawl": ("page_id", "url", "domain", "content"), "page_dedup": ()},
    writes=contract.FASTTEXT_RECALL,
    reasons=("not_recalled",),
    config=FasttextRecallConfig,
    steps=(*(step for number in range(1, MAX_ROUNDS + 1) for step in _steps(number)), Annotate(verdict.kernel)),
    packages=("fasttext-community", "tokenizers"),
)
