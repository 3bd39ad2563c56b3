"""Damages archives and git repositories at random and crawls them: whatever comes, rows with reasons, and no exception.

    python -m tests.benchmarks.fuzz_crawl [--archives 20000] [--repositories 1000] [--seed 0]

What a checksum covers (gzip, bz2, xz, zip, git) has to come out as it went in, or dropped, and what was not damaged
after all has to come out whole. Prints how many inputs ran,
how they ended, and the slowest; exits with 1 where one broke the law. The test suite runs a few of them.
"""

import argparse
import bz2
import gzip
import io
import lzma
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.crawl.sources.git import GitSource
from pipelines.crawl.sources.source import Repository, Source
from pipelines.crawl.stage import STAGE

CONTENTS = {
    "r/a.py": b"one = 1\n", "r/b/c.py": b"two = 2\n" * 300, f"r/{'long' * 30}/{'name' * 20}.py": b"three = 3\n",
    "r/d/caf\u00e9.py": b"four = 4\n", "r/empty.py": b"",
}  # fmt: skip
TEXTS = {content.decode() for content in CONTENTS.values()}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes, "tar.gz": partial(gzip.compress, mtime=0), "tar.bz2": bz2.compress, "tar.xz": lzma.compress,
    "tar.zst": partial(pa.Codec("zstd").compress, asbytes=True),
}  # fmt: skip
NO_CHECKSUM = {"tar", "tar.zst"}
MAX_SECONDS = 20.0


def archive(kind: str, chance: random.Random) -> bytes:
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as packed:
            for name, content in CONTENTS.items():
                packed.writestr(zipfile.ZipInfo(name), content)
        return stream.getvalue()
    layout = chance.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    with tarfile.open(fileobj=stream, mode="w", format=layout) as tar:
        for name, content in CONTENTS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return PACKED[kind](stream.getvalue())


def damaged(sound: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, a piece left out, doubled or moved, or the end cut off."""
    found = bytearray(sound)
    for _ in range(chance.randrange(4)):
        found[chance.randrange(len(found))] = chance.choice([0, 255, chance.randrange(256)])
    begin, end = sorted(chance.randrange(len(found) + 1) for _ in range(2))
    piece = found[begin : min(end, begin + 600)]
    how = chance.randrange(5)
    if how == 0:
        del found[chance.randrange(len(found)) :]
    elif how == 1:
        del found[begin : begin + len(piece)]
    elif how == 2:
        place = chance.randrange(len(found) + 1)
        found[place:place] = piece
    return bytes(found)


def repository(folder: Path) -> None:
    """A sound git repository of CONTENTS, in one pack."""
    for name, content in CONTENTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false")
    commands = [("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "-m", "m"), ("gc", "--quiet")]
    for command in commands:
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)


def parts_of(folder: Path) -> dict[Path, bytes]:
    """The files of a repository that decide what is read."""
    wanted = [".git/HEAD", ".git/packed-refs", ".git/objects/pack/*.pack", ".git/objects/pack/*.idx"]
    found = [path for pattern in wanted for path in folder.glob(pattern)]
    for path in found:
        path.chmod(0o644)
    return {path: path.read_bytes() for path in found}


def crawl(source: Source, cache: str) -> list[dict[str, object]]:
    """The rows. Anything but rows is an exception."""
    limits, rows = Limits(), []
    for found in source.repositories(cache):
        rows += [row for batch in files.batches(found, partial(_entries, source, found, limits, cache), limits)
                 for row in batch.to_pylist()]  # fmt: skip
    return rows


def _entries(source: Source, found: Repository, limits: Limits, cache: str) -> object:
    return source.entries(found, limits, cache)


def law(rows: list[dict[str, object]], has_checksum: bool) -> None:
    """AssertionError where a row is neither sound nor dropped with a reason."""
    assert rows
    for row in rows:
        assert row["reason"] is None or (row["reason"] in STAGE.reasons and not row["content"]), row
        assert not has_checksum or row["reason"] or row["content"] in TEXTS, row


def one_archive(seed: int, folder: str) -> str:
    """How a damaged archive ended."""
    chance = random.Random(seed)
    kind = chance.choice([*PACKED, "zip"])
    path = Path(folder, f"r.{kind}")
    sound = archive(kind, chance)
    content = damaged(sound, chance)
    path.write_bytes(content)
    rows = crawl(ArchiveSource(path=str(path)), folder)
    law(rows, kind not in NO_CHECKSUM)
    assert content != sound or _ended(rows) == "sound", rows
    path.unlink()
    return f"{kind}: {_ended(rows)}"


def one_repository(seed: int, folder: str, sound: dict[Path, bytes]) -> str:
    """How a damaged repository ended."""
    chance = random.Random(seed)
    path = chance.choice(sorted(sound))
    for part, content in sound.items():
        part.write_bytes(damaged(content, chance) if part == path else content)
    rows = crawl(GitSource(url=folder, name="r"), folder)
    law(rows, True)
    return f"git {path.name if path.parent.name == '.git' else path.suffix[1:]}: {_ended(rows)}"


def _ended(rows: list[dict[str, object]]) -> str:
    if any(row["path"] == files.WHOLE for row in rows):
        return str(rows[0]["reason"])
    return "sound" if {str(row["content"]) for row in rows} == TEXTS else "some entries dropped or changed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=int, default=20_000)
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest, failed = 0.0, 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as made:
        repository(Path(made))
        sound = parts_of(Path(made))
        runs = [partial(one_archive, options.seed + number, folder) for number in range(options.archives)]
        runs += [partial(one_repository, options.seed + number, made, sound) for number in range(options.repositories)]
        for run in runs:
            started = time.perf_counter()
            try:
                outcomes[run()] += 1
            except Exception as error:  # noqa: BLE001  # that there is none is what is tested
                failed += 1
                print(f"{run.func.__name__} seed {run.args[0]}: {type(error).__name__}: {error}", flush=True)
            slowest = max(slowest, time.perf_counter() - started)
    for name, count in sorted(outcomes.items()):
        print(f"{count:>7,}  {name}")
    print(f"{len(runs):,} inputs, {failed} broke the law, slowest {slowest:.2f} s")
    return 1 if failed or slowest > MAX_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
