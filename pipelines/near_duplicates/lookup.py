"""A table that is found by id: sorted by a hash of it, mapped into memory, searched a column at a time."""

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words
from pipelines.near_duplicates import columns
from pipelines.near_duplicates.distinct import distinct


@njit(cache=True, nogil=True)
def _hashes(values, offsets, found):  # type: ignore[no-untyped-def]
    for text in range(len(found)):
        hashed = np.uint64(0xCBF29CE484222325)  # FNV-1a
        for place in range(offsets[text], offsets[text + 1]):
            hashed = (hashed ^ np.uint64(values[place])) * np.uint64(0x100000001B3)
        found[text] = hashed


def hashes(ids: pa.LargeStringArray) -> np.ndarray:
    """A hash of each id (uint64)."""
    values, offsets = words.buffers(ids)
    found = np.empty(len(ids), np.uint64)
    _hashes(values, offsets, found)
    return words.mix_all(found)


def write(url: str, table: pa.Table) -> None:
    """Writes `table`, which has a column `id` without repetition, so that `Lookup` finds its rows."""
    found = hashes(_large(table.column("id")))
    order = np.argsort(found, kind="stable")
    assert len(distinct(found)) == len(found), "two ids have the same 64-bit hash"
    columns.write(url, table.take(order).append_column("id_hash", pa.array(found[order])))


def _large(ids: pa.ChunkedArray) -> pa.LargeStringArray:
    return ids.cast(pa.large_string()).combine_chunks()


class Lookup:
    """The table at `url`."""

    def __init__(self, url: str) -> None:
        self.table = columns.read(url)
        self.keys = columns.numbers(self.table, "id_hash")

    def find(self, ids: pa.ChunkedArray) -> np.ndarray:
        """The row of each id (int64), or -1 where it has none."""
        wanted = _large(ids)
        if not len(self.keys):
            return np.full(len(wanted), -1)
        keys = hashes(wanted)
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        rows[self.keys[rows] != keys] = -1
        hits = np.flatnonzero(rows >= 0)
        known = self.table.column("id").take(pa.array(rows[hits])).to_pylist()
        asked = wanted.take(pa.array(hits)).to_pylist()
        rows[hits[[one != other for one, other in zip(known, asked, strict=True)]]] = -1
        return rows
