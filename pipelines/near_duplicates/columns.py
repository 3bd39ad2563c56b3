"""Arrow tables in files that are mapped into memory: numbers are read where they lie, and workers share one copy."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pipelines import storage


def write(url: str, table: pa.Table) -> None:
    """Writes the table as one record batch, so that a column is one array when it is read."""
    whole = table.combine_chunks()
    with storage.replacing(url) as stream, pa.ipc.new_file(stream, whole.schema) as file:
        file.write_table(whole)


def read(url: str) -> pa.Table:
    """The whole table. Where it is local, nothing is copied."""
    return pa.ipc.open_file(storage.open_input(url)).read_all()


def batches(url: str) -> Iterator[pa.RecordBatch]:
    """The record batches of a table that was written batch by batch."""
    with storage.open_input(url) as stream, pa.ipc.open_file(stream) as file:
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def numbers(table: pa.Table | pa.RecordBatch, name: str) -> np.ndarray:
    """A column of numbers as one array; not a copy where the table is in one piece."""
    column = table.column(name)
    if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1:
        column = column.chunk(0)
    array: np.ndarray = column.to_numpy()
    return array


def lists(batch: pa.RecordBatch, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A column of lists as (all values one after the other, where each list begins and ends: int64[rows + 1])."""
    column = batch.column(name)
    offsets = column.offsets.to_numpy().astype(np.int64)
    return column.values.to_numpy(), offsets
