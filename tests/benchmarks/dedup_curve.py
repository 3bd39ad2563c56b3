"""The S-curve: how often a pair becomes a candidate, by its exact similarity. Measured beside the theory, and plotted.

Files with the same long header meet all at once or not at all, so of what is connected by any similarity, one pair is
taken for each bin.
"""

import numpy as np
import pyarrow as pa
from scipy import sparse

from pipelines.near_duplicates import buckets, minhash
from tests.benchmarks.dedup_exact import Pairs

THRESHOLD, SHINGLE_WORDS, NUM_PERMUTATIONS = 0.85, 5, 128  # the defaults of repo_dedup
NUM_SEEDS = 16  # of signatures
BIN = 0.02


def print_and_plot(texts: list[list[str]], pairs: Pairs, candidates: set[tuple[int, int]], plot: str) -> None:
    """How often pairs become candidates, beside 1 - (1 - s^rows)^bands."""
    bands, num_rows = minhash.bands_and_rows(THRESHOLD, NUM_PERMUTATIONS)
    pairs = _independent(pairs)
    met = np.stack([_have_met(texts, pairs, bands, num_rows, seed) for seed in range(NUM_SEEDS)], 1)
    in_stage = np.array([pair in candidates for pair in zip(*map(np.ndarray.tolist, pairs[:2]), strict=True)])
    theory = 1 - (1 - pairs.similarities**num_rows) ** bands
    bins = _bins(pairs)
    print(f"    {bands} bands of {num_rows} rows; measured with {NUM_SEEDS} seeds, then in the stage with its own one")
    print(f"    {'similarity':<12}{'pairs':>9}{'theory':>9}{'measured':>10}{'in sigma':>10}{'stage':>9}")
    points = []
    for number in np.unique(bins):
        chosen = bins == number
        expected, measured = theory[chosen].mean(), met[chosen].mean()
        sigma = np.sqrt((theory[chosen] * (1 - theory[chosen])).sum() / NUM_SEEDS) / chosen.sum()
        print(f"    {number * BIN:.2f}-{(number + 1) * BIN:.2f}   {chosen.sum():9,}{expected:9.4f}{measured:10.4f}"
              f"{(measured - expected) / max(sigma, 1e-9):+10.1f}{in_stage[chosen].mean():9.4f}")  # fmt: skip
        points.append((pairs.similarities[chosen].mean(), measured, in_stage[chosen].mean(), 2 * sigma))
    _plot(np.array(points), bands, num_rows, plot)


def _bins(pairs: Pairs) -> np.ndarray:
    return np.minimum((pairs.similarities / BIN + 1e-9).astype(int), round(1 / BIN) - 1)


def _independent(pairs: Pairs) -> Pairs:
    """The first pair of each bin of each component."""
    size = int(pairs.others.max()) + 1
    edges = sparse.coo_matrix((np.ones(len(pairs.ones)), (pairs.ones, pairs.others)), (size, size))
    _, components = sparse.csgraph.connected_components(edges)
    _, first = np.unique(np.stack([components[pairs.ones], _bins(pairs)]), axis=1, return_index=True)
    return Pairs(*(column[np.sort(first)] for column in pairs))


def _have_met(texts: list[list[str]], pairs: Pairs, bands: int, num_rows: int, seed: int) -> np.ndarray:
    """Whether the signatures of each pair agree on a band (bool[pairs])."""
    used = np.unique(np.concatenate([pairs.ones, pairs.others]))
    column = pa.array([text for item in used for text in texts[item]], pa.large_string())
    owners = np.repeat(np.arange(len(used)), [len(texts[item]) for item in used])
    signed, _ = minhash.signatures(column, owners, len(used), SHINGLE_WORDS, NUM_PERMUTATIONS, seed)
    keys = buckets.of_signatures(signed, np.arange(len(used)), bands, num_rows)["key"].reshape(len(used), bands)
    ones, others = np.searchsorted(used, pairs.ones), np.searchsorted(used, pairs.others)
    met: np.ndarray = (keys[ones] == keys[others]).any(1)
    return met


def _plot(points: np.ndarray, bands: int, num_rows: int, path: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    similarity = np.linspace(points[0, 0], 1, 300)
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(similarity, 1 - (1 - similarity**num_rows) ** bands, color="0.5", label="1 − (1 − s^r)^b")
    axes.errorbar(
        points[:, 0], points[:, 1], points[:, 3], fmt="o", ms=4, label=f"signatures, {NUM_SEEDS} seeds, ± 2 σ"
    )
    axes.plot(points[:, 0], points[:, 2], "x", label="candidates of the stage")
    axes.axvline(THRESHOLD, color="0.7", ls=":", label=f"threshold {THRESHOLD}")
    axes.set(xlabel="exact Jaccard similarity s", ylabel="share of pairs that meet in a bucket",
             title=f"b = {bands} bands of r = {num_rows} rows")  # fmt: skip
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
