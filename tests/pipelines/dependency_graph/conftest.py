"""Runs the kernel of the dependency graph on a repository that a test writes down."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pyarrow as pa
import pytest

from pipelines.dependency_graph.stage import DependencyGraphConfig, annotate
from pipelines.rule_filter.languages import language


class Graph(NamedTuple):
    """What the kernel says, by path; files without any are left out."""

    edges: dict[str, list[str]]
    unresolved: dict[str, list[str]]
    num_imports: dict[str, int]
    reasons: dict[str, str]


def as_table(files: Mapping[str, str], repository: str = "r", first_row: int = 0) -> pa.Table:
    """The living rows of one repository, as the runner hands them over."""
    paths = sorted(files)
    return pa.table(
        {
            "row": pa.array(range(first_row, first_row + len(paths)), pa.int32()),
            "repository": [repository] * len(paths),
            "path": paths,
            "content": pa.array([files[path] for path in paths], pa.large_string()),
            "language": [language(path, files[path]) for path in paths],
        }
    )


def kernel(files: Mapping[str, str], **settings: float) -> Graph:
    paths = sorted(files)
    answer = annotate(as_table(files), DependencyGraphConfig(**settings))
    rows = {name: dict(zip(paths, answer.column(name).to_pylist(), strict=True)) for name in answer.column_names}
    edges = {path: [paths[row] for row in found] for path, found in rows["dependencies"].items()}
    return Graph(*({path: value for path, value in found.items() if value} for found in
                   (edges, rows["unresolved"], rows["num_imports"], rows["reason"])))  # fmt: skip


@pytest.fixture
def graph() -> Callable[..., Graph]:
    return kernel


@pytest.fixture
def edges() -> Callable[[Mapping[str, str]], dict[str, list[str]]]:
    """path -> the paths it depends on, for every file that has any."""
    return lambda files: kernel(files).edges


@pytest.fixture
def table() -> Callable[..., pa.Table]:
    return as_table
