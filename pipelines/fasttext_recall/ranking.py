"""From scores to collected pages: each topic's cutoff, and which pages lie above it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.fasttext_recall.classifier import TOPICS

NUM_BINS = 10_000

SCORED = pa.schema(
    [
        pa.field("page_id", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("section", pa.string(), nullable=False),
        pa.field("seed_topic", pa.string(), nullable=False),  # empty where the page is no seed
        *(pa.field(f"{topic}_score", pa.float32(), nullable=False) for topic in TOPICS),
    ]
)


@dataclass
class Ranking:
    """How many pages have which score. Memory does not grow with the pages; scores are told apart to 1/10,000."""

    bins: np.ndarray[Any, Any] = field(default_factory=lambda: np.zeros((len(TOPICS), NUM_BINS + 1), np.int64))

    def add(self, scored: pa.Table) -> None:
        for row, topic in enumerate(TOPICS):
            scores = scored.column(f"{topic}_score").to_numpy()
            self.bins[row] += np.bincount((scores * NUM_BINS).astype(np.int64), minlength=NUM_BINS + 1)

    def cutoffs(self, min_score: float, max_share: float) -> dict[str, float]:
        """Topic -> the score from which a page is collected.

        At least `min_score`, and so high that at most `max_share` of all pages reach it; above 1 where none may.
        """
        floor = int(np.ceil(min_score * NUM_BINS))
        found = {}
        for row, topic in enumerate(TOPICS):
            at_least = np.cumsum(self.bins[row][::-1])[::-1]  # at_least[b]: pages in bin b or above
            allowed = np.flatnonzero(at_least <= max_share * at_least[0])
            first = int(allowed[0]) if len(allowed) else NUM_BINS + 1
            found[topic] = max(first, floor) / NUM_BINS
        return found


def collected(scored: pa.Table, cutoffs: Mapping[str, float]) -> list[str]:
    """The topic of every page; empty where it was not collected. A seed is, whatever its score."""
    scores = np.stack([scored.column(f"{topic}_score").to_numpy() for topic in TOPICS])
    bins = (scores * NUM_BINS).astype(np.int64)
    enough = bins >= np.array([[round(cutoffs[topic] * NUM_BINS)] for topic in TOPICS])
    best = np.where(enough, scores, -1.0).argmax(axis=0)
    recalled = np.where(enough.any(axis=0), np.array(TOPICS)[best], "")
    seeds = np.array(scored.column("seed_topic").to_pylist(), dtype=object)
    return [str(topic) for topic in np.where(seeds != "", seeds, recalled)]


def share_known(now: Iterable[list[str]], before: Iterable[list[str]]) -> float:
    """How many of the pages collected now had been collected before; 1 where none is collected."""
    num_now, num_known = 0, 0
    for topics, earlier in zip(now, before, strict=True):
        num_now += sum(map(bool, topics))
        num_known += sum(bool(one and other) for one, other in zip(topics, earlier, strict=True))
    return num_known / num_now if num_now else 1.0
