"""Locality-sensitive hashing: repositories that agree on a band of their signatures meet in a bucket (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, section 3.4). Who meets is a candidate, not yet a duplicate."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from pipelines.repo_dedup import minhash

PAIR = pa.schema([("one", pa.string()), ("other", pa.string())])


def keys(signatures: pa.Table, threshold: float) -> Iterator[tuple[int, str]]:
    """(key of a bucket, repository) for every band of every repository that has a shingle at all."""
    num_permutations = signatures.schema.field("signature").type.list_size
    bands, rows = minhash.bands_and_rows(threshold, num_permutations)
    for row in signatures.to_pylist():
        if row["num_shingles"]:
            for key in minhash.band_keys(np.array(row["signature"], np.uint64), bands, rows):
                yield int(key), row["repository"]


def pairs(names: Iterable[str], max_all_pairs: int) -> Iterator[tuple[str, str]]:
    """The pairs of one bucket, in which the smaller name stands first.

    In a bucket of more than `max_all_pairs` names each is paired with the smallest one only: work stays linear.
    """
    ordered = sorted(set(names))
    firsts = ordered if len(ordered) <= max_all_pairs else ordered[:1]
    return ((first, name) for first in firsts for name in ordered if first < name)
