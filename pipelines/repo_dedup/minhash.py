"""MinHash signatures of repositories over word shingles (Broder 1997), and their bands for locality-sensitive hashing.

A repository's signature is the element-wise minimum of its files' signatures: the signature of the union of their
shingles. No text leaves the shard.
"""

from functools import cache

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines import words

NO_SHINGLES = np.uint64(0xFFFFFFFFFFFFFFFF)


@cache
def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers (odd) and summands of `count` hash functions x -> a x + b modulo 2^64."""
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
def _lower(signature, hashes, size, factors, summands):  # type: ignore[no-untyped-def]
    """Lowers `signature` to the minimum with every run of `size` words. Returns the number of runs."""
    num_shingles = max(len(hashes) - size + 1, min(len(hashes), 1))
    for first in range(num_shingles):
        shingle = np.uint64(0)
        for place in range(first, min(first + size, len(hashes))):
            shingle = shingle * np.uint64(0x9E3779B97F4A7C15) + hashes[place]
        for i in range(len(factors)):
            signature[i] = min(signature[i], factors[i] * shingle + summands[i])
    return num_shingles


@cache
def bands_and_rows(threshold: float, num_permutations: int) -> tuple[int, int]:
    """The (bands, rows) with the least weighted error around `threshold` (datasketch's optimum).

    A false negative weighs 49 times a false positive: bands only propose, and what they propose is verified.
    """
    from datasketch.lsh import _optimal_param

    bands, rows = _optimal_param(threshold, num_permutations, 0.02, 0.98)
    return int(bands), int(rows)


def band_keys(signature: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """One key per band: two signatures share key i where they agree on all rows of band i.

    int64, because Beam's coder of integers holds no more.
    """
    parts = signature[: bands * rows].reshape(bands, rows)
    keys = np.arange(bands, dtype=np.uint64)
    for row in range(rows):
        keys = words.mix_all(keys * np.uint64(0x9E3779B97F4A7C15) + parts[:, row])
    return keys.view(np.int64)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The estimate of the Jaccard similarity: the share of permutations with the same minimum."""
    return float(np.mean(one == other))
