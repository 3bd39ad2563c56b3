"""Packs documents into sequences of one length. Two methods; both keep every token once, and neither reorders one.

`concat` lays documents end to end and cuts where a sequence is full (DeepSeek-Coder section 3.1). `best_fit` cuts only
documents longer than a sequence: Best-Fit-Decreasing, as in "Fewer Truncations Improve Language Modeling" (2404.10830).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numba import njit

T = TypeVar("T")
Method = Literal["concat", "best_fit"]
BLOCK_TOKENS = 1 << 24  # documents are fitted among about as many tokens: 32 or 64 MB
MIN_BLOCK_ROWS = 64  # and never among fewer sequences than this


class Documents(NamedTuple):
    """Documents one after the other: document i is tokens[starts[i] : starts[i + 1]]."""

    tokens: np.ndarray  # uint16 or int32
    starts: np.ndarray  # int64[documents + 1]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.starts)


def blocks(batches: Iterable[T], num_tokens: Callable[[T], int], length: int) -> Iterator[list[T]]:
    """The same batches in runs of BLOCK_TOKENS or more, but for the last. `length` is of a sequence."""
    waiting: list[T] = []
    size = 0
    for batch in batches:
        waiting.append(batch)
        size += num_tokens(batch)
        if size >= max(BLOCK_TOKENS, MIN_BLOCK_ROWS * length):
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def pack(batches: Iterable[Documents], length: int, pad: int, method: Method) -> Iterator[np.ndarray]:
    """The sequences, some at a time: [rows, length]. What is left free at the end of a sequence is `pad`."""
    if method == "concat":
        yield from _concat((documents.tokens for documents in batches), length, pad)
        return
    for block in blocks(batches, lambda documents: len(documents.tokens), length):
        yield _best_fit(block, length, pad)


def _concat(batches: Iterable[np.ndarray], length: int, pad: int) -> Iterator[np.ndarray]:
    """Only the sequences that two batches share are copied."""
    left = np.empty(0, np.uint8)  # joined with tokens, it takes their type
    for tokens in batches:
        missing = -len(left) % length  # 0 where nothing is left
        left = np.concatenate([left, tokens[:missing]])
        if len(left) % length:
            continue
        whole = missing + (len(tokens) - missing) // length * length
        for rows in (left, tokens[missing:whole]):
            if len(rows):
                yield rows.reshape(-1, length)
        left = tokens[whole:]
    if len(left):
        yield np.pad(left, (0, length - len(left)), constant_values=pad).reshape(1, length)


def _best_fit(block: list[Documents], length: int, pad: int) -> np.ndarray:
    """A document fills as many sequences as it can alone; what remains shares one, in the order of the documents."""
    lengths = np.concatenate([documents.lengths for documents in block])
    sequence_of = fit(lengths % length, length)
    num_full = int((lengths // length).sum())
    rows = np.empty((num_full + int(sequence_of.max(initial=-1)) + 1, length), block[0].tokens.dtype)
    used = np.zeros(len(rows), np.int64)
    first = full = 0
    for documents in block:
        here = sequence_of[first : first + len(documents.lengths)]
        full = _fill(rows, used, full, documents.tokens, documents.starts, here, num_full)
        first += len(here)
    for row in range(num_full, len(rows)):
        rows[row, used[row] :] = pad
    return rows


def fit(sizes: np.ndarray, length: int) -> np.ndarray:
    """Which sequence each size goes to, numbered from 0; -1 where the size is 0. Sizes are at most `length`.

    Largest first, each into the fullest sequence that still has room: O(n log n) for n sizes.
    """
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    sequence_of = np.full(len(sizes), -1, np.int64)
    sequence_of[order] = _best_fit_decreasing(sizes[order], length)
    return sequence_of


@njit(cache=True, nogil=True)
def _best_fit_decreasing(sizes, length):  # type: ignore[no-untyped-def]
    """Sequences are kept by their free places: one stack for each number, and a tree of which stacks are not empty."""
    leaves = 1
    while leaves <= length:
        leaves *= 2
    has_any = np.zeros(2 * leaves, np.bool_)  # node i has the children 2i and 2i + 1; leaf f is leaves + f
    top = np.full(length + 1, -1, np.int64)
    below = np.full(len(sizes), -1, np.int64)
    found = np.empty(len(sizes), np.int64)
    count = 0
    for item in range(len(sizes)):
        free = _least(has_any, leaves, sizes[item])
        if free < 0:
            sequence, free = count, length
            count += 1
        else:
            sequence = top[free]
            top[free] = below[sequence]
            if top[free] < 0:
                _mark(has_any, leaves + free, False)
        found[item] = sequence
        free -= sizes[item]
        if free > 0:
            below[sequence] = top[free]
            top[free] = sequence
            _mark(has_any, leaves + free, True)
    return found


@njit(cache=True, nogil=True)
def _mark(has_any, node, value):  # type: ignore[no-untyped-def]
    has_any[node] = value
    while node > 1:
        node //= 2
        has_any[node] = has_any[2 * node] or has_any[2 * node + 1]


@njit(cache=True, nogil=True)
def _least(has_any, leaves, size):  # type: ignore[no-untyped-def]
    """The smallest number of free places that is at least `size`; -1 where there is none."""
    node = leaves + size
    while not has_any[node]:
        while node % 2 == 1:  # from a right child up: the smaller numbers lie to the left
            node //= 2
        if node == 0:
            return -1
        node += 1
    while node < leaves:
        node = 2 * node if has_any[2 * node] else 2 * node + 1
    return node - leaves


@njit(cache=True, nogil=True)
def _fill(rows, used, full, tokens, starts, sequence_of, num_full):  # type: ignore[no-untyped-def]
    """Writes some documents into `rows`. `used` says how far the shared ones are filled, from row `num_full` on; `full`
    how many of the rows before it are, and is returned."""
    length = rows.shape[1]
    for document in range(len(starts) - 1):
        position, end = starts[document], starts[document + 1]
        while end - position >= length:
            rows[full] = tokens[position : position + length]
            position += length
            full += 1
        if position < end:
            row = num_full + sequence_of[document]
            rows[row, used[row] : used[row] + end - position] = tokens[position:end]
            used[row] += end - position
    return full
