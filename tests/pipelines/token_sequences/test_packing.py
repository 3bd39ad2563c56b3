"""Packing: every token once and in order, and padding only at the very end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.token_sequences.packing import pack

PAD = -1


def packed(documents: list[list[int]], length: int, rows_per_block: int = 4096) -> list[list[list[int]]]:
    blocks = pack((np.array(document, np.int32) for document in documents), length, PAD, rows_per_block)
    return [block.tolist() for block in blocks]


CASES = [
    pytest.param([], 3, [], id="no document"),
    pytest.param([[]], 3, [], id="an empty document"),
    pytest.param([[1]], 3, [[[1, PAD, PAD]]], id="a short one"),
    pytest.param([[1, 2, 3]], 3, [[[1, 2, 3]]], id="exactly one sequence"),
    pytest.param([[1, 2, 3, 4]], 3, [[[1, 2, 3], [4, PAD, PAD]]], id="one token more"),
    pytest.param([[1], [2, 3, 4], [5]], 3, [[[1, 2, 3], [4, 5, PAD]]], id="documents are cut where a sequence is full"),
]


@pytest.mark.parametrize(("documents", "length", "blocks"), CASES)
def test_pack(documents, length, blocks):
    assert packed(documents, length) == blocks


def test_blocks_are_given_out_as_soon_as_they_are_full():
    assert packed([[1, 2, 3], [4, 5], [6, 7, 8, 9, 10], [11]], 2, rows_per_block=2) == [
        [[1, 2], [3, 4]],
        [[5, 6], [7, 8], [9, 10]],
        [[11, PAD]],
    ]


@given(st.lists(st.lists(st.integers(0, 9), max_size=20), max_size=10), st.integers(2, 9), st.integers(1, 4))
def test_the_law(documents, length, rows_per_block):
    blocks = packed(documents, length, rows_per_block)
    tokens = [token for document in documents for token in document]
    flat = [token for block in blocks for row in block for token in row]
    assert all(len(row) == length for block in blocks for row in block)
    assert flat == tokens + [PAD] * (-len(tokens) % length)
    assert flat == [token for block in packed(documents, length) for row in block for token in row]


def test_blocks_are_of_32_bit_numbers():
    for block in pack([np.array([1, 2, 3], np.int32)], 2, PAD):
        assert (block.dtype, block.shape) == (np.int32, (2, 2))
