"""From the files of whole repositories to one row per repository: its MinHash signature, and what its rank is by."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from pipelines.repo_dedup import minhash
from pipelines.repo_dedup.clusters import Candidate


def schema(num_permutations: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("repository", pa.string(), nullable=False),
            pa.field("num_stars", pa.int32(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("num_shingles", pa.int64(), nullable=False),
            pa.field("signature", pa.list_(pa.uint64(), num_permutations), nullable=False),
        ]
    )


def sign(files: pa.Table, shingle_words: int, num_permutations: int, seed: int) -> pa.Table:
    """One row per repository, in the order in which the files have them. `files` holds whole repositories."""
    repositories = files.column("repository").combine_chunks().dictionary_encode()
    owners = repositories.indices.to_numpy().astype(np.int64)
    names = repositories.dictionary
    texts = files.column("content").combine_chunks()
    found, num_shingles = minhash.signatures(texts, owners, len(names), shingle_words, num_permutations, seed)
    stars, sizes = np.zeros(len(names), np.int32), np.zeros(len(names), np.int64)
    np.maximum.at(stars, owners, files.column("num_stars").to_numpy())
    np.add.at(sizes, owners, files.column("size_bytes").to_numpy())
    signature = pa.FixedSizeListArray.from_arrays(pa.array(found.reshape(-1)), num_permutations)
    columns = [names, pa.array(stars), pa.array(sizes), pa.array(num_shingles), signature]
    return pa.Table.from_arrays(columns, schema=schema(num_permutations))


def candidates(tables: Iterable[pa.Table]) -> Iterator[Candidate]:
    """The rows of signature tables as clustering sees them."""
    for table in tables:
        for row in table.to_pylist():
            yield Candidate(
                row["repository"], row["num_stars"], row["size_bytes"], np.array(row["signature"], np.uint64)
            )
