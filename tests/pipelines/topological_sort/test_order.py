"""Algorithm 1, against the plain definition."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.topological_sort.order import order
from pipelines.topological_sort.stage import TopologicalSortConfig, annotate

Edges = list[tuple[int, int]]  # (file, what it depends on)


def algorithm_1(num_files: int, edges: Edges) -> list[list[int]]:
    """The paper's, line by line: O(files^2)."""
    graphs = {file: [a for a, b in edges if b == file] for file in range(num_files)}
    in_degree = {file: sum(a == file for a, _ in edges) for file in range(num_files)}
    results = []
    for subgraph in disconnected_subgraphs(num_files, edges):
        placed: list[int] = []
        while len(placed) != len(subgraph):
            file = min((f for f in subgraph if f not in placed), key=lambda f: (in_degree[f], f))
            for dependent in graphs[file]:
                in_degree[dependent] -= 1
            placed.append(file)
        results.append(placed)
    return results


def disconnected_subgraphs(num_files: int, edges: Edges) -> list[list[int]]:
    found: list[set[int]] = [{file} for file in range(num_files)]
    for a, b in edges:
        one, other = (next(group for group in found if end in group) for end in (a, b))
        if one is not other:
            found.remove(other)
            one |= other
    return sorted(sorted(group) for group in found)


def samples(num_files: int, edges: Edges) -> list[list[int]]:
    """The samples as lists of files, by what `order` says."""
    ends = np.array(edges, np.int64).reshape(-1, 2)
    found = order(num_files, ends[:, 0], ends[:, 1])
    by_sample: dict[int, list[tuple[int, int]]] = {}
    for file in range(num_files):
        by_sample.setdefault(int(found.sample[file]), []).append((int(found.position[file]), file))
    assert all([place for place, _ in sorted(group)] == list(range(len(group))) for group in by_sample.values())
    return [[file for _, file in sorted(group)] for _, group in sorted(by_sample.items())]


CASES = [
    ("no file", 0, [], []),
    ("no edge: each file is a sample", 3, [], [[0], [1], [2]]),
    ("a chain, dependencies first", 3, [(0, 1), (1, 2)], [[2, 1, 0]]),
    ("ties go by path", 4, [(3, 0), (3, 2), (3, 1)], [[0, 1, 2, 3]]),
    ("a diamond", 4, [(0, 1), (0, 2), (1, 3), (2, 3)], [[3, 1, 2, 0]]),
    ("two subgraphs", 4, [(0, 2), (3, 1)], [[2, 0], [1, 3]]),
    ("a cycle is entered at its first file", 3, [(0, 1), (1, 2), (2, 0)], [[0, 2, 1]]),
    ("a cycle is entered where fewest dependencies are missing", 3, [(0, 1), (1, 0), (0, 2), (2, 0)], [[1, 0, 2]]),
    ("what a cycle depends on comes first", 3, [(0, 1), (1, 0), (0, 2)], [[2, 0, 1]]),
]


@pytest.mark.parametrize(("num_files", "edges", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_order(num_files, edges, expected):
    assert samples(num_files, edges) == expected
    assert algorithm_1(num_files, edges) == expected


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> tuple[int, Edges]:
    num_files = draw(st.integers(1, 14))
    ends = st.tuples(*[st.integers(0, num_files - 1)] * 2).filter(lambda edge: edge[0] != edge[1])
    if acyclic:
        names = draw(st.permutations(range(num_files)))
        ends = ends.map(lambda edge: (names[max(edge)], names[min(edge)]))
    return num_files, draw(st.lists(ends, unique=True, max_size=2 * num_files) if num_files > 1 else st.just([]))


@given(graphs())
def test_the_order_is_the_papers_on_any_graph(graph):
    assert samples(*graph) == algorithm_1(*graph)


@given(graphs(acyclic=True))
def test_without_a_cycle_every_file_follows_its_dependencies(graph):
    num_files, edges = graph
    place = {file: place for sample in samples(num_files, edges) for place, file in enumerate(sample)}
    assert all(place[dependency] < place[file] for file, dependency in edges)
    ends = np.array(edges, np.int64).reshape(-1, 2)
    assert not order(num_files, ends[:, 0], ends[:, 1]).num_back_edges.any()


@given(graphs())
def test_back_edges_are_the_dependencies_that_come_later(graph):
    num_files, edges = graph
    place = {file: place for sample in samples(num_files, edges) for place, file in enumerate(sample)}
    ends = np.array(edges, np.int64).reshape(-1, 2)
    found = order(num_files, ends[:, 0], ends[:, 1]).num_back_edges.tolist()
    assert found == [sum(a == file and place[b] > place[a] for a, b in edges) for file in range(num_files)]


def test_the_kernel_speaks_of_rows_of_the_shard_and_ignores_edges_to_rows_that_are_gone():
    table = pa.table(
        {
            "row": pa.array([3, 5, 8, 9], pa.int32()),
            "dependencies": pa.array([[4, 8, 10], [], [5], [0]], pa.list_(pa.int32())),
        }
    )
    answer = annotate(table, TopologicalSortConfig())
    assert answer.column("sample").to_pylist() == [3, 3, 3, 9]
    assert answer.column("position").to_pylist() == [2, 0, 1, 0]
    assert answer.column("num_back_edges").to_pylist() == [0, 0, 0, 0]
    assert answer.column("reason").to_pylist() == [None] * 4


def test_the_kernel_takes_no_rows():
    table = pa.table({"row": pa.array([], pa.int32()), "dependencies": pa.array([], pa.list_(pa.int32()))})
    assert annotate(table, TopologicalSortConfig()).num_rows == 0


def test_a_sliced_and_chunked_column_is_read_right():
    lists = pa.array([[7], [1], [0], [1]], pa.list_(pa.int32()))
    column = pa.chunked_array([lists.slice(1, 2), lists.slice(3, 1)])
    table = pa.table({"row": pa.array([0, 1, 2], pa.int32()), "dependencies": column})
    answer = annotate(table, TopologicalSortConfig())
    assert answer.column("position").to_pylist() == [0, 1, 2]


def test_a_run_orders_what_the_dependency_graph_found(sources, run_stages, run_folder):
    import pyarrow.parquet as pq

    sources(
        {
            "r/a.py": "import b\n",
            "r/b.py": "import c\n",
            "r/c.py": "three = 1\n",
            "r/d.py": "four = 1\n",
            "q/a.py": "five = 2\n",
        }
    )
    shards = run_stages("crawl", "rule_filter", "dependency_graph", "topological_sort")["topological_sort"].shards
    tables = [pq.read_table(f"{run_folder}/topological_sort/{shard}") for shard in shards]
    rows = [row for table in tables for row in table.to_pylist()]
    assert sorted(row["position"] for row in rows) == [0, 0, 0, 1, 2]
