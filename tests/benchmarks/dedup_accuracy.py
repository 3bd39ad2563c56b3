"""What the repository level of repo_dedup drops, against the exact similarity of all pairs, on real installed files.

    python -m tests.benchmarks.dedup_accuracy [--plot docs/results/dedup_s_curve.png]

Each of 5,000 documents is a repository; 2,000 near-duplicates of 1,000 of them are planted, and what the installed
packages have copied from one another is there as it is. The stages run as they do for a user.
"""

import argparse
import random
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.near_duplicates import columns, minhash
from pipelines.runner import run_stage
from pipelines.stage import load
from tests.benchmarks import dedup_curve, dedup_documents, dedup_exact, dedup_sizes
from tests.benchmarks.dedup_curve import NUM_PERMUTATIONS, SHINGLE_WORDS, THRESHOLD
from tests.benchmarks.dedup_documents import Document
from tests.benchmarks.dedup_exact import Pairs

STAGES = ("crawl", "rule_filter", "dependency_graph", "topological_sort", "repo_dedup")
LOW = 0.4  # pairs from here on are counted


class Run(NamedTuple):
    """What the stages made of the repositories, numbered in the order of preference."""

    names: list[str]
    sets: list[np.ndarray]  # the shingles of each
    texts: list[list[str]]  # its files
    keepers: np.ndarray  # int64: what is kept instead, or -1
    similarities: np.ndarray  # float64: as the stage wrote them
    candidates: set[tuple[int, int]]  # the pairs that met in a bucket


def settings(folder: Path, pattern: str) -> dict[str, dict[str, object]]:
    sources = [{"kind": "directory", "path": f"{folder}/{pattern}"}]
    return {"crawl": {"num_shards": 2, "sources": sources}, "repo_dedup": {"threshold": THRESHOLD}}


