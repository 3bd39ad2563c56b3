"""Tables in the layout of The Stack, a row for each file, regrouped into repositories; v2 has its texts elsewhere."""

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from pipelines.config import StageConfig
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import blobs, regroup
from pipelines.crawl.sources.blobs import Resolve
from pipelines.crawl.sources.source import Entry, Repository, no_content

LAYOUTS = {
    "v1": {
        "repository": "max_stars_repo_name", "revision": "max_stars_repo_head_hexsha", "path": "max_stars_repo_path",
        "license": "max_stars_repo_licenses", "num_stars": "max_stars_count", "size_bytes": "size",
        "blob_id": "hexsha", "content": "content",
    },
    "v2": {
        "repository": "repo_name", "revision": "revision_id", "path": "path", "license": "detected_licenses",
        "num_stars": "star_events_count", "size_bytes": "length_bytes", "blob_id": "blob_id",
        "encoding": "src_encoding",
    },
}  # fmt: skip
Row = dict[str, Any]
NEEDED = ("repository", "path")
RESOLVED_AT_ONCE = 64


class StackSource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ("resolver", "blobs")
    kind: Literal["stack"] = "stack"
    tables: str  # Parquet files: a path or a pattern
    layout: Literal["v1", "v2"] = "v1"
    columns: Mapping[str, str] = Field(
        {}
    )  # where the tables name a column otherwise: ours -> theirs, empty where it is absent
    resolver: str = ""  # `package.module:function`, which turns blob ids into bytes, where the tables have no content
    blobs: str = ""  # or a folder that has them by id

    @model_validator(mode="after")
    def _is_complete(self) -> "StackSource":
        unknown = sorted(set(self.columns) - set(regroup.NAMES))
        if unknown:
            raise ValueError(f"columns: unknown name {unknown[0]!r}; known: {', '.join(regroup.NAMES)}")
        if bool(self._mapping().get("content")) + bool(self.resolver) + bool(self.blobs) != 1:
            raise ValueError("expected one of: a column `content`, a `resolver`, a folder `blobs`")
        return self

    def _mapping(self) -> dict[str, str]:
        found = {ours: theirs for ours, theirs in {**LAYOUTS[self.layout], **self.columns}.items() if theirs}
        if self.resolver or self.blobs:
            found.pop("content", None)
        return found

    def files(self) -> list[str]:
        """The tables, sorted. ValueError where there is none, or where one lacks a column that is needed."""
        found = sorted(os.path.abspath(file) for file in glob.glob(self.tables) if os.path.isfile(file))
        if not found:
            raise ValueError(
                f"crawl source: tables: got {self.tables!r}, which matches no file; expected Parquet files"
            )
        mapping = self._mapping()
        needed = {name: mapping.get(name, "") for name in (*NEEDED, "content" if "content" in mapping else "blob_id")}
        for file in found:
            names = _column_names(file)
            for ours, theirs in needed.items():
                if theirs not in names:
                    raise ValueError(
                        f"crawl source: columns: {file} has no column {theirs!r} for {ours}; it has {', '.join(names)}"
                    )
        return found

    def fingerprint(self) -> str:
        """Of the tables' sizes and footers, which change with any row: they may be terabytes."""
        parts = [(os.path.getsize(file), _footer_digest(file)) for file in self.files()]
        known = json.dumps([sorted(self._mapping().items()), parts])
        return hashlib.blake2b(known.encode(), digest_size=10).hexdigest()

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        if self.resolver or self.blobs:
            self._resolve()  # what is wrong with it is said before the tables are read
        fingerprint = self.fingerprint()
        folder = os.path.join(cache_folder, "stack", fingerprint)
        if not os.path.exists(folder):
            regroup.regroup(self.files(), self._mapping(), folder)
        for batch in pq.ParquetFile(os.path.join(folder, regroup.INDEX)).iter_batches():
            for row in batch.to_pylist():
                yield Repository(
                    name=row["repository"],
                    revision=row["revision"],
                    license=row["license"],
                    num_stars=row["num_stars"],
                    location=f"{fingerprint}:{row['partition']}:{row['first_batch']}:{row['num_batches']}",
                    digest=row["digest"],
                )

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        fingerprint, partition, first, count = repository.location.split(":")
        file = regroup.sorted_file(os.path.join(cache_folder, "stack", fingerprint), int(partition))
        if not os.path.exists(file):
            raise ValueError(
                f"crawl source: stack: {file} is not on this machine; run the crawl where the tables were regrouped, "
                "or keep the run in a folder that all workers see"
            )
        rows = _rows(file, int(first), int(count))
        return self._resolved(rows, limits) if self.resolver or self.blobs else map(_entry, rows)

    def kept(self, repository: Repository, limits: Limits) -> str:
        return os.path.join("stack", repository.location.split(":")[0])

    def _resolve(self) -> Resolve:
        return blobs.in_folder(self.blobs) if self.blobs else blobs.load(self.resolver)

    def _resolved(self, rows: Iterator[Row], limits: Limits) -> Iterator[Entry]:
        """The entries of rows whose content lies elsewhere. What is known to be too large is not asked for."""
        resolve = self._resolve()
        while batch := list(islice(rows, RESOLVED_AT_ONCE)):
            wanted = {row["blob_id"] for row in batch if row["size_bytes"] <= limits.max_file_bytes}
            found = blobs.resolved(resolve, sorted(wanted))
            for row in batch:
                content = found.get(row["blob_id"], b"")
                if isinstance(content, str):
                    yield Entry(row["path"], max(row["size_bytes"], 0), no_content, "missing_blob", content)
                elif row["blob_id"] in wanted:
                    yield _entry({**row, "content": content})
                else:
                    yield Entry(row["path"], row["size_bytes"], no_content)  # which the limit drops


def _column_names(file: str) -> list[str]:
    try:
        found: list[str] = pq.read_schema(file).names
    except pa.ArrowException as error:
        raise ValueError(f"crawl source: tables: {file} is no Parquet file: {error}") from error
    return found


def _entry(row: Row) -> Entry:
    return Entry(row["path"], len(row["content"]), partial(bytes, row["content"]), encoding=row["encoding"])


def _rows(file: str, first: int, count: int) -> Iterator[Row]:
    """The rows of some record batches, by path."""
    with pa.memory_map(file) as source, pa.ipc.open_file(source) as batches:
        for number in range(first, first + count):
            batch = batches.get_batch(number)
            for place in range(len(batch)):
                yield batch.slice(place, 1).to_pylist()[0]


def _footer_digest(file: str) -> str:
    with open(file, "rb") as stream:
        stream.seek(-8, os.SEEK_END)
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(-8 - length, os.SEEK_END)
        return hashlib.file_digest(stream, "blake2b").hexdigest()
