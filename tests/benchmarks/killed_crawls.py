"""Kills a crawl with SIGKILL at random moments, each in a folder of its own, runs it again, and compares the bytes.

    python -m tests.benchmarks.killed_crawls [--kills 20] [--seed 0]

Crawls a git repository, an archive, folders, packages of this environment, and what a server lists that behaves like
GitHub. Prints a line per kill: how far the crawl was, whether the bytes equal an undisturbed run, and how many searches
and commits the server was asked for twice, which is one at most; exits with 1 where one of these is not so.
A kill comes at a random time, at a random number of requests, or of whole shards: most of a short crawl is the start
of Python.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tests.benchmarks.fuzz_crawl import repository
from tests.benchmarks.killed_runs import ROOT, command
from tests.pipelines.crawl.github_server import Github, made, serving

CONFIG = """
[crawl]
num_shards = 6
row_group_bytes = 1_000_000
sources = [
    {{kind = "directory", path = "{root}/tests/tiny_corpus/repositories/*"}},
    {{kind = "git", url = "file://{folder}/made", name = "made/git"}},
    {{kind = "archive", path = "{folder}/*.tar"}},
    {{kind = "installed", max_total_bytes = 3_000_000}},
    {{kind = "github", created_before = 2023-02-01, api = "{api}"}},
]
"""
NUM_LISTED = 150  # repositories of the server


def crawl(config: Path, run: str) -> dict[str, bytes]:
    """The bytes of every shard after a whole run. ValueError where more lies there than the stage declares."""
    subprocess.run(command("crawl", config, run), check=True, capture_output=True, cwd=ROOT)
    folder = config.parent / run / "crawl"
    unfinished = [path.name for path in folder.rglob("*") if path.name.endswith(".tmp")]
    if unfinished:
        raise ValueError(f"{folder}: {unfinished} are left")
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def whole_shards(folder: Path) -> int:
    return len(list((folder / "crawl").glob("files-*.parquet")))


def kill_when(is_time: Callable[[], bool], arguments: list[str]) -> bool:
    """Starts the command and kills it when it is time; False where it had ended before."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    while process.poll() is None and not is_time():
        time.sleep(0.002)
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def asked_twice(hub: Github) -> int:
    """Searches and commits; a tarball that was not read to its end has to be asked for again."""
    paths = [path for path in hub.paths() if "tarball" not in path and "codeload" not in path]
    return len(paths) - len(set(paths))


def listed(number: int) -> dict[str, object]:
    """A repository that the server has, made a few hours after the one before."""
    created = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=7 * number)
    return made(f"owner{number % 9}/r{number}", stars=10 + number, created=f"{created:%Y-%m-%dT%H:%M:%SZ}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    hub = Github(*map(listed, range(NUM_LISTED)))
    with tempfile.TemporaryDirectory() as name, serving(hub) as api:
        folder = Path(name)
        (folder / "made").mkdir()
        repository(folder / "made")
        subprocess.run(["git", "-C", folder / "made", "archive", "-o", folder / "packed.tar", "HEAD"], check=True)
        (folder / "run.toml").write_text(CONFIG.format(root=ROOT, folder=folder, api=api))
        killed, wrong = kill_often(options.kills, random.Random(options.seed), folder, hub)
    print(f"{killed} of {options.kills} runs killed, {wrong} differ")
    return 1 if wrong else 0


def kill_often(kills: int, chance: random.Random, folder: Path, hub: Github) -> tuple[int, int]:
    """How many crawls were killed, and how many came out otherwise than the undisturbed one."""
    config, killed, wrong = folder / "run.toml", 0, 0
    started = time.perf_counter()
    expected = crawl(config, "undisturbed")
    seconds, num_requests = time.perf_counter() - started, len(hub.asked)
    for number in range(kills):
        run = folder / f"killed-{number}"
        hub.asked.clear()
        moment = time.perf_counter() + chance.uniform(0.05, 1.0) * seconds
        shards, requests = chance.randrange(1, 6), chance.randrange(1, num_requests)
        is_time = (
            partial(lambda end: time.perf_counter() > end, moment),
            partial(lambda run, count: whole_shards(run) >= count, run, shards),
            partial(lambda count: len(hub.asked) >= count, requests),
        )[number % 3]
        was_alive = kill_when(is_time, command("crawl", config, run.name))
        whole, asked = whole_shards(run), len(hub.asked)
        is_equal = crawl(config, run.name) == expected
        twice = asked_twice(hub)
        killed += was_alive
        wrong += not is_equal or twice > 1
        how, verdict = "killed" if was_alive else "had ended", "equal" if is_equal else "DIFFERS"
        print(f"{how} with {whole} of 6 shards whole, {asked} of {num_requests} requests: {verdict}, {twice} twice",
              flush=True)  # fmt: skip
        shutil.rmtree(run)
    return killed, wrong


if __name__ == "__main__":
    sys.exit(main())
