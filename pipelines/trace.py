"""Why is this file in the corpus, or why not? A line per stage, more where a graph says more; lookups only."""

from collections.abc import Iterator
from math import isnan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import fates, manifest, rows, storage, trace_many
from pipelines.contract import FLOW
from pipelines.parquet_shards.index import OWNER
from pipelines.parquet_shards.opt_out import REASON, OptOut

ANNOTATIONS = tuple(name for name in FLOW if name not in {"crawl", "web_crawl", "parquet_shards", "token_sequences"})
# Shown elsewhere: first in the line, or on lines of their own.
NOT_SHOWN = {"row_id", "measured", "reason", "detail", "dependencies", "imported_as", "unresolved", "redactions"}


def trace(run_folder: str, wanted: str) -> Iterator[str]:
    """The lines about `wanted`: an id, `repository/path`, a repository, or a URL. ValueError where it is unknown."""
    place = _find(run_folder, wanted)
    if place is None:
        yield from _not_a_row(run_folder, wanted)
        return
    text_stage, shard, row_number, row = place
    yield f"{wanted} is row {row_number} of {text_stage}/{shard}"
    yield _line(text_stage, row["reason"], row["detail"], f"{row['size_bytes']:,} bytes")
    if row["reason"]:
        return
    for stage in ANNOTATIONS:
        if not _has(run_folder, stage, shard):
            continue
        found = _row(storage.join(run_folder, stage, shard), row_number)
        shown = {name: value for name, value in found.items() if name not in NOT_SHOWN and not _is_nan(value)}
        measured = ", ".join(f"{name}={_short(value)}" for name, value in shown.items())
        yield _line(stage, found["reason"], found["detail"], measured)
        if found["reason"]:
            return
        if stage in MORE:
            yield from (f"    {line}" for line in MORE[stage](run_folder, shard, row_number, found))
    yield from _document(run_folder, shard, row[rows.ID_COLUMN[rows.family(shard)]], row_number)


def _not_a_row(run_folder: str, wanted: str) -> Iterator[str]:
    found = list(trace_many.repository(run_folder, wanted))
    found = found or list(trace_many.of_a_dropped_repository(run_folder, wanted))
    if not found and "://" in wanted:
        found = list(trace_many.missing_page(run_folder, wanted))
    if not found:
        searched = [stage for stage in rows.TEXT_STAGE.values() if stage in fates.finished(run_folder)]
        raise ValueError(
            f"trace: got {wanted!r}, which is no file or page of {run_folder} ({' or '.join(searched) or 'no crawl'}); "
            "expected a file_id, a page_id, repository/path, a repository, or a URL"
        )
    yield from found


def _find(run_folder: str, wanted: str) -> tuple[str, str, int, dict[str, Any]] | None:
    """(text stage, shard, row number, row) of a file or page."""
    for family, stage in rows.TEXT_STAGE.items():
        folder = storage.join(run_folder, stage)
        if not storage.exists(storage.join(folder, manifest.NAME)):
            continue
        for shard in manifest.read(folder).shards:
            found = _find_in(storage.join(folder, shard), family, wanted)
            if found is not None:
                return stage, shard, *found
    return None


def _find_in(url: str, family: str, wanted: str) -> tuple[int, dict[str, Any]] | None:
    names = ["repository", "path"] if family == "files" else ["url"]
    first = 0
    for table in rows.tables(url, [rows.ID_COLUMN[family], *names, "size_bytes", "reason", "detail"]):
        name = pc.binary_join_element_wise(*(table.column(part) for part in names), "/")
        same = pc.or_(pc.equal(table.column(0), wanted), pc.equal(name, wanted))
        place = pc.index(same, pa.scalar(True)).as_py()
        if place >= 0:
            return first + place, table.slice(place, 1).to_pylist()[0]
        first += len(table)
    return None


