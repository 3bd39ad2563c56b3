"""What the rules look at, measured for a whole Arrow column in one pass over its bytes.

A character is a Unicode scalar. A line ends with LF, CR or CRLF, which do not count into its length.
A character is alphabetic where `str.isalpha` says so.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from pipelines.words import buffers

CR, LF = 13, 10


class Signals(NamedTuple):
    """One array per signal, one number per text."""

    num_chars: np.ndarray  # int64
    num_lines: np.ndarray  # int64
    line_chars: np.ndarray  # int64: characters that are not part of a line's end
    line_length_max: np.ndarray  # int64
    num_alphabetic: np.ndarray  # int64

    @property
    def line_length_mean(self) -> np.ndarray:
        """float64; 0 for an empty text."""
        mean: np.ndarray = self.line_chars / np.maximum(self.num_lines, 1)
        return mean

    @property
    def alphabetic_share(self) -> np.ndarray:
        """float64; 0 for an empty text."""
        share: np.ndarray = self.num_alphabetic / np.maximum(self.num_chars, 1)
        return share


def measure(texts: pa.LargeStringArray) -> Signals:
    """The signals of every text of a column."""
    values, offsets = buffers(texts)
    return Signals(*_measure(values, offsets, _is_alphabetic()))


@cache
def _is_alphabetic() -> np.ndarray:
    """bool[0x110000]: `str.isalpha` of every code point."""
    return np.array([chr(code).isalpha() for code in range(0x110000)])


@njit(cache=True, nogil=True)
def _measure(values, offsets, is_alphabetic):  # type: ignore[no-untyped-def]
    count = len(offsets) - 1
    out = np.zeros((5, count), np.int64)
    for i in range(count):
        chars = lines = line = longest = alphabetic = ends = 0
        position, end = offsets[i], offsets[i + 1]
        while position < end:
            byte = values[position]
            if byte < 0x80:
                position += 1
                if byte in (LF, CR):
                    if byte == CR and position < end and values[position] == LF:
                        position += 1
                        ends += 1
                    ends += 1
                    lines += 1
                    longest = max(longest, line)
                    line = 0
                    continue
                alphabetic += is_alphabetic[byte]
            else:
                code, position = _decode(values, position)
                alphabetic += is_alphabetic[code]
            chars += 1
            line += 1
        if line:
            lines += 1
            longest = max(longest, line)
        out[:, i] = chars + ends, lines, chars, longest, alphabetic
    return out


@njit(cache=True, nogil=True)
def _decode(values, position):  # type: ignore[no-untyped-def]
    """The code point that starts at `position` (valid UTF-8, not ASCII), and where the next one starts."""
    first = np.int64(values[position])
    second = np.int64(values[position + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, position + 2
    third = np.int64(values[position + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, position + 3
    fourth = np.int64(values[position + 3]) & 0x3F
    return (first & 0x07) << 18 | second << 12 | third << 6 | fourth, position + 4
