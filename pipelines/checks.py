"""What must hold of a finished stage, counted anew from the tables on disk. A check returns what is wrong."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import contract, manifest, rows, storage
from pipelines.manifest import Manifest
from pipelines.stage import Stage, load


def totals(stage: Stage[Any], run_folder: str) -> list[str]:
    """Files in = files kept + files dropped, and files in = what the stages before have kept."""
    done = manifest.read(storage.join(run_folder, stage.name))
    expected = sum(manifest.read(storage.join(run_folder, name)).counts.kept for name in predecessors(stage))
    if stage.writes.equals(contract.DOCUMENT):
        return list(_documents(done, run_folder, expected))
    if "reason" not in stage.writes.names:
        return [] if done.counts.rows else [f"{stage.name} wrote no row"]
    return list(_reasons(stage, done, run_folder, expected if stage.reads else None))


def predecessors(stage: Stage[Any]) -> list[str]:
    """The stages directly before: those it reads that are not upstream of another one it reads."""
    upstream = {parent for name in stage.reads for parent in _closure(name)}
    return [name for name in stage.reads if name not in upstream]


def _closure(name: str) -> set[str]:
    """Every stage upstream of `name`, without itself."""
    reads = set(load(name).reads)
    return reads | {parent for read in reads for parent in _closure(read)}


def _reasons(stage: Stage[Any], done: Manifest, run_folder: str, expected: int | None) -> Iterator[str]:
    seen = kept = 0
    columns = ["reason", "measured"] if "measured" in stage.writes.names else ["reason"]
    for shard in done.shards:
        for table in rows.tables(storage.join(run_folder, stage.name, shard), columns):
            measured = table.column("measured") if "measured" in columns else pa.chunked_array([[True] * len(table)])
            seen += pc.sum(measured).as_py() or 0
            kept += pc.sum(pc.and_(measured, pc.is_null(table.column("reason")))).as_py() or 0
    dropped = seen - kept
    if (seen, kept, dropped) != (done.counts.rows, done.counts.kept, done.counts.dropped_rows):
        yield (
            f"{stage.name}: the tables have {seen} rows, {kept} kept, {dropped} dropped; the manifest says "
            f"{done.counts.rows}, {done.counts.kept}, {done.counts.dropped_rows}"
        )
    if expected is not None and seen != expected:
        yield f"{stage.name}: {seen} rows came in, but the stages before kept {expected}"


def _documents(done: Manifest, run_folder: str, expected: int) -> Iterator[str]:
    """A document that the mixture repeats counts once."""
    found = 0
    for shard in done.shards:
        for table in rows.tables(storage.join(run_folder, done.stage, shard), ["num_files", "epoch"]):
            first = table.filter(pc.equal(table.column("epoch"), 0))
            found += pc.sum(first.column("num_files")).as_py() or 0
    dropped = done.counts.dropped_rows
    if found + dropped != expected:
        yield (
            f"{done.stage}: the documents hold {found} files and pages and {dropped} were dropped, but the stages "
            f"before kept {expected}"
        )


def schemas(stage: Stage[Any], run_folder: str) -> list[str]:
    """Every shard has the schema of the contract."""
    done = manifest.read(storage.join(run_folder, stage.name))
    length, size = (done.config.get(name) for name in ("sequence_length", "vocabulary_size"))
    expected = contract.sequence(length, contract.token_id_type(size)) if length and size else stage.writes
    return [
        f"{shard}: {problem}"
        for shard in done.shards
        for problem in contract.mismatches(rows.schema(storage.join(run_folder, stage.name, shard)), expected)
    ]
