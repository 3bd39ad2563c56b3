"""Time, processor time and peak memory of a block of work in this process and the processes it started."""

import resource
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.manifest import Cost


@dataclass
class Meter:
    """Starts when made. Peak memory is this process's alone, from the start of the meter on where Linux allows it."""

    started: float = field(default_factory=time.perf_counter)
    cpu_started: float = field(default_factory=lambda: sum(_cpu_times()))

    def __post_init__(self) -> None:
        with suppress(OSError):  # not Linux: the peak is then that of the whole process so far
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the high-water mark

    def read(self) -> Cost:
        return Cost(
            seconds=round(time.perf_counter() - self.started, 3),
            cpu_seconds=round(sum(_cpu_times()) - self.cpu_started, 3),
            peak_memory_bytes=_peak_memory_bytes(),
        )


def _cpu_times() -> list[float]:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return [own.ru_utime, own.ru_stime, children.ru_utime, children.ru_stime]


def _peak_memory_bytes() -> int:
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
