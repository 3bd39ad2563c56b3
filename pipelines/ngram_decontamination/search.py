"""Looks for the grams of an index in a column of texts: one pass over the bytes, then a check word by word."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words
from pipelines.ngram_decontamination.index import FACTOR, Index, normalize

ONE = np.uint8(1)


class Hit(NamedTuple):
    """The first gram that a text shares with a benchmark."""

    benchmark: str
    task_id: str
    ngram: str


class Scratch(NamedTuple):
    """Room for the words of the longest text, taken once for a column."""

    hashes: np.ndarray  # uint64
    starts: np.ndarray  # int64
    ends: np.ndarray  # int64
    sums: np.ndarray  # uint64

    @classmethod
    def of(cls, room: int) -> "Scratch":
        return cls(np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64),
                   np.empty(room + 1, np.uint64))  # fmt: skip


def annotate(table: pa.Table, index: Index) -> pa.Table:
    """A table of `content` to the first gram that each text shares with a benchmark."""
    hits = search(table.column("content").combine_chunks(), index)
    columns = {
        "reason": ["benchmark_ngram" if hit else None for hit in hits],
        "detail": [f"shares {hit.ngram!r} with {hit.benchmark} {hit.task_id}" if hit else "" for hit in hits],
        "benchmark": [hit.benchmark if hit else "" for hit in hits],
        "task_id": [hit.task_id if hit else "" for hit in hits],
        "ngram": [hit.ngram if hit else "" for hit in hits],
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def search(texts: pa.LargeStringArray, index: Index) -> list[Hit | None]:
    """For each text its first shared gram, by where it ends, the shorter one first; None where it is clean."""
    values, offsets = words.buffers(texts)
    scratch = Scratch.of(int(np.diff(offsets).max(initial=0)))
    sizes = np.unique(np.asarray(index.sizes)).astype(np.int64)
    return [_first_hit(values, offsets[i], offsets[i + 1], index, sizes, scratch) for i in range(len(texts))]


def _first_hit(
    values: np.ndarray, start: int, end: int, index: Index, sizes: np.ndarray, scratch: Scratch
) -> Hit | None:
    """Hashes say where to look; a gram whose words differ is passed over, and the search goes on behind it."""
    hashes, starts, ends, sums = scratch
    count = words.hash_words(values, start, end, words.LOWER, hashes, starts, ends)
    _prefix_sums(hashes, count, FACTOR, sums)
    place = which = 0
    while True:
        place, which, key = _next(sums, count, place, which, sizes, FACTOR, index.keys, index.prefixes)
        if place < 0:
            return None
        found = normalize(values[starts[place - sizes[which] + 1] : ends[place]].tobytes().decode())
        hit = _confirm(found, key, index)
        if hit is not None:
            return hit
        which += 1


def _confirm(found: list[str], key: int, index: Index) -> Hit | None:
    """The first text of the index that really has the words `found` at a place with the hash number `key`."""
    while key < len(index.keys):
        text, first, size = int(index.texts[key]), int(index.first_words[key]), int(index.sizes[key])
        if index.normalized[text][first : first + size] == found:
            return Hit(*index.labels[text], " ".join(found))
        key += 1
        if key < len(index.keys) and index.keys[key] != index.keys[key - 1]:
            return None
    return None


@njit(cache=True, nogil=True)
def _prefix_sums(hashes, count, factor, sums):  # type: ignore[no-untyped-def]
    """sums[i] becomes the polynomial hash of the first i of `count` words: any run's hash is a difference of two."""
    sums[0] = 0
    for i in range(count):
        sums[i + 1] = sums[i] * factor + hashes[i]


@njit(cache=True, nogil=True)
def _next(sums, count, place, which, sizes, factor, keys, prefixes):  # type: ignore[no-untyped-def]
    """(last word, which size, number of the hash) of the next run of words with an indexed hash; -1 where none is left.

    Begins at the run that ends at word `place` and has sizes[which] words.
    """
    powers = np.ones(len(sizes), np.uint64)
    for i in range(len(sizes)):
        for _ in range(sizes[i]):
            powers[i] *= factor
    num_bits = 3
    while (1 << num_bits) < 8 * len(prefixes):
        num_bits += 1
    shift = np.uint64(64 - num_bits)
    for last in range(place, count):
        for i in range(which, len(sizes)):
            if sizes[i] > last + 1:
                break
            key = sums[last + 1] - sums[last + 1 - sizes[i]] * powers[i]
            prefix = key >> shift
            if prefixes[prefix >> np.uint64(3)] & (ONE << np.uint8(prefix & np.uint64(7))):
                found = np.searchsorted(keys, key)
                if found < len(keys) and keys[found] == key:
                    return last, i, found
        which = 0
    return -1, 0, 0