def _has(run_folder: str, stage: str, shard: str) -> bool:
    folder = storage.join(run_folder, stage)
    return storage.exists(storage.join(folder, manifest.NAME)) and shard in manifest.read(folder).shards


def _row(url: str, number: int) -> dict[str, Any]:
    with rows.open_parquet(url) as file:
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            if number < size:
                found: dict[str, Any] = (
                    rows.read_group(file, url, group, file.schema_arrow.names).slice(number, 1).to_pylist()[0]
                )
                return found
            number -= size
    raise AssertionError(f"{url} has no row {number}")


def _imports(run_folder: str, shard: str, row_number: int, found: dict[str, Any]) -> Iterator[str]:
    """What the file imports, and what each import is."""
    paths = rows.column(storage.join(run_folder, "crawl", shard), "path")
    for written, row in zip(found["imported_as"], found["dependencies"], strict=True):
        yield f"{written} -> {paths[row]}"
    yield from (f"{written} -> not in the repository" for written in found["unresolved"])


def _neighbours(run_folder: str, shard: str, row_number: int, found: dict[str, Any]) -> Iterator[str]:
    """The file's place in its sample, and what stands around it."""
    annotation = storage.join(run_folder, "topological_sort", shard)
    samples, positions = rows.column(annotation, "sample"), rows.column(annotation, "position")
    measured = rows.column(annotation, "measured")
    members = {positions[row]: row for row, sample in enumerate(samples) if sample == found["sample"] and measured[row]}
    paths = rows.column(storage.join(run_folder, "crawl", shard), "path")
    before, after = (members.get(found["position"] + step) for step in (-1, 1))
    around = [f"{word} {paths[row]}" for word, row in (("after", before), ("before", after)) if row is not None]
    yield ", ".join([f"file {found['position'] + 1} of {len(members)} in its sample", *around])


MORE = {"dependency_graph": _imports, "topological_sort": _neighbours}


def _document(run_folder: str, shard: str, row_id: str, row_number: int) -> Iterator[str]:
    """The document that holds the file, in each of its epochs; or why none does."""
    folder = storage.join(run_folder, "parquet_shards")
    if not storage.exists(storage.join(folder, manifest.NAME)):
        return
    done = manifest.read(folder)
    found = sorted((row["epoch"], name.partition("/")[0], place) for name in done.shards
                   for row, place in _holding(storage.join(folder, name), row_id))  # fmt: skip
    yield from (f"{'parquet_shards':<22} {split}: {place}" for epoch, split, place in found)
    if not found:
        listed = OptOut(**storage.read_json(storage.join(folder, "plan.json"))["opt_out"])
        family = rows.family(shard)
        row = _row(storage.join(run_folder, rows.TEXT_STAGE[family], shard), row_number)
        is_listed = listed.removes_owner(row[OWNER[family == "files"]]) or listed.removes_file(row, row_id)
        others = [name for name in done.counts.dropped if name != REASON]
        yield f"{'parquet_shards':<22} DROPPED {REASON if is_listed else ' or '.join(others)}: in no document"


def _holding(url: str, row_id: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The documents of a shard that hold the row, and where."""
    for table in rows.tables(url, ["document_id", "source", "epoch", "file_ids"]):
        ids = table.column("file_ids").combine_chunks()
        hits = ids.value_parent_indices().filter(pc.equal(ids.values, row_id))
        for row in table.take(hits).to_pylist():
            times = f", time {row['epoch'] + 1}" if row["epoch"] else ""
            place = f"file {row['file_ids'].index(row_id) + 1} of {len(row['file_ids'])}"
            yield row, f"{place} in document {row['document_id']} ({row['source']}){times}"


def _line(stage: str, reason: str | None, detail: str, measured: str) -> str:
    verdict = f"DROPPED {reason}: {detail}" if reason else "kept"
    return f"{stage:<22} {verdict:<8} {measured}".rstrip()


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _short(value: Any) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
