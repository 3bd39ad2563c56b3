"""The fate of every file: that of its repository, else its own."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipelines import edges
from pipelines.near_duplicates.level import Verdict


def of_files(
    files: pa.Table,
    of_repository: Sequence[Verdict | None],
    of_file: Sequence[Verdict | None],
    keep_dependencies: bool,
) -> list[Verdict | None]:
    """The verdict on each row of `files` (`row`, `dependencies`), from those on its repository and on it alone.

    Where `keep_dependencies`, a file stays that a kept file depends on, directly or by way of others.
    """
    found = [whole or alone for whole, alone in zip(of_repository, of_file, strict=True)]
    if not keep_dependencies:
        return found
    stays = needed(files, [verdict is None for verdict in found])
    return [None if kept and not whole else verdict
            for verdict, whole, kept in zip(found, of_repository, stays, strict=True)]  # fmt: skip


def needed(files: pa.Table, is_kept: Sequence[bool]) -> np.ndarray:
    """Whether each row is kept or a kept one depends on it (bool[rows]). No edge leaves a repository."""
    parents, places = edges.among(files.column("row").to_numpy(), files.column("dependencies").combine_chunks())
    found = np.array(is_kept, np.bool_)
    while (fresh := np.unique(places[found[parents] & ~found[places]])).size:
        found[fresh] = True
    return found
