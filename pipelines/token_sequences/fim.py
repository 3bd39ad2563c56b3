"""Fill in the middle (DeepSeek-Coder section 3.1.2): where a document is cut, and in which order its spans stand then.

One grammar covers every form, with the three tokens begin, hole and end:

    PSM    begin prefix   hole suffix                  end middle
    SPM    begin          hole suffix                  end prefix middle     (variant 2 of BigCode and of CodeLlama)
    MSP    begin text hole text hole text hole text    end span hole span hole span      (masked spans, an ablation)

What stands after `end` fills the holes, in order. So PSM is MSP with one hole, and SPM is PSM whose prefix is empty: a
form is nothing but its cuts, an even number, and its first, third and every other span come before the rest.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

MOST_CUTS = 6  # MSP masks three spans
STRIDE_BYTES = 256  # are counted at once, in the processor's vectors


class Shares(NamedTuple):
    """`rate` is the share of the documents that are cut; `spm` and `msp` are shares of those, and PSM is the rest."""

    rate: float
    spm: float = 0.0
    msp: float = 0.0


class Spans(NamedTuple):
    """Documents, each cut into 1, 3 or 7 spans: those of document d are firsts[d] to firsts[d + 1], and span s is
    data[offsets[s] : offsets[s + 1]]."""

    data: np.ndarray  # uint8, UTF-8
    offsets: np.ndarray  # int64[spans + 1]
    firsts: np.ndarray  # int64[documents + 1]


def cut(texts: pa.LargeStringArray, document_ids: Sequence[str], shares: Shares, seed: int, epoch: int = 0) -> Spans:
    """The documents in spans, as they lie in the text. Nothing is copied.

    The random numbers are digits of a hash of (seed, epoch, document): no order, shard, worker or library decides them.
    They are places between Unicode scalars, so none is ever cut in two.
    """
    drawn = _draw(document_ids, seed, epoch)
    data, starts = buffers(texts)
    is_chosen = _below(drawn[:, 0], shares.rate)
    num_chars = _num_chars(data, starts, is_chosen)
    is_cut = is_chosen & (num_chars >= 3)
    is_msp = is_cut & _below(drawn[:, -1], shares.msp)
    num_cuts = np.where(is_msp, MOST_CUTS, np.where(is_cut, 2, 0))
    places = _scaled(drawn[:, 1:-1], num_chars[:, None] + 1)
    places = np.sort(np.where(np.arange(MOST_CUTS) < num_cuts[:, None], places, num_chars[:, None]), axis=1)
    places[~is_msp & _below(drawn[:, -1], shares.msp + shares.spm), 0] = 0
    _to_bytes(data, starts, np.flatnonzero(is_cut & (num_chars < np.diff(starts))), places)
    bounds = starts[:-1, None] + np.pad(places, ((0, 0), (1, 0)))
    offsets = np.append(bounds[np.arange(1 + MOST_CUTS) <= num_cuts[:, None]], starts[-1])
    return Spans(data, offsets, np.cumsum([0, *(1 + num_cuts)]))


def _draw(document_ids: Sequence[str], seed: int, epoch: int) -> np.ndarray:
    """uint64[documents, 8]: whether it is cut, MOST_CUTS places, and which form it takes."""
    digests = (hashlib.blake2b(f"{seed}\0{epoch}\0{document_id}".encode()).digest() for document_id in document_ids)
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2 + MOST_CUTS)


def _below(drawn: np.ndarray, share: float) -> np.ndarray:
    """Whether what was drawn, as a fraction of 1, is less than `share`."""
    return drawn < np.uint64(math.ceil(share * 2**64)) if share < 1 else np.ones(len(drawn), bool)


def _scaled(drawn: np.ndarray, size: np.ndarray) -> np.ndarray:
    """drawn * size / 2^64, rounded down: int64. `size` is less than 2^31."""
    high, low, factor = drawn >> np.uint64(32), drawn & np.uint64(2**32 - 1), size.astype(np.uint64)
    return ((high * factor + (low * factor >> np.uint64(32))) >> np.uint64(32)).astype(np.int64)


def buffers(texts: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts, and where each begins and the last ends: views."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", np.uint8), starts


@njit(cache=True, nogil=True)
def _num_chars(data, starts, is_chosen):  # type: ignore[no-untyped-def]
    """The characters of each document that is chosen; 0 of the others."""
    found = np.zeros(len(is_chosen), np.int64)
    for document in np.flatnonzero(is_chosen):
        found[document] = _begun(data[starts[document] : starts[document + 1]])
    return found


@njit(cache=True, nogil=True)
def _to_bytes(data, starts, documents, places):  # type: ignore[no-untyped-def]
    """Turns places[d], ascending numbers of characters, into numbers of bytes for each d of `documents`."""
    for document in documents:
        byte, end = starts[document], starts[document + 1]
        num_chars = 0
        for number in range(places.shape[1]):
            missing = places[document, number] - num_chars
            while missing >= STRIDE_BYTES:  # which have no more characters than that
                missing -= _begun(data[byte : byte + STRIDE_BYTES])
                byte += STRIDE_BYTES
            while byte < end and (missing or data[byte] & 0xC0 == 0x80):  # the rest of a character
                missing -= data[byte] & 0xC0 != 0x80
                byte += 1
            num_chars = places[document, number]
            places[document, number] = byte - starts[document]


@njit(cache=True, nogil=True)
def _begun(data):  # type: ignore[no-untyped-def]
    """How many characters begin in these bytes."""
    count = 0
    for byte in data:
        count += byte & 0xC0 != 0x80  # not the rest of a character
    return count
