"""Wires repository dedup: signatures per shard, band keys through the only shuffle, clusters in one process."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipelines import contract, rows, storage
from pipelines.config import StageConfig
from pipelines.repo_dedup import buckets, clusters, signatures
from pipelines.stage import Annotate, Kernel, Local, Output, Shuffle, Stage, StageRun, Write


class RepoDedupConfig(StageConfig):
    threshold: float = Field(0.85, gt=0, le=1)  # Jaccard similarity from which two repositories are near-duplicates
    shingle_words: int = Field(5, gt=0)
    num_permutations: int = Field(128, ge=16)
    seed: int = 0
    all_pairs_bucket: int = Field(64, ge=2)  # in a larger bucket each member is compared with the first one only


Run = StageRun[RepoDedupConfig]


def _schema(config: RepoDedupConfig) -> pa.Schema:
    return signatures.schema(config.num_permutations)


def _shards(run: Run) -> list[str]:
    return run.shards


def _sign(run: Run) -> Callable[[str], Iterator[Output]]:
    settings = run.config.shingle_words, run.config.num_permutations, run.config.seed

    def tables(shard: str) -> Iterator[Output]:
        for group in rows.row_groups(run, shard):
            yield "signatures", signatures.sign(group.table, *settings)

    return tables


def _build_pairs(pipeline: Any, run: Run) -> None:
    import apache_beam as beam

    _ = (
        pipeline
        | "signature shards" >> beam.Create([run.path("signatures", shard) for shard in run.shards])
        | "signatures" >> beam.FlatMap(rows.tables, ["repository", "num_shingles", "signature"])
        | "band keys" >> beam.FlatMap(buckets.keys, run.config.threshold)
        | "buckets" >> beam.GroupByKey()
        | "names" >> beam.Values()
        | "pairs" >> beam.FlatMap(buckets.pairs, run.config.all_pairs_bucket)
        | "once" >> beam.Distinct()
        | "rows" >> beam.Map(lambda pair: dict(zip(buckets.PAIR.names, pair, strict=True)))
        | "write" >> beam.io.WriteToParquet(run.path("pairs", "pairs"), buckets.PAIR)
    )


def _decide(run: Run) -> None:
    columns = ["repository", "num_stars", "size_bytes", "signature"]
    signed = (table for shard in run.shards for table in rows.tables(run.path("signatures", shard), columns))
    urls = [run.path("pairs", name) for name in storage.names(run.path("pairs"))]
    pairs = [(row["one"], row["other"]) for url in urls for table in rows.tables(url, buckets.PAIR.names)
             for row in table.to_pylist()]  # fmt: skip
    found = clusters.duplicates(signatures.candidates(signed), pairs, run.config.threshold)
    with storage.replacing(run.path("duplicates.parquet")) as stream:
        pq.write_table(clusters.duplicate_table(found), stream)


def _kernel(run: Run) -> Kernel:
    columns = clusters.DUPLICATE.names
    found = next(rows.tables(run.path("duplicates.parquet"), columns), clusters.DUPLICATE.empty_table())
    keepers = {row["repository"]: (row["keeper"], row["similarity"]) for row in found.to_pylist()}
    return lambda files: clusters.annotate(files, keepers)


STAGE = Stage(
    name="repo_dedup",
    reads={"crawl": ("repository", "num_stars", "size_bytes", "content"), "topological_sort": ()},
    writes=contract.REPO_DEDUP,
    reasons=("near_duplicate_repository",),
    config=RepoDedupConfig,
    steps=(
        Write("signatures", _schema, _shards, _sign, outputs=("signatures",)),
        Shuffle("pairs", "pairs", _build_pairs),
        Local("clusters", _decide),
        Annotate(_kernel),
    ),
    packages=("numpy", "datasketch"),
)
