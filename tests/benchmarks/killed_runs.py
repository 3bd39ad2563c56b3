"""Kills every stage at a random moment with SIGKILL, runs it again, and compares the bytes with an undisturbed run.

    python tests/benchmarks/killed_runs.py [SEED]

Runs the tiny corpus. Prints one line per stage; exits with 1 where a byte differs.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines import manifest
from pipelines.contract import FLOW

ROOT = Path(__file__).parent.parent.parent
CONFIG = """
[crawl]
num_shards = 2
sources = [{{kind = "directory", path = "{root}/tests/tiny_corpus/repositories/*"}}]
{web}
[parquet_shards]
validation_share = 0.3
[token_sequences]
vocabulary_size = 600
sequence_length = 64
"""


def settings(folder: Path) -> Path:
    """The demo's tables for the web, and few shards of the tiny corpus for the rest."""
    demo = (ROOT / "pipelines" / "configs" / "demo.toml").read_text()
    web = demo[demo.index("[web_crawl]") : demo.index("[parquet_shards]")].replace("tests/tiny", f"{ROOT}/tests/tiny")
    path = folder / "run.toml"
    path.write_text(CONFIG.format(root=ROOT, web=web))
    return path


def command(stage: str, config: Path, run: str) -> list[str]:
    data = ["--config", str(config), "--data", str(config.parent), "--run", run]
    return [sys.executable, "-m", "pipelines", "run", stage, *data]


def kill_after(seconds: float, arguments: list[str]) -> bool:
    """Starts the command and kills it after `seconds`; False where it had ended before."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    time.sleep(seconds)
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def main() -> int:
    chance = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = settings(folder)
        for run in ("undisturbed", "killed"):
            tasks = [sys.executable, "-m", "eval", "tasks", "--output", str(folder / run / "benchmark_tasks")]
            subprocess.run(tasks, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        differing = 0
        for stage in FLOW:
            started = time.perf_counter()
            subprocess.run(command(stage, config, "undisturbed"), check=True, capture_output=True, cwd=ROOT)
            seconds = time.perf_counter() - started
            moments = [chance.uniform(0.3, 1.0) * seconds for _ in range(3)]
            kills = sum(kill_after(moment, command(stage, config, "killed")) for moment in moments)
            subprocess.run(command(stage, config, "killed"), check=True, capture_output=True, cwd=ROOT)
            shards = manifest.read(str(folder / "undisturbed" / stage)).shards
            wrong = [
                shard
                for shard in shards
                if (folder / "killed" / stage / shard).read_bytes()
                != (folder / "undisturbed" / stage / shard).read_bytes()
            ]
            differing += len(wrong)
            print(f"{stage:<22} killed {kills} times, {len(shards)} shards, {len(wrong)} differ", flush=True)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
