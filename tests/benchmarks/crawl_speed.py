"""Speed and memory of the crawl beside the raw tools on the same repository: `git cat-file --batch`, and `tar -xzO`.

    python -m tests.benchmarks.crawl_speed REPOSITORY... [--tiny 1000000]

REPOSITORY is a local git repository; its HEAD is also packed as tar.gz. CPU seconds of this process and of all that it
starts, median of five, in turns. `raw`: into nothing. `piped`: through a pipe, as any program must read it. `rows`: up
to Arrow tables, with ids, decoding and sorting. `stage`: with Beam and Parquet. Memory is the peak of a process of its
own that crawls, git's not in it. `--tiny`: an archive of that many tiny files.
"""

import argparse
import gc
import gzip
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.crawl.sources.git import GitSource
from pipelines.crawl.sources.source import Repository, Source
from pipelines.runner import run_stage
from pipelines.stage import load

ROUNDS = 5
PIPE_BYTES = 1 << 18
Run = Callable[[list[str], Path | None], None]
CRAWL = """
import json, re, sys, time
from pathlib import Path
class WithoutPandas:  # 37 MB that Beam loads where it is installed, as with the tests' tools; nothing of ours needs it
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, WithoutPandas())
from pipelines.runner import run_stage
from pipelines.stage import load
def peak():  # not ru_maxrss, which a process inherits from the one that started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, started = peak(), time.process_time()
done = run_stage(load("crawl"), sys.argv[1], json.loads(sys.argv[2]))
print(done.counts.rows, done.counts.kept, before, peak(), time.process_time() - started)
"""


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def medians(works: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """CPU seconds of each; they take turns, so that what else the machine does disturbs all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            started = cpu_seconds()
            work()
            times[name].append(cpu_seconds() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def raw_git(repository: str, asked: Path, run: Run) -> None:
    """With the listing, without which nobody knows what to ask for."""
    run(["git", "-C", repository, "ls-tree", "-r", "HEAD"], None)
    run(["git", "-C", repository, "cat-file", "--batch", "--buffer"], asked)


def raw_tar(archive: Path, run: Run) -> None:
    run(["tar", "-xzOf", str(archive)], None)


def into_nothing(command: list[str], given: Path | None) -> None:
    with open(given or os.devnull, "rb") as stdin:
        subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, check=True)


def through_pipe(command: list[str], given: Path | None) -> None:
    """As a program gets it that does nothing with it."""
    with open(given or os.devnull, "rb") as stdin:
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, pipesize=PIPE_BYTES, bufsize=0)
    assert process.stdout is not None
    buffer = bytearray(PIPE_BYTES)
    while process.stdout.readinto(buffer):  # type: ignore[attr-defined]
        pass
    assert process.wait() == 0


def rows(source: Source, cache: str) -> int:
    limits, total = Limits(), 0
    gc.freeze()  # as a worker of the stage does
    for found in source.repositories(cache):
        for batch in files.batches(found, partial(_entries, source, found, limits, cache), limits):
            total += batch.num_rows
    return total


def _entries(source: Source, found: Repository, limits: Limits, cache: str) -> object:
    return source.entries(found, limits, cache)


def stage(settings: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_stage(load("crawl"), folder, {"crawl": settings})


def memory(settings: dict[str, object]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        tables = json.dumps({"crawl": settings})
        done = subprocess.run([sys.executable, "-c", CRAWL, folder, tables], capture_output=True, text=True, check=True)
    total, kept, before, peak, seconds = map(float, done.stdout.split()[-5:])
    return (f"{total:,.0f} rows, {kept:,.0f} kept, {seconds:.1f} CPU s; peak memory {peak / 1e3:,.0f} MB, of which "
            f"{before / 1e3:,.0f} MB before it began")  # fmt: skip


def compare(name: str, megabytes: float, raw: Callable[[Run], object], source: Source) -> None:
    settings = {"num_shards": 1, "sources": [source.model_dump(exclude_defaults=True) | {"kind": source.kind}]}
    with tempfile.TemporaryDirectory() as cache:
        times = medians(
            {
                "raw": lambda: raw(into_nothing),
                "piped": lambda: raw(through_pipe),
                "rows": lambda: rows(source, cache),
                "stage": lambda: stage(settings),
            }
        )
    for kind, seconds in times.items():
        of_raw, of_piped = (100 * times[one] / seconds for one in ("raw", "piped"))
        print(f"{name:<28} {kind:<6} {megabytes:7.1f} MB {seconds:6.2f} CPU s {megabytes / seconds:7.1f} MB/s per core "
              f"{of_raw:5.0f} % of raw {of_piped:5.0f} % of piped", flush=True)  # fmt: skip
    print(f"{name:<28} {memory(settings)}", flush=True)


def of_repository(repository: str, folder: str) -> None:
    name = "/".join(Path(repository).parts[-2:])
    listed = subprocess.run(["git", "-C", repository, "ls-tree", "-r", "-l", "HEAD"], capture_output=True, check=True)
    entries = [line.split(None, 4) for line in listed.stdout.splitlines()]
    chosen = [
        (object_id, int(size)) for _, kind, object_id, size, _ in entries if kind == b"blob" and int(size) <= 10**6
    ]
    print(f"{name}: {len(entries):,} entries, {len(chosen):,} of at most 1 MB", flush=True)
    asked = Path(folder, "asked")
    asked.write_bytes(b"".join(object_id + b"\n" for object_id, _ in chosen))
    megabytes = sum(size for _, size in chosen) / 1e6
    compare(f"{name} git", megabytes, partial(raw_git, repository, asked), GitSource(url=repository))
    archive = Path(folder, f"{name.replace('/', '-')}.tar.gz")
    with gzip.open(archive, "wb", 6) as packed:
        packed.write(
            subprocess.run(["git", "-C", repository, "archive", "HEAD"], capture_output=True, check=True).stdout
        )
    compare(f"{name} tar.gz", megabytes, partial(raw_tar, archive), ArchiveSource(path=str(archive)))


def tiny(count: int, folder: str) -> None:
    archive = Path(folder, "tiny.tar.gz")
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for number in range(count):
            member = tarfile.TarInfo(f"tiny/{number // 1000:04}/{number}.py")
            content = b"x = %d\n" % number
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
            packed.members = []
    source = {"kind": "archive", "path": str(archive)}
    print(f"{count:,} tiny files, the default limit: {memory({'num_shards': 1, 'sources': [source]})}", flush=True)
    settings = {"num_shards": 1, "sources": [source], "max_entries": count}
    print(f"{count:,} tiny files, all asked for:     {memory(settings)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*")
    parser.add_argument("--tiny", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for repository in options.repositories:
            of_repository(repository, folder)
        if options.tiny:
            tiny(options.tiny, folder)


if __name__ == "__main__":
    main()
