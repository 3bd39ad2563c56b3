"""The benchmark tasks that a corpus is cleaned against, as eval has written them, and which of their texts count."""

from typing import Any

import pyarrow as pa

from pipelines import contract, rows, storage

# For an infilling task prompt, solution and suffix are one text in three parts.
TEXT_COLUMNS = ("prompt", "suffix", "solution")


def read(folder: str) -> pa.Table:
    """The rows of every BENCHMARK_TASK table in `folder`, in one order; FileNotFoundError where there is none."""
    found = [name for name in storage.names(folder) if name.endswith(".parquet")]
    if not found:
        raise FileNotFoundError(
            f"{folder}: no benchmark tasks, and a corpus that was not cleaned cannot be trusted; "
            f"run `python -m eval tasks --output {folder}` first"
        )
    columns = contract.BENCHMARK_TASK.names
    tables = [table for name in found for table in rows.tables(storage.join(folder, name), columns)]
    return pa.concat_tables([contract.BENCHMARK_TASK.empty_table(), *tables]).sort_by(
        [("benchmark", "ascending"), ("task_id", "ascending")]
    )


def versions(tasks: pa.Table) -> list[dict[str, Any]]:
    """Name, version and number of tasks of each benchmark, by name."""
    counted = tasks.group_by(["benchmark", "version"]).aggregate([([], "count_all")]).to_pylist()
    named = [{"name": row["benchmark"], "version": row["version"], "num_tasks": row["count_all"]} for row in counted]
    return sorted(named, key=lambda row: (row["name"], row["version"]))


def texts(tasks: pa.Table, with_tests: bool) -> tuple[list[tuple[str, str]], list[str]]:
    """((benchmark, task_id) of each text, the texts) that no training document may share a gram with."""
    columns = (*TEXT_COLUMNS, "test") if with_tests else TEXT_COLUMNS
    found = [(task["benchmark"], task["task_id"], task[name]) for task in tasks.to_pylist() for name in columns]
    return [(benchmark, task_id) for benchmark, task_id, _ in found], [text for _, _, text in found]
