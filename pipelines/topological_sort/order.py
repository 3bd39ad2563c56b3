"""Algorithm 1 of DeepSeek-Coder (section 2.2): the files of each connected subgraph, dependencies first.

The paper takes, again and again, the file of minimum in-degree among those left, so that a cycle never stops it. It
leaves the choice among equals open; here the one with the smaller number goes first.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numba import njit


class Order(NamedTuple):
    """One number per file; all int64."""

    sample: np.ndarray  # the smallest file of the sample
    position: np.ndarray  # place in the sample, from 0
    num_back_edges: np.ndarray  # dependencies that come after the file


def order(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> Order:
    """Files are 0 to `num_files` - 1; file `files[i]` depends on the file `dependencies[i]`. Edges are distinct.

    Subgraphs do not touch each other's in-degrees, so all of them go through one heap: O((files + edges) log files).
    """
    sample = connected_subgraphs(num_files, files, dependencies)
    return arranged(sample, places(num_files, files, dependencies), files, dependencies)


def arranged(sample: np.ndarray, place: np.ndarray, files: np.ndarray, dependencies: np.ndarray) -> Order:
    """Samples are numbered as `sample` says; in each, files stand by ascending `place`."""
    is_back = place[dependencies] > place[files]
    num_back_edges = np.bincount(files[is_back], minlength=len(sample))
    return Order(sample, _rank_within(sample, place), num_back_edges)


def places(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """Each file's place in the order of all: int64[num_files]."""
    place = np.empty(num_files, np.int64)
    place[minimum_in_degree_order(num_files, files, dependencies)] = np.arange(num_files)
    return place


def connected_subgraphs(num_files: int, ends: np.ndarray, other_ends: np.ndarray) -> np.ndarray:
    """For each file the smallest one that a chain of edges, in whatever direction, joins it with: int64[num_files].

    Every round hooks each tree of files onto its smallest neighbour and flattens it: O(log files) rounds.
    """
    smallest = np.arange(num_files)
    while True:
        one, other = smallest[ends], smallest[other_ends]
        apart = one != other
        if not apart.any():
            return smallest
        ends, other_ends = ends[apart], other_ends[apart]
        one, other = one[apart], other[apart]
        np.minimum.at(smallest, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(smallest, smallest[smallest]):
            smallest = smallest[smallest]


def minimum_in_degree_order(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """The files, each with the fewest unplaced dependencies among those left; the smaller number among equals."""
    in_degree = np.bincount(files, minlength=num_files)
    found: np.ndarray = _minimum_in_degree_order(in_degree, *grouped(dependencies, files, num_files))
    return found


def grouped(keys: np.ndarray, values: np.ndarray, num_keys: int) -> tuple[np.ndarray, np.ndarray]:
    """(values sorted by key, where each key's begin)."""
    first = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=num_keys))])
    return values[np.argsort(keys, kind="stable")], first


def smallest_of_each(groups: np.ndarray) -> np.ndarray:
    """The groups, each named by its smallest member: int64, as long as `groups`."""
    _, first, members = np.unique(groups, return_index=True, return_inverse=True)
    found: np.ndarray = first[members]
    return found


@njit(cache=True, nogil=True)
def _minimum_in_degree_order(in_degree, dependents, first):  # type: ignore[no-untyped-def]
    """The dependents of file i are `dependents[first[i]:first[i + 1]]`. Uses `in_degree` up."""
    num_files = len(in_degree)
    found = np.empty(num_files, np.int64)
    # The heap holds in_degree * num_files + file. An entry whose in-degree is no longer true is passed over.
    heap = [degree * num_files + file for file, degree in enumerate(in_degree)]
    heapify(heap)
    num_found = 0
    while num_found < num_files:
        degree, file = divmod(heappop(heap), num_files)
        if degree != in_degree[file]:
            continue
        in_degree[file] = -1
        found[num_found] = file
        num_found += 1
        for dependent in dependents[first[file] : first[file + 1]]:
            if in_degree[dependent] >= 0:
                in_degree[dependent] -= 1
                heappush(heap, in_degree[dependent] * num_files + dependent)
    return found


def _rank_within(groups: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The rank of each element by `place` among those of its group, from 0."""
    in_order = np.lexsort((place, groups))
    grouped = groups[in_order]
    begins = np.flatnonzero(np.concatenate([[True], grouped[1:] != grouped[:-1]])) if len(groups) else np.empty(0, int)
    sizes = np.diff(np.append(begins, len(groups)))
    rank = np.empty(len(groups), np.int64)
    rank[in_order] = np.arange(len(groups)) - np.repeat(begins, sizes)
    return rank
