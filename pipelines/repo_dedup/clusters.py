"""From candidate pairs to what is kept: verified, joined into clusters, and each member checked against its keeper."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.repo_dedup.minhash import similarity

DUPLICATE = pa.schema([("repository", pa.string()), ("keeper", pa.string()), ("similarity", pa.float32())])


@dataclass(frozen=True)
class Candidate:
    """A repository as clustering sees it."""

    name: str
    num_stars: int
    size_bytes: int
    signature: np.ndarray  # uint64[num_permutations]

    @property
    def preference(self) -> tuple[int, int, str]:
        """Of near-duplicates the one with most stars is kept, then the largest, then the first by name."""
        return -self.num_stars, -self.size_bytes, self.name


def duplicates(
    candidates: Iterable[Candidate], pairs: Iterable[tuple[str, str]], threshold: float
) -> Iterator[tuple[str, str, float]]:
    """(dropped repository, its keeper, similarity) for every near-duplicate, in the order of clusters.

    A pair counts only where its estimated similarity reaches `threshold`, so a false positive of the banding drops
    nothing. A member that is only transitively near (a ~ b ~ c) is dropped only if it is itself near what is kept.
    """
    by_name = {candidate.name: candidate for candidate in candidates}
    near = {pair for pair in pairs if similarity(by_name[pair[0]].signature, by_name[pair[1]].signature) >= threshold}
    for members in _clusters(near):
        keepers: list[Candidate] = []
        for member in sorted((by_name[name] for name in members), key=lambda candidate: candidate.preference):
            found = [(similarity(member.signature, keeper.signature), keeper.name) for keeper in keepers]
            close = [(score, name) for score, name in found if score >= threshold]
            if close:
                score, keeper_name = max(close, key=lambda pair: pair[0])
                yield member.name, keeper_name, score
            else:
                keepers.append(member)


def _clusters(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The connected components of the pairs, each sorted, by their smallest member (union-find, smallest root)."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        root.setdefault(name, name)
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    members = defaultdict(list)
    for name in sorted(root):
        members[find(name)].append(name)
    return [members[smallest] for smallest in sorted(members)]


def duplicate_table(found: Iterable[tuple[str, str, float]]) -> pa.Table:
    """What `duplicates` yields, as a table."""
    return pa.Table.from_pylist([dict(zip(DUPLICATE.names, row, strict=True)) for row in found], DUPLICATE)


def annotate(files: pa.Table, keepers: Mapping[str, tuple[str, float]]) -> pa.Table:
    """Every file of a repository shares its fate. `keepers` maps a dropped one to (its keeper, similarity)."""
    verdicts = [keepers.get(name, ("", 0.0)) for name in files.column("repository").to_pylist()]
    reasons = ["near_duplicate_repository" if keeper else None for keeper, _ in verdicts]
    details = [f"{score:.2f} similar to {keeper}" if keeper else "" for keeper, score in verdicts]
    return pa.table(
        {
            "reason": pa.array(reasons, pa.string()),
            "detail": pa.array(details, pa.string()),
            "keeper": pa.array([keeper for keeper, _ in verdicts], pa.string()),
            "similarity": pa.array([score for _, score in verdicts], pa.float32()),
        }
    )
