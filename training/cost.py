"""What a run costs, over all the times that it was started: wall time, processor time, memory."""

import resource
import sys
import time
from pathlib import Path

import torch

from training.state import Progress, State


class Meter:
    """Counts from the moment that it is made, on top of what `progress` holds already."""

    def __init__(self) -> None:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        self._seconds_before = self._cpu_seconds_before = 0.0

    def go_on_from(self, progress: Progress) -> None:
        self._seconds_before, self._cpu_seconds_before = progress.seconds, progress.cpu_seconds

    @property
    def seconds_this_time(self) -> float:
        return time.perf_counter() - self._started

    @property
    def seconds(self) -> float:
        return self._seconds_before + self.seconds_this_time

    def read_into(self, state: State) -> None:
        """Brings the figures in `state.progress` up to date. All processes call it, or none."""
        progress = state.progress
        progress.seconds = self.seconds
        progress.cpu_seconds = self._cpu_seconds_before + state.total([time.process_time() - self._cpu_started])[0]
        peak = _peak_memory_bytes(state.accelerator.device)
        progress.peak_memory_bytes = max(progress.peak_memory_bytes, peak)


def _peak_memory_bytes(device: torch.device) -> int:
    """Of tensors on a GPU, else of this program.

    (The kernel's `ru_maxrss` would also hold the peak of the process that started it.)
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024
    except (OSError, StopIteration):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
