"""Wires the dependency graph: the files of a row group, repository by repository, to the rows they depend on."""

from collections.abc import Iterator

import pyarrow as pa
from pydantic import Field

from pipelines import contract
from pipelines.config import StageConfig
from pipelines.dependency_graph import resolve
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.resolve import SourceFile
from pipelines.stage import Annotate, Kernel, Stage, StageRun


class DependencyGraphConfig(StageConfig):
    # Code that people write takes 0.3 to 2. Counted and not timed, so that every machine drops the same files.
    max_parser_operations_per_byte: float = Field(5.0, gt=0)


def _kernel(run: StageRun[DependencyGraphConfig]) -> Kernel:
    return lambda table: annotate(table, run.config)


def annotate(table: pa.Table, config: DependencyGraphConfig) -> pa.Table:
    """A table of `row`, `repository`, `path`, `content` and `language` to the rows that each file depends on."""
    found = list(resolve.dependencies(_files(table), Syntax(config.max_parser_operations_per_byte)))
    return pa.table(
        {
            "reason": pa.array(["parser_timeout" if file.timeout else None for file in found], pa.string()),
            "detail": pa.array([file.timeout for file in found], pa.string()),
            "dependencies": pa.array([file.rows for file in found], pa.list_(pa.int32())),
            "num_imports": pa.array([file.num_imports for file in found], pa.int32()),
            "unresolved": pa.array([file.unresolved for file in found], pa.list_(pa.string())),
        }
    )


def _files(table: pa.Table) -> Iterator[SourceFile]:
    """The rows one by one, so that the text of one repository at a time is in memory twice."""
    for batch in table.to_batches(max_chunksize=256):
        columns = [batch.column(name) for name in ("row", "repository", "path", "language")]
        contents = batch.column("content").cast(pa.large_binary())
        yield from map(SourceFile, *(column.to_pylist() for column in columns), contents.to_pylist())


STAGE = Stage(
    name="dependency_graph",
    reads={"crawl": ("repository", "path", "content"), "rule_filter": ("language",)},
    writes=contract.DEPENDENCY_GRAPH,
    reasons=("parser_timeout",),
    config=DependencyGraphConfig,
    steps=(Annotate(_kernel),),
    packages=("tree-sitter", "tree-sitter-language-pack", "tree-sitter-c-sharp"),
)
