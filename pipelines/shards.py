"""Writes shards: runs a kernel over the living rows, checks and spreads its answer, counts, moves the file into place.

Plain Python: a Beam worker, a test or a notebook calls `shard_writer` alike.
"""

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import contract, rows, storage
from pipelines.manifest import Counts
from pipelines.rows import RowGroup
from pipelines.stage import Annotate, Kernel, Output, StageRun, Step, Write

CHECKSUMS = "sha256"  # the folder, inside that of the stage, of what the manifest has as `sha256`


def outputs(run: StageRun[Any], step: Step[Any], shard: str) -> list[str]:
    """What the step writes for `shard`: paths inside the stage's folder."""
    if not isinstance(step, Write):
        return [shard]
    if step.files is not None:
        return step.files(run, shard)
    name = shard.removesuffix(".parquet") + step.suffix
    return [f"{output}/{name}" if output else name for output in step.outputs]


def is_done(run: StageRun[Any], shard: str) -> bool:
    """Whether the shard lies there whole, made by this run's recipe."""
    found = rows.stamp(run.path(shard))
    return found is not None and found[0] == run.recipe


def checksum(run: StageRun[Any], shard: str) -> str:
    """The SHA-256 of a shard that was written with one."""
    found: str = storage.read_json(run.path(CHECKSUMS, shard))
    return found


def counts(run: StageRun[Any], shard: str) -> Counts:
    found = rows.stamp(run.path(shard))
    assert found is not None, shard
    return found[1]


def shard_writer(run: StageRun[Any], step_index: int) -> Callable[[str], None]:
    """A function that writes one shard of the step. Called once per worker: it loads what the kernel needs."""
    step = run.stage.steps[step_index]
    if isinstance(step, Annotate):
        kernel = step.kernel(run)
        gc.freeze()  # what is loaded by now stays: no garbage collection needs to look through it again
        return lambda shard: _annotate(run, kernel, shard, step.without)
    assert isinstance(step, Write)
    tables = step.tables(run)
    gc.freeze()
    return lambda shard: _write(run, step, tables, shard)


def _annotate(run: StageRun[Any], kernel: Kernel, shard: str, without: tuple[str, ...]) -> None:
    with ShardFile(run, shard, run.stage.writes) as file:
        for group in rows.row_groups(run, shard, without):
            annotation = _annotation(run, kernel, shard, group)
            living = pa.array(group.live)
            file.counts += count_reasons(annotation.column("reason").filter(living), group.size_bytes.filter(living))
            file.write(annotation)


def _annotation(run: StageRun[Any], kernel: Kernel, shard: str, group: RowGroup) -> pa.Table:
    """The kernel's answer, checked, and spread over all rows: those that were dropped before get empty values."""
    stage = run.stage
    try:
        answer = kernel(group.table.replace_schema_metadata({"shard": shard}))
    except Exception as error:
        error.add_note(f"in the stage {stage.name}, shard {shard}, rows {group.ids[0]} to {group.ids[-1]}")
        raise
    assert len(answer) == len(group.table), f"{stage.name} returned {len(answer)} rows for {len(group.table)}"
    unknown = set(pc.unique(answer.column("reason")).to_pylist()) - {None, *stage.reasons}
    assert not unknown, f"{stage.name} gave the undeclared reasons {unknown}"
    if stage.sees_dropped:
        answer = answer.filter(pa.array(group.live))
    own = [column for column in stage.writes if column.name not in {"row_id", "measured"}]
    spread = {column.name: _spread(answer.column(column.name), column, group.live) for column in own}
    return pa.table({"row_id": group.ids, "measured": pa.array(group.live), **spread}, schema=stage.writes)


def _spread(values: pa.ChunkedArray, column: pa.Field, live: np.ndarray) -> pa.ChunkedArray:
    """`values` at the living rows; elsewhere null, or the empty value of a column that is never null."""
    values = values.cast(column.type)
    if live.all():
        return values
    padded = pa.chunked_array(
        [*values.chunks, pa.array([None if column.nullable else _empty(column.type)], column.type)]
    )
    places = np.where(live, np.cumsum(live) - 1, len(values))
    return padded.take(pa.array(places))


def _empty(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind):
        return []
    if pa.types.is_string(kind):
        return ""
    return False if pa.types.is_boolean(kind) else 0


