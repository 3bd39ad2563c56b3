"""The report's table of dependencies: by language, how many imports there are, and how many are files we have."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Record = dict[str, Any]
COUNTS = ("files", "with_dependencies", "dependencies", "imports", "resolved", "back_edges")


def by_language(run_folder: Path) -> list[Record]:
    """One row per language that has an import or a dependency, most files first. Empty where there is no graph."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted((run_folder / "dependency_graph").glob("files-*.parquet")):
        order = run_folder / "topological_sort" / path.name
        if order.is_file():
            _count(found, path, run_folder / "rule_filter" / path.name, order)
    shown: list[Record] = []
    for language, counts in found.items():
        if counts["imports"] or counts["dependencies"]:
            share = counts["resolved"] / counts["imports"] if counts["imports"] else None
            shown.append({"language": language, **{name: counts[name] for name in COUNTS}, "resolved_share": share})
    return sorted(shown, key=lambda row: (-row["files"], row["language"]))


def _count(found: dict[str, Counter[str]], graph: Path, filtered: Path, order: Path) -> None:
    """Adds one shard's files, by language."""
    columns = ["measured", "dependencies", "num_imports", "num_resolved"]
    table = pq.read_table(graph, columns=columns)
    table = table.append_column("language", pq.read_table(filtered, columns=["language"])["language"])
    table = table.append_column("back_edges", pq.read_table(order, columns=["num_back_edges"])["num_back_edges"])
    table = table.filter(table["measured"])
    lengths = pc.list_value_length(table["dependencies"])
    rows = zip(
        table["language"].to_pylist(),
        pc.greater(lengths, 0).cast(pa.int64()).to_pylist(),
        lengths.to_pylist(),
        *(table[name].to_pylist() for name in ("num_imports", "num_resolved", "back_edges")),
        strict=True,
    )
    for language, *numbers in rows:
        found[language].update(dict(zip(COUNTS, (1, *numbers), strict=True)))
