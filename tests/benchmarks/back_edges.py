"""How many dependencies algorithm 1 puts after their file, beside the fewest that any order could.

    python -m tests.benchmarks.back_edges

Breaking every cycle at the least cost is the minimum feedback arc set. In strongly connected components of up to 18
files it is found exactly, by dynamic programming over subsets. A larger one gets bounds: below, the cycles that share
no edge, found greedily; above, what `keep_cycles_together` reaches.
"""

import argparse
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numba import njit

from pipelines.topological_sort.cycles import few_back_edges, places_by_component, strong_components
from pipelines.topological_sort.order import places
from tests.benchmarks.graph_accuracy import _sources
from tests.benchmarks.graph_accuracy.__main__ import CACHE
from tests.benchmarks.graph_speed import Run

MAX_EXACT_FILES = 18
PROJECTS = [
    lambda: _sources.pypi(CACHE, "networkx", "3.4.2"),
    lambda: _sources.pypi(CACHE, "django", "5.2.1"),
    lambda: _sources.pypi(CACHE, "sqlalchemy", "2.0.41"),
    lambda: _sources.debian(CACHE, "redis"),
    lambda: _sources.debian(CACHE, "leveldb"),
]


def edges_of(root: Path) -> tuple[int, np.ndarray]:
    """(number of files, edges as int64[edges, 2]) of the graph that the stage makes."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, root, 1)
        run.make_graph()
        files = run.files()
    place = {file.row: number for number, file in enumerate(files)}
    edges = [(place[file.row], place[row]) for file in files for row in file.dependencies]
    return len(files), np.array(edges, np.int64).reshape(-1, 2)


def back_edges(place: np.ndarray, edges: np.ndarray) -> int:
    return int((place[edges[:, 1]] > place[edges[:, 0]]).sum())


def fewest(num_files: int, edges: np.ndarray) -> tuple[int, int]:
    """Bounds of the fewest back edges that are possible; they are equal where the number is known."""
    component = strong_components(num_files, edges[:, 0], edges[:, 1])
    inside = edges[component[edges[:, 0]] == component[edges[:, 1]]]
    at_least = at_most = 0
    for label in np.unique(component[inside[:, 0]]):
        own = inside[component[inside[:, 0]] == label]
        members, ends = np.unique(own, return_inverse=True)
        ends = ends.reshape(-1, 2)
        if len(members) <= MAX_EXACT_FILES:
            exact = _exact(len(members), ends)
            at_least, at_most = at_least + exact, at_most + exact
        else:
            at_least += _disjoint_cycles(ends)
            at_most += back_edges(few_back_edges(len(members), ends[:, 0], ends[:, 1]), ends)
    return at_least, at_most


@njit
def _exact(num_files, ends):  # type: ignore[no-untyped-def]
    """Over all sets of files that may stand first: the cheapest order of each is that of a smaller one, and a last."""
    needs = np.zeros(num_files, np.int64)
    for i in range(len(ends)):
        needs[ends[i, 0]] |= 1 << ends[i, 1]
    best = np.full(1 << num_files, 1 << 30)
    best[0] = 0
    for chosen in range(1 << num_files):
        for last in range(num_files):
            if not chosen >> last & 1:
                after = needs[last] & ~chosen & ~(1 << last)
                cost = best[chosen]
                while after:
                    after &= after - 1
                    cost += 1
                best[chosen | 1 << last] = min(best[chosen | 1 << last], cost)
    return best[-1]


def _disjoint_cycles(ends: np.ndarray) -> int:
    """The number of cycles that a greedy search, shortest first, finds and takes the edges of."""
    needs: dict[int, set[int]] = defaultdict(set)
    for file, dependency in ends.tolist():
        needs[file].add(dependency)
    found = 0
    for length in range(2, len(needs) + 1):
        for start in sorted(needs):
            while cycle := _cycle(needs, start, length):
                for file, dependency in zip(cycle, [*cycle[1:], start], strict=True):
                    needs[file].discard(dependency)
                found += 1
        if not any(needs.values()):
            break
    return found


def _cycle(needs: dict[int, set[int]], start: int, max_length: int) -> list[int]:
    """The shortest cycle through `start`, of up to `max_length` files; empty where there is none."""
    came_from = {start: start}
    wave = [start]
    for _ in range(max_length):
        following = []
        for file in wave:
            for dependency in sorted(needs[file]):
                if dependency == start:
                    path = [file]
                    while path[-1] != start:
                        path.append(came_from[path[-1]])
                    return path[::-1]
                if dependency not in came_from:
                    came_from[dependency] = file
                    following.append(dependency)
        wave = following
    return []


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    CACHE.mkdir(exist_ok=True)
    print(f"{'project':<24} {'files':>6} {'edges':>7} {'algorithm 1':>12} {'cycles together':>16} {'fewest':>12}")
    for fetch in PROJECTS:
        name, root = fetch()
        num_files, edges = edges_of(root)
        ours = back_edges(places(num_files, edges[:, 0], edges[:, 1]), edges)
        together = back_edges(places_by_component(num_files, edges[:, 0], edges[:, 1]), edges)
        at_least, at_most = fewest(num_files, edges)
        known = str(at_least) if at_least == at_most else f"{at_least} to {at_most}"
        print(f"{name:<24} {num_files:6,} {len(edges):7,} {ours:12,} {together:16,} {known:>12}", flush=True)


if __name__ == "__main__":
    main()
