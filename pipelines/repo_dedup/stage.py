"""Wires repository dedup: signatures per shard, band keys through the only shuffle, clusters in one process."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipelines import contract, rows, storage
from pipelines.config import StageConfig
from pipelines.repo_dedup import clusters, minhash
from pipelines.stage import Annotate, Kernel, Local, Output, Shuffle, Stage, StageRun, Write

PAIR = pa.schema([("one", pa.string()), ("other", pa.string())])
DUPLICATE = pa.schema([("repository", pa.string()), ("keeper", pa.string()), ("similarity", pa.float32())])


class RepoDedupConfig(StageConfig):
    threshold: float = Field(0.85, gt=0, le=1)  # Jaccard similarity from which two repositories are near-duplicates
    shingle_words: int = Field(5, gt=0)
    num_permutations: int = Field(128, ge=16)
    seed: int = 0
    all_pairs_bucket: int = Field(64, ge=2)  # in a larger bucket each member is compared with the first one only


def _schema(config: RepoDedupConfig) -> pa.Schema:
    return pa.schema(
        [
            pa.field("repository", pa.string(), nullable=False),
            pa.field("num_stars", pa.int32(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("num_shingles", pa.int64(), nullable=False),
            pa.field("signature", pa.list_(pa.uint64(), config.num_permutations), nullable=False),
        ]
    )


def _signatures(run: StageRun[RepoDedupConfig]) -> Callable[[str], Iterator[Output]]:
    config = run.config

    def tables(shard: str) -> Iterator[Output]:
        for group in rows.row_groups(run, shard):
            yield "signatures", signature_table(group.table, config)

    return tables


def signature_table(files: pa.Table, config: RepoDedupConfig) -> pa.Table:
    """One row per repository, in the order in which the files have them."""
    repositories = files.column("repository").combine_chunks().dictionary_encode()
    owners = repositories.indices.to_numpy().astype(np.int64)
    names = repositories.dictionary
    found, num_shingles = minhash.signatures(
        files.column("content").combine_chunks(), owners, len(names), config.shingle_words, config.num_permutations,
        config.seed,
    )  # fmt: skip
    stars, sizes = np.zeros(len(names), np.int32), np.zeros(len(names), np.int64)
    np.maximum.at(stars, owners, files.column("num_stars").to_numpy())
    np.add.at(sizes, owners, files.column("size_bytes").to_numpy())
    signature = pa.FixedSizeListArray.from_arrays(pa.array(found.reshape(-1)), config.num_permutations)
    columns = [names, pa.array(stars), pa.array(sizes), pa.array(num_shingles), signature]
    return pa.Table.from_arrays(columns, schema=_schema(config))


def _build_pairs(pipeline: Any, run: StageRun[RepoDedupConfig]) -> None:
    import apache_beam as beam

    urls = [run.path("signatures", shard) for shard in run.shards]
    _ = (
        pipeline
        | "signature shards" >> beam.Create(urls)
        | "band keys" >> beam.FlatMap(_band_keys, run.config)
        | "buckets" >> beam.GroupByKey()
        | "pairs" >> beam.FlatMap(_pairs, run.config.all_pairs_bucket)
        | "once" >> beam.Distinct()
        | "rows" >> beam.Map(lambda pair: dict(zip(PAIR.names, pair, strict=True)))
        | "write" >> beam.io.WriteToParquet(run.path("pairs", "pairs"), PAIR)
    )


def _band_keys(url: str, config: RepoDedupConfig) -> Iterator[tuple[int, str]]:
    bands, rows_per_band = minhash.bands_and_rows(config.threshold, config.num_permutations)
    for table in rows.tables(url, ["repository", "num_shingles", "signature"]):
        for row in table.to_pylist():
            if row["num_shingles"]:
                for key in minhash.band_keys(np.array(row["signature"], np.uint64), bands, rows_per_band):
                    yield int(key), row["repository"]


def _pairs(bucket: tuple[int, Iterable[str]], all_pairs_bucket: int) -> Iterator[tuple[str, str]]:
    names = sorted(set(bucket[1]))
    firsts = names if len(names) <= all_pairs_bucket else names[:1]
    return ((first, name) for first in firsts for name in names if first < name)


def _decide(run: StageRun[RepoDedupConfig]) -> None:
    columns = ["repository", "num_stars", "size_bytes", "signature"]
    signatures = (table for shard in run.shards for table in rows.tables(run.path("signatures", shard), columns))
    candidates = [
        clusters.Candidate(
            row["repository"], row["num_stars"], row["size_bytes"], np.array(row["signature"], np.uint64)
        )
        for table in signatures
        for row in table.to_pylist()
    ]
    written = [run.path("pairs", name) for name in storage.names(run.path("pairs"))]
    pairs = [
        (row["one"], row["other"])
        for url in written
        for part in rows.tables(url, PAIR.names)
        for row in part.to_pylist()
    ]
    found = list(clusters.duplicates(candidates, pairs, run.config.threshold))
    table = pa.Table.from_pylist([dict(zip(DUPLICATE.names, row, strict=True)) for row in found], DUPLICATE)
    with storage.replacing(run.path("duplicates.parquet")) as stream:
        pq.write_table(table, stream)


def _kernel(run: StageRun[RepoDedupConfig]) -> Kernel:
    found = next(rows.tables(run.path("duplicates.parquet"), DUPLICATE.names), DUPLICATE.empty_table())
    keeper = {row["repository"]: (row["keeper"], row["similarity"]) for row in found.to_pylist()}

    def annotate(files: pa.Table) -> pa.Table:
        verdicts = [keeper.get(name, ("", 0.0)) for name in files.column("repository").to_pylist()]
        details = [f"{score:.2f} similar to {name}" if name else "" for name, score in verdicts]
        return pa.table(
            {
                "reason": pa.array(
                    ["near_duplicate_repository" if name else None for name, _ in verdicts], pa.string()
                ),
                "detail": pa.array(details, pa.string()),
                "keeper": pa.array([name for name, _ in verdicts], pa.string()),
                "similarity": pa.array([score for _, score in verdicts], pa.float32()),
            }
        )

    return annotate


def _shards(run: StageRun[RepoDedupConfig]) -> list[str]:
    return run.shards


STAGE = Stage(
    name="repo_dedup",
    reads={"crawl": ("repository", "num_stars", "size_bytes", "content"), "topological_sort": ()},
    writes=contract.REPO_DEDUP,
    reasons=("near_duplicate_repository",),
    config=RepoDedupConfig,
    steps=(
        Write("signatures", _schema, _shards, _signatures, outputs=("signatures",)),
        Shuffle("pairs", "pairs", _build_pairs),
        Local("clusters", _decide),
        Annotate(_kernel),
    ),
    packages=("numpy", "datasketch"),
)
