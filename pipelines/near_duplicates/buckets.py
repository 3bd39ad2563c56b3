"""Locality-sensitive hashing: what agrees on a band of its signature meets in a bucket (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, section 3.4). Who meets is a candidate, not yet a duplicate.

What is shuffled is 25 bytes per item and band, in blocks: a part of all keys is sorted at once by one worker. In a
bucket, each member is paired with the most preferred one, and with the next few in the order of the rows that follow
the band: neighbours in it agree on more of their signatures. So a bucket of n members costs n, and a pair in a hot
bucket whose first member is unlike both is still found.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numba import njit

from pipelines.near_duplicates.distinct import distinct

NEAR = -1
# kind: NEAR, or the number of the digest that is equal. For a digest, (key, order) is all of its 128 bits.
ENTRY = np.dtype([("key", "<u8"), ("order", "<u8"), ("item", "<u4"), ("kind", "i1")])
ENTRIES_PER_PART = 4_000_000
MAX_ITEMS = 2**32 - 1
ORDER_ROWS = 8  # of which one byte each makes the order


def of_signatures(signatures: np.ndarray, items: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """The entries of a matrix of signatures (uint64[n, permutations]): one for each of the n items and each band."""
    found = np.empty(len(items) * bands, ENTRY)
    found["item"] = np.repeat(items, bands)
    found["kind"] = NEAR
    keys, orders = np.empty(len(found), np.uint64), np.empty(len(found), np.uint64)
    _band_keys(signatures, bands, rows, keys, orders)
    found["key"], found["order"] = keys, orders
    return found


@njit(cache=True, nogil=True)
def _mix(x):  # type: ignore[no-untyped-def]
    """The finalizer of SplitMix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _band_keys(signatures, bands, rows, keys, orders):  # type: ignore[no-untyped-def]
    num_permutations = signatures.shape[1]
    place = 0
    for item in range(len(signatures)):
        for band in range(bands):
            key = np.uint64(band + 1)
            for row in range(band * rows, (band + 1) * rows):
                key = _mix(key * np.uint64(0x9E3779B97F4A7C15) + signatures[item, row])
            order = np.uint64(0)
            for after in range((band + 1) * rows, (band + 1) * rows + ORDER_ROWS):
                low_byte = _mix(signatures[item, after % num_permutations]) & np.uint64(0xFF)
                order = order << np.uint64(8) | low_byte
            keys[place], orders[place] = key, order
            place += 1


def of_digests(digests: np.ndarray, items: np.ndarray, kind: int) -> np.ndarray:
    """The entries of 128-bit digests (uint64[n, 2])."""
    found = np.empty(len(items), ENTRY)
    found["key"], found["order"] = digests[:, 0], digests[:, 1]
    found["item"], found["kind"] = items, kind
    return found


def num_parts(num_entries: int) -> int:
    """Into how many parts so many entries are shuffled. It follows from the data, not from who works on it."""
    return -(-num_entries // ENTRIES_PER_PART) or 1


def split(entries: np.ndarray, parts: int) -> Iterator[tuple[int, bytes]]:
    """(number of the part, its entries) for every part that has any."""
    part_of = entries["key"] % np.uint64(parts)
    order = np.argsort(part_of, kind="stable")
    bounds = np.searchsorted(part_of[order], np.arange(parts + 1, dtype=np.uint64))
    for part in range(parts):
        chosen = order[bounds[part] : bounds[part + 1]]
        if len(chosen):
            yield part, entries[chosen].tobytes()


def edges(blocks: Iterable[bytes], num_neighbours: int) -> tuple[np.ndarray, np.ndarray]:
    """The candidate pairs (uint64, smaller item in the high half) and the exact groups (kind, item, first: int64[n, 3])
    of the buckets of one part. The order of the blocks does not matter."""
    entries = _shared(np.concatenate([np.empty(0, ENTRY), *(np.frombuffer(block, ENTRY) for block in blocks)]))
    entries = entries[np.lexsort((entries["item"], entries["order"], entries["key"], entries["kind"]))]
    is_near = entries["kind"] == NEAR
    near, exact = entries[is_near], entries[~is_near]
    keys, items = np.ascontiguousarray(near["key"]), near["item"].astype(np.uint64)
    pairs = np.empty(_num_pairs(keys, num_neighbours), np.uint64)
    _pairs(keys, items, num_neighbours, pairs)
    return distinct(pairs), _groups(exact)


def _shared(entries: np.ndarray) -> np.ndarray:
    """Those whose key another one has too: mostly few, and only they are put into the full order."""
    keys = np.ascontiguousarray(entries["key"])
    by_key = np.argsort(keys)
    is_same = np.diff(keys[by_key]) == 0
    is_shared = np.zeros(len(keys), np.bool_)
    is_shared[1:] = is_same
    is_shared[:-1] |= is_same
    found: np.ndarray = entries[by_key[is_shared]]
    return found


@njit(cache=True, nogil=True)
def _num_pairs(keys, num_neighbours):  # type: ignore[no-untyped-def]
    count = first = 0
    for place in range(1, len(keys)):
        if keys[place] != keys[first]:
            first = place
        count += min(place - first, num_neighbours) + (place > first)
    return count


@njit(cache=True, nogil=True)
def _pairs(keys, items, num_neighbours, pairs):  # type: ignore[no-untyped-def]
    """Fills `pairs`: each item with the smallest one of its bucket, and with those just before it in the order."""
    count = first = 0
    while first < len(keys):
        last = first + 1
        smallest = items[first]
        while last < len(keys) and keys[last] == keys[first]:
            smallest = min(smallest, items[last])
            last += 1
        for place in range(first, last):
            one = items[place]
            if one != smallest:
                pairs[count] = smallest << np.uint64(32) | one
                count += 1
            for before in range(max(first, place - num_neighbours), place):
                low, high = min(one, items[before]), max(one, items[before])
                pairs[count] = low << np.uint64(32) | high
                count += 1
        first = last


def _groups(exact: np.ndarray) -> np.ndarray:
    """(kind, item, smallest item) for every item that shares a digest. `exact` is sorted."""
    if not len(exact):
        return np.empty((0, 3), np.int64)
    starts = np.ones(len(exact), np.bool_)
    for name in ("kind", "key", "order"):
        starts[1:] &= exact[name][1:] == exact[name][:-1]
    starts[1:] = ~starts[1:]
    group = np.cumsum(starts) - 1
    is_shared = np.bincount(group)[group] > 1
    first = exact["item"][np.flatnonzero(starts)][group]
    found = np.stack([exact["kind"].astype(np.int64), exact["item"].astype(np.int64), first.astype(np.int64)], 1)
    shared: np.ndarray = found[is_shared]
    return shared
