"""From candidate pairs to what is kept: union-find over edges, and each member checked against what is kept.

Similarity is not transitive: in a chain a ~ b ~ c, c may be unlike a. Who drops whole components loses most of a
source to a few chains. Here a member is dropped only where it is itself near one that stays. One pass in the order of
preference, linear in the number of pairs. On more items than one machine holds (some hundred millions), the components
would come from large-star / small-star rounds of shuffles (Kiveris et al. 2014, SoCC) over the same pairs.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

KEPT = -1
MAX_KEEPERS = 64  # of a cluster, with which each of its members is compared though they never met in a bucket


class Candidates(NamedTuple):
    """The candidates of one level. Items are numbered in the order of preference."""

    pairs: np.ndarray  # uint64[pairs], ascending: the larger item in the high half, the smaller one in the low half
    groups: np.ndarray  # int64[kinds, items]: the first item with the same digest; -1 where there is no other
    owners: np.ndarray  # int32[items]
    num_earlier: int  # items of earlier runs: they are the first, and stay
    rows: np.ndarray  # int64[items]: the row of `signatures`; -1 for those in no pair
    signatures: np.ndarray  # uint64[n, permutations]
    set_starts: np.ndarray  # int64[items]: where the item's shingles begin in `sets`
    set_ends: np.ndarray  # int64[items]: and end; equal where they are not known
    sets: np.ndarray  # uint64: the shingles of an item, ascending


class Verdicts(NamedTuple):
    """What becomes of each item."""

    keepers: np.ndarray  # int64[items]: what is kept instead, or KEPT
    similarities: np.ndarray  # float32[items]: to the keeper; 0 where kept
    kinds: np.ndarray  # int8[items]: number of the digest, or their count where near; -1 where kept


@njit(cache=True, nogil=True)
def roots(num_items, ones, others):  # type: ignore[no-untyped-def]
    """The smallest item of each item's component (int64[num_items]), where an edge joins ones[i] and others[i]."""
    root = np.arange(num_items)
    for i in range(len(ones)):
        one, other = np.int64(ones[i]), np.int64(others[i])
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        while root[other] != other:
            root[other] = root[root[other]]
            other = root[other]
        if one < other:
            root[other] = one
        else:
            root[one] = other
    for item in range(num_items):  # a root is smaller than its members, so it is settled before them
        root[item] = root[root[item]]
    return root


@njit(cache=True, nogil=True)
def equal_minima(signatures, rows, ones, others):  # type: ignore[no-untyped-def]
    """How many permutations of ones[i] and others[i] have the same minimum (int32)."""
    found = np.zeros(len(ones), np.int32)
    for i in range(len(ones)):
        a, b = rows[np.int64(ones[i])], rows[np.int64(others[i])]
        for place in range(signatures.shape[1]):
            found[i] += signatures[a, place] == signatures[b, place]
    return found


@njit(cache=True, nogil=True)
def jaccard(one, other):  # type: ignore[no-untyped-def]
    """The Jaccard similarity of two sets: arrays in ascending order."""
    i = j = common = 0
    while i < len(one) and j < len(other):
        if one[i] == other[j]:
            common += 1
            i += 1
            j += 1
        elif one[i] < other[j]:
            i += 1
        else:
            j += 1
    union = len(one) + len(other) - common
    return common / union if union else 0.0


@njit(cache=True, nogil=True)
def _similarity(low_item, item, found, threshold, low, high):  # type: ignore[no-untyped-def]
    """How similar two items are, where they are near; else 0. Exact where the estimate leaves a doubt."""
    one, other = found.rows[low_item], found.rows[item]
    num_permutations = found.signatures.shape[1]
    equal = 0
    for place in range(num_permutations):
        equal += found.signatures[one, place] == found.signatures[other, place]
    if equal >= high:
        return equal / num_permutations
    if equal < low:
        return 0.0
    if found.set_ends[low_item] > found.set_starts[low_item] and found.set_ends[item] > found.set_starts[item]:
        one_set = found.sets[found.set_starts[low_item] : found.set_ends[low_item]]
        other_set = found.sets[found.set_starts[item] : found.set_ends[item]]
        exact = jaccard(one_set, other_set)
        return exact if exact >= threshold else 0.0
    # The text of an earlier run is not read again, so there the estimate has to do. Else nobody had reason to doubt.
    if low_item < found.num_earlier and equal >= threshold * num_permutations:
        return equal / num_permutations
    return 0.0


