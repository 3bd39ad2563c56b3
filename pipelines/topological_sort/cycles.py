"""Files on one cycle, side by side: an option beside algorithm 1.

Algorithm 1 takes the file of minimum in-degree wherever it lies, so that files of two cycles, and files between them,
may alternate. Here each strongly connected component stands as one block where its dependencies have come before it.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipelines.topological_sort.order import places


def places_by_component(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """Each file's place: int64[num_files]. Components among each other, and files in one, follow algorithm 1."""
    component = strong_components(num_files, files, dependencies)
    ends = component[files], component[dependencies]
    is_inside = ends[0] == ends[1]
    between = np.unique(np.column_stack(ends)[~is_inside], axis=0)
    among = places(num_files, between[:, 0], between[:, 1])
    inside = places(num_files, files[is_inside], dependencies[is_inside])
    found = np.empty(num_files, np.int64)
    found[np.lexsort((inside, among[component]))] = np.arange(num_files)
    return found


def strong_components(num_files: int, files: np.ndarray, dependencies: np.ndarray) -> np.ndarray:
    """For each file the smallest one that it depends on, at however many steps, and that depends on it: int64."""
    graph = csr_array((np.ones(len(files), np.int8), (files, dependencies)), (num_files, num_files))
    num_components, labels = connected_components(graph, directed=True, connection="strong")
    smallest = np.full(num_components, num_files)
    np.minimum.at(smallest, labels, np.arange(num_files))
    found: np.ndarray = smallest[labels]
    return found
