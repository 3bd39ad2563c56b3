"""The edges of the dependency graph among the rows that a stage sees."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def among(rows: np.ndarray, dependencies: pa.ListArray) -> tuple[np.ndarray, np.ndarray]:
    """(file, dependency) of every edge, as places in `rows`, which ascends; int64.

    `dependencies[i]` are rows of the shard. One that is not in `rows`, since an earlier stage dropped it, has no edge.
    """
    files = pc.list_parent_indices(dependencies).to_numpy()
    wanted = pc.list_flatten(dependencies).to_numpy()
    places = np.searchsorted(rows, wanted)
    is_there = places < len(rows)
    is_there[is_there] = rows[places[is_there]] == wanted[is_there]
    return files[is_there], places[is_there]
