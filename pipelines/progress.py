"""Shows how far a step has come by watching which shards are finished on disk, so it works with any runner."""

import logging
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from pipelines import storage
from pipelines.stage import StageRun

LOG = logging.getLogger("pipelines")


@contextmanager
def watching(run: StageRun[Any], shards: Sequence[str], poll_seconds: float = 0.5) -> Iterator[None]:
    """A progress bar on a terminal, a log line every tenth of the way elsewhere."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(run, shards, stop, poll_seconds), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(run: StageRun[Any], shards: Sequence[str], stop: threading.Event, poll_seconds: float) -> None:
    started, done = time.time(), 0
    with tqdm(
        total=len(shards), desc=run.stage.name, unit=" shards", disable=not sys.stderr.isatty(), leave=False
    ) as bar:
        while not stop.wait(poll_seconds):
            now_done = _num_finished(run, shards, started)
            bar.update(now_done - done)
            if bar.disable and now_done * 10 // len(shards) > done * 10 // len(shards):
                LOG.info("%s: %d of %d shards", run.stage.name, now_done, len(shards))
            done = now_done


def _num_finished(run: StageRun[Any], shards: Sequence[str], started: float) -> int:
    """How many of `shards` were moved into place since `started` (a clock reading, in seconds)."""
    folders = {shard.rpartition("/")[0] for shard in shards}
    found = [(folder, info) for folder in folders for info in storage.files(run.path(folder))]
    fresh = {
        f"{folder}/{info.base_name}".lstrip("/")
        for folder, info in found
        if (info.mtime_ns or math.inf) / 1e9 >= started - 1
    }
    return len(fresh & set(shards))