def count_reasons(reasons: pa.ChunkedArray, sizes: pa.ChunkedArray) -> Counts:
    """How many rows and bytes each reason took, and how many are left."""
    by_reason = pa.table({"reason": reasons, "size": sizes}).group_by("reason")
    sums = by_reason.aggregate([([], "count_all"), ("size", "sum")]).to_pylist()
    found = {row["reason"]: [row["count_all"], row["size_sum"]] for row in sums}
    kept, kept_bytes = found.pop(None, [0, 0])
    return Counts(len(reasons), pc.sum(sizes).as_py() or 0, kept, kept_bytes, dict(sorted(found.items())))


def _write(run: StageRun[Any], step: Write[Any], tables: Callable[[str], Iterator[Output]], shard: str) -> None:
    schema = step.schema(run.config)
    names = outputs(run, step, shard)
    with ExitStack() as stack:
        files = {
            output: stack.enter_context(ShardFile(run, name, schema, step.checksums))
            for output, name in zip(names if step.files else step.outputs, names, strict=True)
        }
        for output, found in tables(shard):
            if isinstance(found, Counts):
                files[output].counts += found
            else:
                files[output].write(found)
                files[output].counts += _count_table(found)


def _count_table(table: pa.Table) -> Counts:
    if table.schema.equals(contract.DOCUMENT):
        return _count_documents(table)
    if "size_bytes" not in table.column_names:
        return Counts(rows=len(table), kept=len(table))
    kept = pa.chunked_array([pa.nulls(len(table), pa.string())])
    reasons = table.column("reason") if "reason" in table.column_names else kept
    return count_reasons(reasons, table.column("size_bytes"))


def _count_documents(table: pa.Table) -> Counts:
    """What counts is a file or page; where a document is repeated, its first time."""
    first = table.filter(pc.equal(table.column("epoch"), 0))
    files, size = (pc.sum(first.column(name)).as_py() or 0 for name in ("num_files", "size_bytes"))
    return Counts(files, size, files, size)


def parquet_writer(stream: Any, schema: pa.Schema) -> pq.ParquetWriter:
    """Texts get no dictionary: it would be one page of a whole row group, which takes half as long again to read."""
    others = [column.name for column in schema if not pa.types.is_large_string(column.type)]
    return pq.ParquetWriter(
        stream,
        schema,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=others if len(others) < len(schema) else True,
    )


class ShardFile:
    """A shard while it is written: Parquet or Arrow IPC, stamped with the recipe and the counts, whole or absent."""

    def __init__(self, run: StageRun[Any], name: str, schema: pa.Schema, has_checksum: bool = False) -> None:
        self.url = run.path(name)
        self.checksum_url = run.path(CHECKSUMS, name) if has_checksum else ""
        self.schema = schema
        self.recipe = run.recipe
        self.counts = Counts()
        self.notes: list[Any] = []
        self.is_arrow = name.endswith(".arrow")

    def __enter__(self) -> "ShardFile":
        self.stack = ExitStack()
        stream = self.stack.enter_context(storage.replacing(self.url))
        if self.checksum_url:
            stream = self.hashed = storage.HashedStream(stream)
        if self.is_arrow:
            self.writer = pa.ipc.new_file(stream, self.schema.with_metadata({rows.RECIPE_KEY: self.recipe.encode()}))
        else:
            self.writer = parquet_writer(stream, self.schema)
        return self

    def write(self, table: pa.Table) -> None:
        """Appends one row group. ValueError where the table is not of the declared schema."""
        problems = list(contract.mismatches(table.schema, self.schema))
        if problems:
            raise ValueError(f"{self.url}: {'; '.join(problems)}")
        if len(table) and self.is_arrow:
            self.writer.write_table(table.cast(self.schema).combine_chunks())
        elif len(table):
            self.writer.write_table(table.cast(self.schema), row_group_size=len(table))
            self.notes += [json.loads(note) for note in [(table.schema.metadata or {}).get(rows.NOTE_KEY)] if note]

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None and not self.is_arrow:
            stamp = {rows.RECIPE_KEY: self.recipe, rows.COUNTS_KEY: json.dumps(vars(self.counts))}
            stamp |= {rows.NOTES_KEY: json.dumps(self.notes)} if self.notes else {}
            self.writer.add_key_value_metadata(stamp)
        self.writer.close()
        if kind is None and self.checksum_url:  # before the file is moved into place: who sees the file sees this too
            storage.write_json(self.checksum_url, self.hashed.sha256())
        self.stack.__exit__(kind, error, trace)
