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


def _classes() -> np.ndarray:
    """uint8[256]: 1 for a byte that belongs to a word, 0 for one that separates words."""
    is_word = [byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)]
    return np.array(is_word, np.uint8)


IS_WORD = _classes()
LOWER = np.array([byte + 32 if ord("A") <= byte <= ord("Z") else byte for byte in range(256)], np.uint8)
SAME = np.arange(256, dtype=np.uint8)


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
def hash_words(values, start, end, fold, is_word, hashes, starts, ends):  # type: ignore[no-untyped-def]
    """Hashes the words of values[start:end] into `hashes` (uint64); their bounds go into `starts` and `ends` (int64).

    `fold` maps a byte to the byte that is hashed (LOWER or SAME). Returns the number of words. The three arrays must
    have room for end - start words.
    """
    count = 0
    position = start
    while position < end:
        if not is_word[values[position]]:
            position += 1
            continue
        first = position
        hashed = np.uint64(0xCBF29CE484222325)
        while position < end and is_word[values[position]]:
            width = ideograph_bytes(values, position, end)
            if width and position > first:
                break
            for _ in range(max(width, 1)):
                hashed = (hashed ^ np.uint64(fold[values[position]])) * np.uint64(0x100000001B3)
                position += 1
            if width:
                break
        hashes[count] = mix(hashed)
        starts[count] = first
        ends[count] = position
        count += 1
    return count


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