@njit(cache=True, nogil=True)
def _nearest_kept(item, keepers, tried, found, threshold, low, high):  # type: ignore[no-untyped-def]
    """(the nearest kept item, its similarity) among those that met `item`, those kept instead of them, and `tried`."""
    best, best_similarity = np.int64(KEPT), 0.0
    begin = np.searchsorted(found.pairs, np.uint64(item) << np.uint64(32))
    place = begin
    while place < len(found.pairs) and found.pairs[place] >> np.uint64(32) == np.uint64(item):
        met = np.int64(found.pairs[place] & np.uint64(0xFFFFFFFF))
        keeper = met if keepers[met] == KEPT else keepers[met]
        if found.rows[keeper] >= 0:
            similarity = _similarity(keeper, item, found, threshold, low, high)
            if similarity > best_similarity or (similarity == best_similarity and keeper < best):
                best, best_similarity = keeper, similarity
        place += 1
    for keeper in tried:
        similarity = _similarity(keeper, item, found, threshold, low, high)
        if similarity > best_similarity or (similarity == best_similarity > 0 and keeper < best):
            best, best_similarity = keeper, similarity
    return best, best_similarity


@njit(cache=True, nogil=True)
def _same(item, kept_of_group, groups, owners, across_owners):  # type: ignore[no-untyped-def]
    """(the kept item with a digest of `item`, the number of the digest), or (KEPT, 0)."""
    for kind in range(len(groups)):
        group = groups[kind, item]
        if group >= 0:
            keeper = kept_of_group[kind, group]
            if keeper >= 0 and not (across_owners and owners[keeper] == owners[item]):
                return keeper, kind
    return np.int64(KEPT), 0


@njit(cache=True, nogil=True)
def decide(found, root, threshold, low, high, across_owners):  # type: ignore[no-untyped-def]
    """(keepers, similarities, kinds) as in `Verdicts`: one pass over the items, the most preferred first.

    `root` is that of the pairs. Where `across_owners`, items of one owner may share a digest.
    """
    num_items, num_kinds = len(root), len(found.groups)
    keepers = np.full(num_items, KEPT, np.int64)
    similarities = np.zeros(num_items, np.float32)
    kinds = np.full(num_items, np.int8(-1))
    kept_of_group = np.full((num_kinds, num_items), np.int64(KEPT))
    kept_of_cluster = np.full(num_items, np.int64(-1))  # the last keeper of a cluster, then `previous` of each
    previous = np.full(num_items, np.int64(-1))
    num_kept = np.zeros(num_items, np.int32)
    tried = np.empty(MAX_KEEPERS, np.int64)
    for item in range(num_items):
        if item >= found.num_earlier:
            keeper, kind = _same(item, kept_of_group, found.groups, found.owners, across_owners)
            similarity = 1.0
            if keeper == KEPT and found.rows[item] >= 0:
                keeper, count = kept_of_cluster[root[item]], 0
                while keeper >= 0:
                    tried[count] = keeper
                    count += 1
                    keeper = previous[keeper]
                keeper, similarity = _nearest_kept(item, keepers, tried[:count], found, threshold, low, high)
                kind = num_kinds
            if keeper != KEPT:
                keepers[item], similarities[item], kinds[item] = keeper, similarity, kind
                continue
        for kind in range(num_kinds):
            group = found.groups[kind, item]
            if group >= 0 and kept_of_group[kind, group] == KEPT:
                kept_of_group[kind, group] = item
        if found.rows[item] >= 0 and num_kept[root[item]] < MAX_KEEPERS:
            num_kept[root[item]] += 1
            previous[item] = kept_of_cluster[root[item]]
            kept_of_cluster[root[item]] = item
    return keepers, similarities, kinds
