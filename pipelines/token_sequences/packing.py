"""Packs documents into sequences of one length: one after the other, cut where a sequence is full."""

from collections.abc import Iterable, Iterator

import numpy as np


def pack(documents: Iterable[np.ndarray], length: int, pad: int, rows_per_block: int = 4096) -> Iterator[np.ndarray]:
    """Blocks of sequences (int32[rows, length]) that hold every token of the documents once and in order.

    Only the end of the last sequence is filled up with `pad`.
    """
    waiting: list[np.ndarray] = []
    num_waiting = 0
    for document in documents:
        waiting.append(document)
        num_waiting += len(document)
        if num_waiting >= length * rows_per_block:
            tokens = np.concatenate(waiting)
            whole = len(tokens) // length * length
            yield tokens[:whole].reshape(-1, length)
            waiting, num_waiting = [tokens[whole:]], len(tokens) - whole
    tokens = np.concatenate([*waiting, np.empty(0, np.int32)])
    if len(tokens):
        padding = np.full(-len(tokens) % length, pad, np.int32)
        yield np.concatenate([tokens, padding]).astype(np.int32).reshape(-1, length)
