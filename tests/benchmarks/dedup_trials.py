"""What repo_dedup makes of real pairs: near and far releases of one project, and a fork with a renamed package.

python -m tests.benchmarks.dedup_trials
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.near_duplicates import minhash
from pipelines.runner import run_stage
from pipelines.stage import load
from tests.benchmarks import dedup_accuracy, dedup_exact
from tests.benchmarks.graph_accuracy import _sources
from tests.benchmarks.graph_accuracy.__main__ import CACHE

PAIRS = [
    (("requests", "2.32.3"), ("requests", "2.32.4")),
    (("networkx", "3.4"), ("networkx", "3.4.2")),
    (("networkx", "3.0"), ("networkx", "3.4.2")),
    (("django", "5.2"), ("django", "5.2.1")),
    (("django", "3.2"), ("django", "5.2")),
]
RENAMED = ("networkx", "netz")  # in paths and text


def rename(folder: Path, name: str, other: str) -> None:
    """Replaces `name` by `other` in the path and the text of every file."""
    for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds, before the folder
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(name.encode(), other.encode()))
        path.rename(path.with_name(path.name.replace(name, other)))


def compare(one: Path, other: Path, renamed: tuple[str, str] | None = None) -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for root in (one, other):
            shutil.copytree(root, folder / "sources" / root.name, dirs_exist_ok=True)
        if renamed:
            fork = folder / "sources" / f"{renamed[1]}-fork"
            shutil.copytree(one, fork)
            rename(fork, *renamed)
        found = dedup_accuracy.run(folder)
        similarity = dedup_exact.all_pairs(found.sets, 0.0).similarities[0]
        owners = np.repeat([0, 1], [len(texts) for texts in found.texts])
        texts = pa.array([text for texts in found.texts for text in texts], pa.large_string())
        estimate = minhash.similarity(*minhash.signatures(texts, owners, 2, 5, 128, 0)[0])
        verdict = "dropped whole" if (found.keepers >= 0).any() else "both kept"
        print(f"{found.names[1]} beside {found.names[0]}: {len(found.texts[1]):,} and {len(found.texts[0]):,} files; "
              f"exact {similarity:.4f}, estimate {estimate:.4f}: {verdict}")  # fmt: skip
        print(f"    files dropped: {_dropped(folder, 0.85)}")
        print(f"    were no repository dropped whole: {_dropped(folder, 1.0)}", flush=True)


def _dropped(folder: Path, threshold: float) -> str:
    settings = dedup_accuracy.settings(folder, "sources/*") | {"repo_dedup": {"threshold": threshold}}
    dropped = run_stage(load("repo_dedup"), str(folder / "run"), settings).counts.dropped
    return ", ".join(f"{reason} {rows:,}" for reason, (rows, _) in sorted(dropped.items())) or "none"


def main() -> None:
    CACHE.mkdir(exist_ok=True)
    for one, other in PAIRS:
        compare(_sources.pypi(CACHE, *one)[1], _sources.pypi(CACHE, *other)[1])
    networkx = _sources.pypi(CACHE, "networkx", "3.4.2")[1]
    compare(networkx, networkx, RENAMED)


if __name__ == "__main__":
    main()
