"""The held-out documents: which of them are measured, and reading them. The choice depends on their ids alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from eval import files
from pipelines import contract

INDEX = ["document_id", "source", "language", "size_bytes"]


@dataclass(frozen=True)
class HeldOut:
    """The validation split of a corpus."""

    shards: list[Path]
    index: list[dict[str, Any]]  # INDEX of each document, by document_id: a hash of the text, so in no order of theirs

    def read(self, document_ids: list[str], columns: list[str]) -> list[dict[str, Any]]:
        """These columns of these documents, in the order asked for."""
        wanted = pc.field("document_id").isin(document_ids)
        found = ds.dataset(self.shards).to_table(columns=["document_id", *columns], filter=wanted).to_pylist()
        by_id = {row["document_id"]: row for row in found}
        return [by_id[document_id] for document_id in document_ids]

    def version(self) -> str:
        return files.sha256(self.shards)[:12]


def open_held_out(folder: Path) -> HeldOut:
    """The documents in `folder`/validation; ValueError where there are none, or a shard is damaged."""
    shards = sorted((folder / "validation").glob("*.parquet"))
    if not shards:
        raise ValueError(f"{folder}/validation: no Parquet shards; run the parquet_shards step, or correct --documents")
    tables = [files.read_table(shard, contract.DOCUMENT, columns=INDEX) for shard in shards]
    unique = {row["document_id"]: row for row in pa.concat_tables(tables).to_pylist()}
    if not unique:
        raise ValueError(f"{folder}/validation: the {len(shards)} shards hold no document; raise the validation share")
    return HeldOut(shards, [unique[document_id] for document_id in sorted(unique)])
