"""Looks for the grams of an index in a column of texts: one pass over the bytes, then a check word by word."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words
from pipelines.ngram_decontamination.index import FACTOR, FILTER_BITS, Index, normalize

SHIFT = np.uint64(64 - FILTER_BITS)
THREE, SEVEN, ONE = np.uint64(3), np.uint64(7), np.uint8(1)


class Hit(NamedTuple):
    """The first gram that a text shares with a benchmark."""

    benchmark: str
    task_id: str
    ngram: str


def search(texts: pa.LargeStringArray, index: Index) -> list[Hit | None]:
    """For each text its first shared gram, by where it ends, the shorter one first; None where it is clean."""
    values, offsets = words.buffers(texts)
    sizes = np.unique(np.asarray(index.sizes)).astype(np.int64)
    return [_first_hit(values, offsets[i], offsets[i + 1], index, sizes) for i in range(len(texts))]


def _first_hit(values: np.ndarray, start: int, end: int, index: Index, sizes: np.ndarray) -> Hit | None:
    """Hashes say where to look; a gram whose words differ is passed over, and the search goes on behind it."""
    room = end - start
    hashes, starts, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    count = words.hash_words(values, start, end, words.LOWER, words.IS_WORD, hashes, starts, ends)
    sums = _prefix_sums(hashes[:count], FACTOR)
    place = 0
    while True:
        place, size, key = _next(sums, place, sizes, index.keys, index.prefixes, FACTOR)
        if place < 0:
            return None
        found = normalize(values[starts[place - size + 1] : ends[place]].tobytes().decode())
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
def _prefix_sums(hashes, factor):  # type: ignore[no-untyped-def]
    """uint64[n + 1]: sums[i] is the polynomial hash of the first i words, so any run's hash is a difference of two."""
    sums = np.zeros(len(hashes) + 1, np.uint64)
    for i in range(len(hashes)):
        sums[i + 1] = sums[i] * factor + hashes[i]
    return sums


@njit(cache=True, nogil=True)
def _next(sums, place, sizes, keys, prefixes, factor):  # type: ignore[no-untyped-def]
    """(last word, size, number of the hash) of the next run of words with an indexed hash; -1 where none is left."""
    powers = np.ones(len(sizes), np.uint64)
    for i in range(len(sizes)):
        for _ in range(sizes[i]):
            powers[i] *= factor
    for last in range(place, len(sums) - 1):
        for i in range(len(sizes)):
            if sizes[i] > last + 1:
                break
            key = words.mix(sums[last + 1] - sums[last + 1 - sizes[i]] * powers[i])
            prefix = key >> SHIFT
            if prefixes[prefix >> THREE] & (ONE << np.uint8(prefix & SEVEN)):
                found = np.searchsorted(keys, key)
                if found < len(keys) and keys[found] == key:
                    return last, sizes[i], found
    return -1, 0, 0
