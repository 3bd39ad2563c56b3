"""What an earlier crawl already read: repositories whose key is unchanged are carried over, not fetched again."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import contract, storage
from pipelines.rows import NOTES_KEY

BATCH_ROWS, BATCH_BYTES = 64, 1_000_000  # of rows on their way: few are Python objects, or a page of Parquet, at a time
T = TypeVar("T")
# What another try may mend: such a repository is read again by every crawl.
FAILURES = ("missing_blob", "unreadable", "unreadable_repository")


def is_tried_again(batches: list[pa.RecordBatch]) -> bool:
    failures = pa.array(FAILURES)
    return any(pc.any(pc.is_in(batch.column("reason"), failures)).as_py() for batch in batches)


def split(rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Rows as they make up one batch, by the sizes of their texts; carried over or not, so that pages fall alike."""
    some, num_bytes = [], 0
    for row in rows:
        some.append(row)
        num_bytes += size(row)
        if len(some) == BATCH_ROWS or num_bytes >= BATCH_BYTES:
            yield some
            some, num_bytes = [], 0
    if some:
        yield some


def filled(batches: list[pa.RecordBatch], column: str, value: object) -> list[pa.RecordBatch]:
    """FILE rows, each with `value` in that column."""
    place = contract.FILE.get_field_index(column)
    field = contract.FILE.field(place)
    return [batch.set_column(place, field, pa.array([value] * len(batch), field.type)) for batch in batches]


class EarlierShard:
    """The shard that an earlier crawl left where a new one is about to be written."""

    def __init__(self, url: str) -> None:
        self.places: dict[str, tuple[str, int]] = {}  # repository -> key, row group
        self.group: tuple[int, pa.Table] | None = None
        try:
            self.file = pq.ParquetFile(storage.open_input(url), page_checksum_verification=True)
        except (OSError, pa.ArrowException):  # there is none, or it is damaged
            return
        notes: list[dict[str, str]] = json.loads((self.file.metadata.metadata or {}).get(NOTES_KEY, b"[]"))
        for number, keys in enumerate(notes):
            self.places |= {repository: (key, number) for repository, key in keys.items()}

    def take(self, repository: str, key: str, num_stars: int) -> list[pa.RecordBatch] | None:
        """Its rows, where they are there under that key. Cheap where repositories are asked for in order of name.

        Stars change every day and decide nothing else, so they are not part of the key.
        """
        found, number = self.places.get(repository, ("", 0))
        if not key or found != key:
            return None
        try:
            group = self._row_group(number)
        except (OSError, pa.ArrowException):  # damaged
            return None
        rows = group.filter(pc.equal(group.column("repository"), repository)).combine_chunks()
        sizes = pc.binary_length(rows.column("content")).to_pylist()
        places = split(range(len(rows)), sizes.__getitem__)
        batches = [batch for some in places for batch in rows.slice(some[0], len(some)).to_batches()]
        return filled(batches, "num_stars", num_stars)

    def _row_group(self, number: int) -> Any:
        if self.group is None or self.group[0] != number:
            self.group = None
            self.group = (number, self.file.read_row_group(number))
        return self.group[1]
