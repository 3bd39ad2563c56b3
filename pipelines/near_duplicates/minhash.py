"""MinHash signatures over word shingles (Broder 1997), and what an estimate from them can and cannot tell.

The signature of a union of texts is the element-wise minimum of their signatures, so a repository of any size is
signed file by file, and no shingle is stored.
"""

import math
from functools import cache

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words
from pipelines.near_duplicates.distinct import distinct

NO_SHINGLES = np.uint64(0xFFFFFFFFFFFFFFFF)
# Raised where the same text gets another signature than before, so that old signatures are refused.
HASHING = 2


@cache
def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers (odd) and summands of `count` hash functions x -> a x + b modulo 2^64.

    The minimum is decided by the high bits, which every bit of x reaches. On mixed shingles the estimate has the
    variance of independent functions; on unmixed arithmetic sequences it was 1.7 times that (docs/results).
    """
    random = np.random.Generator(np.random.PCG64(seed))
    factors = random.integers(0, 2**64, count, dtype=np.uint64) | np.uint64(1)
    return factors, random.integers(0, 2**64, count, dtype=np.uint64)


def signatures(
    texts: pa.LargeStringArray,
    owners: np.ndarray,
    num_owners: int,
    shingle_words: int,
    num_permutations: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The signature of each owner (uint64[num_owners, num_permutations]) and how many shingles it hashed (int64).

    `owners[i]` is the owner of text i. A text with fewer than `shingle_words` words is one shingle.
    """
    values, offsets = words.buffers(texts)
    factors, summands = permutations(num_permutations, seed)
    found = np.full((num_owners, num_permutations), NO_SHINGLES)
    num_shingles = np.zeros(num_owners, np.int64)
    room = int(np.diff(offsets).max(initial=0))
    hashes, starts, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    for text, owner in enumerate(owners):
        count = words.hash_words(values, offsets[text], offsets[text + 1], words.SAME, hashes, starts, ends)
        num_shingles[owner] += _lower(found[owner], hashes[:count], shingle_words, factors, summands)
    return found, num_shingles


@njit(cache=True, nogil=True)
def shingle(hashes, first, size):  # type: ignore[no-untyped-def]
    """The hash of the run of at most `size` words that begins at word `first`."""
    found = np.uint64(0)
    for place in range(first, min(first + size, len(hashes))):
        found = found * np.uint64(0x9E3779B97F4A7C15) + hashes[place]
    found = (found ^ (found >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return found ^ (found >> np.uint64(32))


@njit(cache=True, nogil=True)
def _lower(signature, hashes, size, factors, summands):  # type: ignore[no-untyped-def]
    """Lowers `signature` to the minimum with every run of `size` words. Returns the number of runs."""
    num_shingles = max(len(hashes) - size + 1, min(len(hashes), 1))
    rest = num_shingles % 4
    for first in range(rest):
        hashed = shingle(hashes, first, size)
        for i in range(len(factors)):
            signature[i] = min(signature[i], factors[i] * hashed + summands[i])
    for first in range(rest, num_shingles, 4):  # four at a time: so each factor, summand and minimum is read once
        a, b = shingle(hashes, first, size), shingle(hashes, first + 1, size)
        c, d = shingle(hashes, first + 2, size), shingle(hashes, first + 3, size)
        for i in range(len(factors)):
            factor, summand = factors[i], summands[i]
            lowest = min(factor * a + summand, factor * b + summand, factor * c + summand, factor * d + summand)
            signature[i] = min(signature[i], lowest)
    return num_shingles


def shingles(texts: pa.LargeStringArray, shingle_words: int) -> np.ndarray:
    """The set of the shingles of all texts together: sorted hashes (uint64)."""
    values, offsets = words.buffers(texts)
    found = [np.empty(0, np.uint64)]
    room = int(np.diff(offsets).max(initial=0))
    hashes, starts, ends = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    for text in range(len(texts)):
        count = words.hash_words(values, offsets[text], offsets[text + 1], words.SAME, hashes, starts, ends)
        found.append(_shingles(hashes[:count], shingle_words))
    return distinct(np.concatenate(found))


@njit(cache=True, nogil=True)
def _shingles(hashes, size):  # type: ignore[no-untyped-def]
    num_shingles = max(len(hashes) - size + 1, min(len(hashes), 1))
    found = np.empty(num_shingles, np.uint64)
    for first in range(num_shingles):
        found[first] = shingle(hashes, first, size)
    return found


@cache
def bands_and_rows(threshold: float, num_permutations: int) -> tuple[int, int]:
    """The (bands, rows) with the least weighted error around `threshold` (datasketch's optimum).

    A false negative weighs 49 times a false positive: bands only propose, and what they propose is verified.
    """
    from datasketch.lsh import _optimal_param

    bands, rows = _optimal_param(threshold, num_permutations, 0.02, 0.98)
    return int(bands), int(rows)


ERROR = 1e-5  # how often an estimate may lie outside of its bounds


@cache
def bounds(threshold: float, num_permutations: int) -> tuple[int, int]:
    """(low, high): from `high` equal minima on a pair is near, below `low` it is not; between, only sets can tell.

    A pair whose similarity is just `threshold` has `low` or fewer, or `high` or more, equal minima (binomial) with
    probability `ERROR` each. `high` is beyond reach (num_permutations + 1) where no estimate is enough.
    """
    chances = [math.comb(num_permutations, equal) * threshold**equal * (1 - threshold) ** (num_permutations - equal)
               for equal in range(num_permutations + 1)]  # fmt: skip
    below = np.cumsum(chances)  # of at most so many equal minima
    above = np.cumsum(chances[::-1])[::-1]  # of at least so many
    low = int(np.searchsorted(below, ERROR))
    high = num_permutations + 1 - int(np.searchsorted(above[::-1], ERROR))
    return low, high


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The estimate of the Jaccard similarity: the share of permutations with the same minimum."""
    return float(np.mean(one == other))


@njit(cache=True, nogil=True)
def similarities(matrix, one):  # type: ignore[no-untyped-def]
    """The estimates of the similarity of `one` to each row of `matrix`."""
    found = np.empty(len(matrix), np.float32)
    for row in range(len(matrix)):
        equal = 0
        for i in range(len(one)):
            equal += matrix[row, i] == one[i]
        found[row] = equal / len(one)
    return found
