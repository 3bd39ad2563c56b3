"""A keyed shuffle that needs no memory: a Feistel network, with cycle walking to sizes that are no power of two.

Any index of any epoch is found at once and on any process, which is what makes resuming exact and cheap.
"""

import hashlib

import numpy as np
import numpy.typing as npt

NUM_ROUNDS = 6
Indices = npt.NDArray[np.uint64]


def permute(indices: Indices, size: int, key: bytes) -> Indices:
    """Where `indices` (each below `size`) go in the permutation of range(size) that `key` names."""
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    round_keys = np.frombuffer(hashlib.blake2b(key, digest_size=8 * NUM_ROUNDS).digest(), dtype="<u8")
    moved = _feistel(indices, half_bits, round_keys)
    while (outside := moved >= size).any():  # the network permutes at most 4 x size numbers: a few walks are enough
        moved[outside] = _feistel(moved[outside], half_bits, round_keys)
    return moved


def _feistel(numbers: Indices, half_bits: int, round_keys: Indices) -> Indices:
    bits, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = numbers >> bits, numbers & mask
    for round_key in round_keys:
        left, right = right, left ^ (_mix(right ^ round_key) & mask)
    return (left << bits) | right


def _mix(numbers: Indices) -> Indices:
    """The finalizer of SplitMix64: every bit of the input moves about half of the bits of the output."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
