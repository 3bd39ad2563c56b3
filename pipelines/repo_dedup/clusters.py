"""From candidate pairs to what is kept: verified, joined into clusters, and each member checked against its keeper."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.repo_dedup.minhash import similarity


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
