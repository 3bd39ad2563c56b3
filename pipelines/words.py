"""Splits UTF-8 text into words and hashes them, byte by byte, without making Python strings.

A word is a maximal run of letters, digits and `_` (any byte of a non-ASCII character counts as a letter), except that
a character from U+2E80 on (Chinese, Japanese, Korean) is a word of its own. Shingles and n-grams are runs of words.
"""

import numpy as np
import pyarrow as pa
from numba import njit

FIRST_IDEOGRAPH = 0x2E80


def buffers(texts: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The UTF-8 bytes of a column (uint8) and where each text begins and ends in them (int64[n + 1]); no copy."""
    _, offsets, values = texts.buffers()
    starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(values or b"", np.uint8), starts


def _fold(lower: bool) -> np.ndarray:
    """uint8[256]: the byte that is hashed in place of a byte of a word; 0 for a byte that separates words."""
    is_word = [byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)]
    folded = [byte + 32 if lower and ord("A") <= byte <= ord("Z") else byte for byte in range(256)]
    return np.where(is_word, folded, 0).astype(np.uint8)


LOWER = _fold(lower=True)
SAME = _fold(lower=False)


@njit(cache=True, nogil=True)
def mix(x):  # type: ignore[no-untyped-def]
    """The finalizer of SplitMix64: a bijection of uint64 that spreads every bit over all others."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def mix_all(x: np.ndarray) -> np.ndarray:
    """`mix` of every element of a uint64 array."""
    with np.errstate(over="ignore"):
        mixed: np.ndarray = mix.py_func(x)  # type: ignore[no-untyped-call]
    return mixed


@njit(cache=True, nogil=True)
def hash_words(values, start, end, fold, hashes, starts, ends):  # type: ignore[no-untyped-def]
    """Hashes the words of values[start:end] into `hashes` (uint64); their bounds go into `starts` and `ends` (int64).

    `fold` is LOWER or SAME. Returns the number of words. The three arrays must have room for end - start words.
    Call it from Python only: numba's cache of a kernel in another module would not notice a change made here.
    """
    count = 0
    position = start
    while position < end:
        if fold[values[position]] == 0:
            position += 1
            continue
        first = position
        position += ideograph_bytes(values, first, end)
        if position == first:
            position = word_end(values, first, end, fold)
        hashed = np.uint64(0xCBF29CE484222325)  # FNV-1a
        for place in range(first, position):
            hashed = (hashed ^ np.uint64(fold[values[place]])) * np.uint64(0x100000001B3)
        hashes[count] = mix(hashed)
        starts[count] = first
        ends[count] = position
        count += 1
    return count


@njit(cache=True, nogil=True)
def word_end(values, position, end, fold):  # type: ignore[no-untyped-def]
    """Where the word of more than an ideograph ends that begins at `position`."""
    while position < end and fold[values[position]] != 0 and ideograph_bytes(values, position, end) == 0:
        position += 1
    return position


@njit(cache=True, nogil=True)
def ideograph_bytes(values, position, end):  # type: ignore[no-untyped-def]
    """The length in bytes of the character at `position` where it is a word of its own, else 0."""
    byte = values[position]
    if byte < 0xE2 or position + 2 >= end:
        return 0
    if byte >= 0xF0:
        return 4
    code = (np.int64(byte) & 0x0F) << 12 | (np.int64(values[position + 1]) & 0x3F) << 6
    return 3 if code | (np.int64(values[position + 2]) & 0x3F) >= FIRST_IDEOGRAPH else 0
