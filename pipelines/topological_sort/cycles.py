"""Cycles as blocks, cut where it costs least: an option beside algorithm 1.

Algorithm 1 takes the file of minimum in-degree wherever it lies. Where a package imports its own front door, every
test has an in-degree of one and comes before the code that it tests. Here each strongly connected component stands as
one block, after what it depends on; inside, the order is that of Eades, Lin and Smyth (A fast and effective heuristic
for the feedback arc set problem, 1993), which leaves few dependencies to come after their files.
"""

from heapq import heapify, heappop, heappush

import numpy as np
from numba import njit
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipelines.topological_sort.order import grouped, places, smallest_of_each


def places_by_component(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """Each file's place: int64[num_files]. File `files[i]` depends on the file `dependencies[i]`."""
    component = strong_components(num_files, files, dependencies)
    ends = component[files], component[dependencies]
    is_inside = ends[0] == ends[1]
    between = np.unique(np.column_stack(ends)[~is_inside], axis=0)
    among = places(num_files, between[:, 0], between[:, 1])
    inside = few_back_edges(num_files, files[is_inside], dependencies[is_inside])
    found = np.empty(num_files, np.int64)
    found[np.lexsort((inside, among[component]))] = np.arange(num_files)
    return found


def strong_components(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """For each file the smallest one that it depends on, at however many steps, and that depends on it: int64."""
    graph = csr_array((np.ones(len(files), np.int8), (files, dependencies)), (num_files, num_files))
    _, labels = connected_components(graph, directed=True, connection="strong")
    return smallest_of_each(labels)


def few_back_edges(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """Places in which at most half of the edges lead to a later file, and mostly far fewer. O((V + E) log V)."""
    found: np.ndarray = _few_back_edges(
        *grouped(files, dependencies, num_files), *grouped(dependencies, files, num_files)
    )
    return found


@njit(cache=True, nogil=True)
def _few_back_edges(needs, first_need, needed_by, first_needed_by):  # type: ignore[no-untyped-def]
    """File i needs `needs[first_need[i]:first_need[i + 1]]`. Takes files from both ends of the order, best first."""
    num_files = len(first_need) - 1
    num_needs, num_needed_by = np.diff(first_need), np.diff(first_needed_by)
    most = len(needs)
    keys = np.empty(num_files, np.int64)
    for number in range(num_files):
        keys[number] = _key(num_needs[number], num_needed_by[number], most) * num_files + number
    heap = list(keys)  # an entry that is no longer in `keys` is passed over
    heapify(heap)
    place = np.empty(num_files, np.int64)
    front, back = 0, num_files - 1
    while front <= back:
        key = heappop(heap)
        kind, file = divmod(key, num_files)
        if keys[file] != key:
            continue
        keys[file] = -1
        if kind == 1:
            place[file] = back
            back -= 1
        else:
            place[file] = front
            front += 1
        for others, counts, begin, end in (
            (needs, num_needed_by, first_need[file], first_need[file + 1]),
            (needed_by, num_needs, first_needed_by[file], first_needed_by[file + 1]),
        ):
            for other in others[begin:end]:
                if keys[other] >= 0:
                    counts[other] -= 1
                    keys[other] = _key(num_needs[other], num_needed_by[other], most) * num_files + other
                    heappush(heap, keys[other])
    return place


@njit(cache=True, nogil=True)
def _key(num_needs, num_needed_by, most):  # type: ignore[no-untyped-def]
    """0: nothing is missing, so to the front. 1: nothing waits, so to the back. Else by what the front gains."""
    if num_needs == 0:
        return 0
    if num_needed_by == 0:
        return 1
    return 2 + most + num_needs - num_needed_by
