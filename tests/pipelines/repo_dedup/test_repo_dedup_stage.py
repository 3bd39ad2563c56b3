"""The stage through Beam: signatures, buckets, pairs, clusters, verdicts."""

from pathlib import Path

import pyarrow.parquet as pq

STAGES = ("crawl", "rule_filter", "dependency_graph", "topological_sort", "repo_dedup")


def code(first: int, last: int) -> str:
    return "".join(
        f"def function_{number}(argument):\n    return argument + {number}\n" for number in range(first, last)
    )


def test_a_fork_is_dropped_whole_and_nothing_else(sources, run_stages, run_folder):
    original = {"main.py": code(0, 80), "more.py": code(80, 160)}
    fork = {"renamed.py": code(80, 160), "main.py": code(0, 80), "own.py": code(900, 912)}
    repositories = {"fork": fork, "original": original, "other": {"a.py": code(300, 400)}, "small": {"b.py": "x = y\n"}}
    sources({f"{name}/{path}": text for name, files in repositories.items() for path, text in files.items()})
    unlike = run_stages(*STAGES, repo_dedup={"threshold": 1.0})["repo_dedup"]
    assert unlike.counts.kept == unlike.counts.rows == 7  # and not one pair
    done = run_stages(STAGES[-1])["repo_dedup"]
    assert done.counts.dropped.keys() == {"near_duplicate_repository"}
    verdicts = {}
    for shard in done.shards:
        files = pq.read_table(Path(run_folder, "crawl", shard)).to_pylist()
        for file, found in zip(files, pq.read_table(Path(run_folder, "repo_dedup", shard)).to_pylist(), strict=True):
            verdicts.setdefault(file["repository"], set()).add((found["reason"], found["keeper"]))
    assert verdicts == {
        "fork": {(None, "")},  # the larger one
        "original": {("near_duplicate_repository", "fork")},
        "other": {(None, "")},
        "small": {(None, "")},
    }
    duplicates = pq.read_table(Path(run_folder, "repo_dedup", "duplicates.parquet")).to_pylist()
    assert [(row["repository"], row["keeper"]) for row in duplicates] == [("original", "fork")]
    assert duplicates[0]["similarity"] >= 0.85
