"""Looks for the grams of an index in a column of texts: one pass over the bytes, then a check word by word."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words
from pipelines.ngram_decontamination.index import FACTOR, FILTER_BITS, Index, normalize

SHIFT = np.uint64(64 - FILTER_BITS)


class Hit(NamedTuple):
    """The first gram that a text shares with a benchmark."""

    benchmark: str
    task_id: str
    ngram: str


def search(texts: pa.LargeStringArray, index: Index) -> list[Hit | None]:
    """For each text its first shared gram, by where it ends, the shorter one first; None where it is clean."""
    values, offsets = words.buffers(texts)
    sizes = np.unique(np.asarray(index.sizes))
    return [_first_hit(values, offsets[i], offsets[i + 1], index, sizes) for i in range(len(texts))]


def _first_hit(values: np.ndarray, start: int, end: int, index: Index, sizes: np.ndarray) -> Hit | None:
    """Hashes say where to look; a gram whose words differ is passed over, and the search goes on behind it."""
    scratch = np.empty((3, end - start), np.int64)
    count = _hash(values, start, end, words.IS_WORD, words.LOWER, scratch)
    place = 0
    while True:
        place, size, key = _next(scratch, count, place, sizes, index.keys, index.prefixes, FACTOR)
        if place < 0:
            return None
        first, last = place - size + 1, place
        found = normalize(values[scratch[1, first] : scratch[2, last]].tobytes().decode())
        hit = _confirm(found, key, index)
        if hit is not None:
            return hit
        place += 1


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
def _hash(values, start, end, is_word, fold, scratch):  # type: ignore[no-untyped-def]
    hashes = scratch[0].view(np.uint64)
    return words.hash_words(values, start, end, fold, is_word, hashes, scratch[1], scratch[2])


@njit(cache=True, nogil=True)
def _next(scratch, count, place, sizes, keys, prefixes, factor):  # type: ignore[no-untyped-def]
    """(last word, size, number of the hash) of the next run of words with an indexed hash; -1 where none is left."""
    hashes = scratch[0].view(np.uint64)
    for last in range(place, count):
        for size in sizes:
            if size > last + 1:
                break
            key = np.uint64(0)
            for i in range(last - size + 1, last + 1):
                key = key * factor + hashes[i]
            key = words.mix(key)
            if prefixes[key >> SHIFT]:
                found = np.searchsorted(keys, key)
                if found < len(keys) and keys[found] == key:
                    return last, size, found
    return -1, 0, 0
