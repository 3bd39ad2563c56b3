"""Wires the topological sort: the edges of a row group, all its repositories at once, to places in samples."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import contract
from pipelines.config import StageConfig
from pipelines.stage import Annotate, Kernel, Stage, StageRun
from pipelines.topological_sort.order import order


class TopologicalSortConfig(StageConfig):
    """Nothing to set."""


def _kernel(run: StageRun[TopologicalSortConfig]) -> Kernel:
    return annotate


def annotate(table: pa.Table) -> pa.Table:
    """A table of `row` and `dependencies` to where each file stands. No edge leaves a repository, so none is asked for.

    What depends on a row that is not in the table, because an earlier stage dropped it, loses that edge.
    """
    rows = table.column("row").to_numpy()
    files, dependencies = _edges(rows, table.column("dependencies").combine_chunks())
    found = order(len(rows), files, dependencies)
    return pa.table(
        {
            "reason": pa.nulls(len(rows), pa.string()),
            "detail": pa.array([""] * len(rows), pa.string()),
            "sample": pa.array(rows[found.sample], pa.int32()),
            "position": pa.array(found.position, pa.int32()),
            "num_back_edges": pa.array(found.num_back_edges, pa.int32()),
        }
    )


def _edges(rows: np.ndarray, dependencies: pa.ListArray) -> tuple[np.ndarray, np.ndarray]:
    """(file, dependency) of every edge, as places in `rows`, which ascends."""
    files = pc.list_parent_indices(dependencies).to_numpy()
    wanted = pc.list_flatten(dependencies).to_numpy()
    places = np.searchsorted(rows, wanted)
    is_there = places < len(rows)
    is_there[is_there] = rows[places[is_there]] == wanted[is_there]
    return files[is_there], places[is_there]


STAGE = Stage(
    name="topological_sort",
    reads={"crawl": ("repository",), "dependency_graph": ("dependencies",)},
    writes=contract.TOPOLOGICAL_SORT,
    reasons=(),
    config=TopologicalSortConfig,
    steps=(Annotate(_kernel),),
    packages=("numpy", "numba"),
)
