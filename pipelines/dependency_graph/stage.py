"""Wires the dependency graph: the files of a row group, repository by repository, to the rows they depend on."""

from collections.abc import Iterator

import pyarrow as pa
from pydantic import Field

from pipelines import contract
from pipelines.config import StageConfig
from pipelines.dependency_graph import resolve
from pipelines.dependency_graph.resolve import SourceFile
from pipelines.isolation import Isolated
from pipelines.stage import Annotate, Kernel, Stage, StageRun


class DependencyGraphConfig(StageConfig):
    # Code that people write takes 0.3 to 2. Counted and not timed, so that every machine drops the same files.
    max_parser_operations_per_byte: float = Field(5.0, gt=0)


def _kernel(run: StageRun[DependencyGraphConfig]) -> Kernel:
    extractor = Isolated(resolve.extract, run.config.max_parser_operations_per_byte)
    return lambda table: annotate(table, extractor)


def annotate(table: pa.Table, extractor: Isolated) -> pa.Table:
    """A table of `row`, `is_live`, `repository`, `path`, `content` and `language` to what each file depends on."""
    found = list(resolve.dependencies(_files(table), extractor))
    return pa.table(
        {
            "reason": pa.array([file.reason for file in found], pa.string()),
            "detail": pa.array([file.detail for file in found], pa.string()),
            "dependencies": pa.array([file.rows for file in found], pa.list_(pa.int32())),
            "imported_as": pa.array([file.imported_as for file in found], pa.list_(pa.string())),
            "num_imports": pa.array([file.num_imports for file in found], pa.int32()),
            "num_resolved": pa.array([file.num_resolved for file in found], pa.int32()),
            "unresolved": pa.array([file.unresolved for file in found], pa.list_(pa.string())),
        }
    )


def _files(table: pa.Table) -> Iterator[SourceFile]:
    """The rows one by one, so that the text of one repository at a time is in memory twice."""
    for batch in table.to_batches(max_chunksize=256):
        columns = [batch.column(name).to_pylist() for name in ("row", "repository", "path", "language")]
        contents = batch.column("content").cast(pa.large_binary()).to_pylist()
        yield from map(SourceFile, *columns, contents, batch.column("is_live").to_pylist())


STAGE = Stage(
    name="dependency_graph",
    reads={"crawl": ("repository", "path", "content"), "rule_filter": ("language",)},
    writes=contract.DEPENDENCY_GRAPH,
    reasons=("parser_crash", "parser_timeout"),
    config=DependencyGraphConfig,
    sees_dropped=True,  # a go.mod is no training text, but says what an import means
    steps=(Annotate(_kernel),),
    packages=("tree-sitter", "tree-sitter-language-pack", "tree-sitter-c-sharp"),
)
