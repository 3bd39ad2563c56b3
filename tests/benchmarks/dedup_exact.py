"""The Jaccard similarity of all pairs of sets, exactly, by an inverted index: no signature, no bucket, no sample."""

from typing import NamedTuple

import numpy as np
from numba import njit


class Pairs(NamedTuple):
    """Pairs of sets, the first one before the second one."""

    ones: np.ndarray  # int64
    others: np.ndarray  # int64
    similarities: np.ndarray  # float64


def all_pairs(sets: list[np.ndarray], low: float) -> Pairs:
    """The pairs of at least `low` similarity. A set is an array without repetition (uint64)."""
    sizes = np.array([len(found) for found in sets])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    _, terms = np.unique(np.concatenate(sets), return_inverse=True)
    owners = np.repeat(np.arange(len(sets)), sizes)[np.argsort(terms, kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(terms))])
    return Pairs(*_all_pairs(terms, offsets, owners, bounds, sizes, low))


@njit(cache=True)
def _all_pairs(terms, offsets, owners, bounds, sizes, low):  # type: ignore[no-untyped-def]
    ones, others, similarities = [0], [0], [0.0]
    common = np.zeros(len(sizes), np.int64)
    for item in range(len(sizes)):
        common[:item] = 0
        for place in range(offsets[item], offsets[item + 1]):
            for entry in range(bounds[terms[place]], bounds[terms[place] + 1]):
                if owners[entry] >= item:
                    break
                common[owners[entry]] += 1
        for before in range(item):
            union = sizes[item] + sizes[before] - common[before]
            if union > 0 and common[before] >= low * union:
                ones.append(before)
                others.append(item)
                similarities.append(common[before] / union)
    return np.array(ones[1:]), np.array(others[1:]), np.array(similarities[1:])


def kept_one_by_one(pairs: Pairs, num_items: int, threshold: float) -> np.ndarray:
    """bool[num_items]: what stays where each, in order, is dropped if a kept one is near it."""
    is_kept = np.ones(num_items, np.bool_)
    near = pairs.similarities >= threshold
    for later, before in sorted(zip(pairs.others[near].tolist(), pairs.ones[near].tolist(), strict=True)):
        if is_kept[before]:
            is_kept[later] = False
    return is_kept