def run(folder: Path, pattern: str = "sources/*") -> Run:
    """Runs the stages on the repositories in `folder`, and reads what they wrote."""
    for stage in STAGES:
        done = run_stage(load(stage), str(folder / "run"), settings(folder, pattern))
        print(f"    {stage:<18} {done.counts.rows:8,} rows, {done.cost.cpu_seconds:7.1f} CPU s", flush=True)
    texts: dict[str, list[str]] = {}
    keepers: dict[str, tuple[str, float]] = {}
    for shard in done.shards:
        _read_shard(folder / "run", shard, texts, keepers)
    level = f"{folder}/run/repo_dedup/repositories"
    names = columns.read(f"{level}/order.arrow").column("id").to_pylist()
    numbers = {name: number for number, name in enumerate(names)}
    pairs = np.concatenate([columns.numbers(columns.read(str(path)), "pair")
                            for path in sorted(Path(level, "edges").glob("pairs-*"))])  # fmt: skip
    return Run(
        names,
        [minhash.shingles(pa.array(texts[name], pa.large_string()), SHINGLE_WORDS) for name in names],
        [texts[name] for name in names],
        np.array([numbers[keepers[name][0]] if name in keepers else -1 for name in names]),
        np.array([keepers[name][1] if name in keepers else 0.0 for name in names]),
        {(int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in pairs},
    )


def _read_shard(folder: Path, shard: str, texts: dict[str, list[str]], keepers: dict[str, tuple[str, float]]) -> None:
    def read(stage: str, *names: str) -> pa.Table:
        return pq.read_table(f"{folder}/{stage}/{shard}", columns=list(names))

    files, filtered = read("crawl", "repository", "content", "reason"), read("rule_filter", "reason")
    verdicts = read("repo_dedup", "reason", "keeper", "similarity")
    for file, before, verdict in zip(files.to_pylist(), filtered.to_pylist(), verdicts.to_pylist(), strict=True):
        if file["reason"] or before["reason"]:
            continue
        texts.setdefault(file["repository"], []).append(file["content"])
        if verdict["reason"] == "near_duplicate_repository":
            keepers[file["repository"]] = verdict["keeper"], verdict["similarity"]


def judge(found: Run, pairs: Pairs, documents: dict[str, Document]) -> None:
    """Prints who was found, who was dropped wrongly, and in favour of what the exact method would have."""
    exact = {(int(one), int(other)): similarity
             for one, other, similarity in zip(*pairs, strict=True)}  # fmt: skip
    dropped = np.flatnonzero(found.keepers >= 0)
    to_keeper = np.array([exact.get((int(found.keepers[item]), int(item)), 0.0) for item in dropped])
    print(f"    {len(found.names):,} repositories, {len(dropped):,} dropped")
    _recall(found, pairs, documents)
    print(f"    dropped, though below the threshold to the keeper {np.count_nonzero(to_keeper < THRESHOLD):5} "
          f"(by more than 0.02: {np.count_nonzero(to_keeper < THRESHOLD - 0.02)}); the least similar: "
          f"{to_keeper.min():.4f}")  # fmt: skip
    print(f"    keepers that were dropped themselves {np.count_nonzero(found.keepers[found.keepers[dropped]] >= 0):18}")
    errors = found.similarities[dropped] - to_keeper
    print(f"    similarity as written, against the exact one: mean {errors.mean():+.4f}, "
          f"largest difference {np.abs(errors).max():.4f}")  # fmt: skip
    stays = dedup_exact.kept_one_by_one(pairs, len(found.names), THRESHOLD)
    ours = found.keepers < 0
    print(
        f"    one by one with exact similarities: {np.count_nonzero(~stays):,} dropped, "
        f"{np.count_nonzero(~stays & ~ours):,} of them by us; only by us {np.count_nonzero(stays & ~ours):,}"
    )


def _recall(found: Run, pairs: Pairs, documents: dict[str, Document]) -> None:
    """Per kind of change: of those whose nearest preferred neighbour is so near, how many were dropped."""
    any_before, kept_before = _nearest(pairs, np.ones(len(found.names), np.bool_)), _nearest(pairs, found.keepers < 0)
    bounds = {">= 0.90": (0.9, 1.1), "0.87-0.90": (0.87, 0.9), "0.85-0.87": (0.85, 0.87), "0.83-0.85": (0.83, 0.85),
              "< 0.83": (LOW, 0.83)}  # fmt: skip
    total: Counter[str] = Counter()
    for near, title in ((kept_before, "that is kept"), (any_before, "kept or not")):
        counts: dict[str, Counter[str]] = {}
        for item, (similarity, before) in near.items():
            (column,) = (name for name, (low, high) in bounds.items() if low <= similarity < high)
            kind = _kind(documents[found.names[item]], documents[found.names[before]])
            for row in (kind, "all"):
                counts.setdefault(row, total.copy())[column] += 1
                counts[row][f"{column} dropped"] += found.keepers[item] >= 0
        print(f"\n    nearest preferred repository {title}: dropped / all, by similarity")
        print(f"    {'change':<12}" + "".join(f"{name:>16}" for name in bounds))
        for kind in sorted(counts, key=lambda kind: (kind == "all", kind)):
            cells = (f"{counts[kind][f'{name} dropped']:,} / {counts[kind][name]:,}" for name in bounds)
            print(f"    {kind:<12}" + "".join(f"{cell:>16}" for cell in cells))
        print(f"    recall at threshold + 0.05: {counts['all']['>= 0.90 dropped'] / counts['all']['>= 0.90']:.5f}\n")


def _nearest(pairs: Pairs, is_wanted: np.ndarray) -> dict[int, tuple[float, int]]:
    """item -> (similarity, the most similar one that is preferred to it and wanted)."""
    found: dict[int, tuple[float, int]] = {}
    for one, other, similarity in zip(*(column.tolist() for column in pairs), strict=True):
        if is_wanted[one] and similarity > found.get(other, (0.0, 0))[0]:
            found[other] = similarity, one
    return found


def _kind(one: Document, other: Document) -> str:
    if one.base != other.base:
        return "not planted"
    return one.kind or other.kind


def datasketch(found: Run, pairs: Pairs) -> None:
    """The same shingles through datasketch: its estimates, and what its index finds."""
    from datasketch import MinHash, MinHashLSH

    likely = pairs.similarities >= 0.7
    ones, others, similarities = (column[likely] for column in pairs)
    used = np.unique(np.concatenate([ones, others]))
    bands, num_rows = minhash.bands_and_rows(THRESHOLD, NUM_PERMUTATIONS)
    index = MinHashLSH(num_perm=NUM_PERMUTATIONS, params=(bands, num_rows))
    theirs = {}
    for item in used.tolist():
        theirs[item] = MinHash(NUM_PERMUTATIONS, hashfunc=int, scheme="affine64")
        theirs[item].update_batch(found.sets[item].tolist())
        index.insert(item, theirs[item])
    answers = {item: set(index.query(theirs[item])) for item in theirs}
    signed = {item: minhash.signatures(pa.array(found.texts[item], pa.large_string()), np.zeros(len(found.texts[item]),
              np.int64), 1, SHINGLE_WORDS, NUM_PERMUTATIONS, 0)[0][0] for item in used.tolist()}  # fmt: skip
    listed = list(zip(ones.tolist(), others.tolist(), strict=True))
    ours_estimate = np.array([minhash.similarity(signed[one], signed[other]) for one, other in listed])
    their_estimate = np.array([theirs[one].jaccard(theirs[other]) for one, other in listed])
    is_found = np.array([other in answers[one] for one, other in listed])
    met = np.array([pair in found.candidates for pair in listed])
    for name, estimate, hit in (("ours", ours_estimate, met), ("datasketch", their_estimate, is_found)):
        errors = estimate - similarities
        print(f"    {name:<11} {len(listed):,} pairs from 0.7: error of the estimate: mean {errors.mean():+.4f}, "
              f"RMS {np.sqrt((errors**2).mean()):.4f}; found from 0.90 on: {hit[similarities >= 0.9].mean():.4f}, "
              f"from 0.85 on: {hit[similarities >= 0.85].mean():.4f}")  # fmt: skip
    near, clear = similarities >= THRESHOLD, np.abs(similarities - THRESHOLD) >= 0.05
    verified = (is_found & near) == (met & near)
    estimated = (is_found & (their_estimate >= THRESHOLD)) == (met & (ours_estimate >= THRESHOLD))
    print(f"    same answer: {verified.mean():.4f} of the pairs, if verified exactly; by estimates alone "
          f"{estimated.mean():.4f}, and {estimated[clear].mean():.4f} at 0.05 or more from the threshold")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", default="docs/results/dedup_s_curve.png")
    parser.add_argument("--single", type=int, default=4800, help="repositories of one file")
    parser.add_argument("--several", type=int, default=200, help="repositories of four files")
    arguments = parser.parse_args()
    started, chance = time.time(), random.Random(0)
    print(f"threshold {THRESHOLD}, {SHINGLE_WORDS} words, {NUM_PERMUTATIONS} permutations", flush=True)
    originals = dedup_documents.originals(arguments.single, arguments.several, chance)
    everything = originals + dedup_documents.planted(originals, len(originals) // 5, chance)
    with tempfile.TemporaryDirectory() as folder:
        dedup_documents.write(everything, Path(folder, "sources"))
        found = run(Path(folder))
    pairs = dedup_exact.all_pairs(found.sets, LOW)
    size = sum(len(text) for texts in found.texts for text in texts)
    print(f"    {size / 1e6:.1f} M characters, {sum(map(len, found.sets)):,} shingles, {len(pairs.ones):,} pairs from "
          f"{LOW} on, {time.time() - started:.0f} s", flush=True)  # fmt: skip
    judge(found, pairs, {document.name: document for document in everything})
    dedup_curve.print_and_plot(found.texts, pairs, found.candidates, arguments.plot)
    datasketch(found, pairs)
    dedup_sizes.print_errors(NUM_PERMUTATIONS, SHINGLE_WORDS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"    {time.time() - started:.0f} s in all, {time.process_time():.0f} CPU s; largest process {peak:,.0f} MB")


if __name__ == "__main__":
    main()
