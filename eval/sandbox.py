"""Runs programs that nobody has read: `execute` one, `execute_all` many. Linux only.

Isolation, the level of which is written into every report:

* `namespaces` (Linux 5.12 or newer with user namespaces; root and non-root): a fresh user, mount, PID, network, IPC,
  host name and cgroup namespace per program. No network, not even loopback. The file system is the interpreter and
  /usr, read-only, and a small /tmp of its own; no /proc, no home, no environment variables. No capability. The program
  sees no process but its own, and when it ends the kernel ends all it started.
* `rlimits` (only on request): resource limits, an empty environment, a group kill. **Not prevented**: network, reading
  and writing whatever the user may, fork bombs, killing the user's processes, a daemon in a session of its own.

Named limits of both. The verdict is made in the process that ran the program: ending early, printing or writing to
descriptors forges nothing, but a program that searches its own process for the nonce, or whose objects compare equal
to everything, can pass. Memory is limited per process, so a program may use `num_processes` times `memory_bytes`.
There is no system call filter.
"""

import functools
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

Isolation = Literal["namespaces", "rlimits"]

LAUNCHER_FOLDER = Path(__file__).parent
# Imported, not run as a script: so its bytecode is cached, which saves a third of the time of a short program.
START = "import sys; sys.path.insert(0, sys.argv.pop()); import sandbox_launcher as l; del sys.path[0]; l.main()"
GRACE_SECONDS = 10.0  # for a launcher that does not come back; it keeps the time limit itself


@dataclass(frozen=True)
class Limits:
    """What one program may use; the launcher takes the fields in this order.

    CPU time is limited to the wall time and a second more.
    """

    wall_seconds: float = 10.0
    memory_bytes: int = 512 * 2**20  # address space, of each process
    disk_bytes: int = 16 * 2**20
    num_processes: int = 16  # threads count too
    output_bytes: int = 64 * 2**10  # what is kept of it; the rest is read and discarded


@dataclass(frozen=True)
class Verdict:
    """How a program ended.

    `outcome` is `passed`, `failed` (an exception, or it ended before its tests did), `timeout`, `out_of_memory`, or
    `error`: the sandbox could not judge it. `detail` is empty where it passed, else the reason in a line.
    """

    outcome: str
    detail: str
    seconds: float


def execute(program: str, limits: Limits = Limits(), isolation: Isolation = "namespaces") -> Verdict:
    """Runs a Python program that ends by itself with an exception if its tests fail."""
    arguments = [isolation, *map(str, astuple(limits)), str(LAUNCHER_FOLDER)]
    command = [sys.executable, "-I", "-S", "-c", START, *arguments]
    folder = tempfile.mkdtemp(prefix="repoloom-sandbox-")  # mount point of the new root; without namespaces the cwd
    try:
        finished = subprocess.run(
            command, input=program.encode("utf-8", "surrogatepass"), env={}, cwd=folder, capture_output=True,
            timeout=limits.wall_seconds + GRACE_SECONDS, start_new_session=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Verdict("error", "the sandbox did not come back", limits.wall_seconds + GRACE_SECONDS)
    finally:
        _remove(folder)
    if finished.returncode != 0:
        last_line = (finished.stderr.decode().strip().splitlines() or [f"exit status {finished.returncode}"])[-1]
        return Verdict("error", f"the sandbox failed: {last_line}", 0.0)
    outcome, seconds, detail = finished.stdout.decode().split(" ", 2)
    return Verdict(outcome, detail, float(seconds))


def execute_all(
    programs: Iterable[str], limits: Limits = Limits(), isolation: Isolation = "namespaces", num_workers: int = 0
) -> Iterator[Verdict]:
    """The verdicts in the order of the programs; `num_workers` run at a time (0: one per core). Takes what it needs."""
    num_workers = num_workers or os.cpu_count() or 1
    waiting: deque[Future[Verdict]] = deque()
    with ThreadPoolExecutor(num_workers) as pool:
        for program in programs:
            waiting.append(pool.submit(execute, program, limits, isolation))
            if len(waiting) >= 2 * num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class SandboxUnavailableError(ValueError):
    """This machine cannot isolate programs, and nobody asked to run them without."""


def isolation_level(allow_weak: bool) -> Isolation:
    """The best level that works here.

    Raises SandboxUnavailableError where only `rlimits` does and `allow_weak` is false.
    """
    obstacle = _obstacle()
    if not obstacle:
        return "namespaces"
    if not allow_weak:
        raise SandboxUnavailableError(
            f"cannot isolate the programs that the model writes ({obstacle}). Allow user namespaces on this machine "
            "(sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu; a container needs its seccomp profile "
            "to allow unshare and mount), or accept --allow-weak-sandbox: time and memory limits only"
        )
    return "rlimits"


@functools.cache
def _obstacle() -> str:
    """Why namespaces do not work here; empty where they do."""
    if sys.platform != "linux":
        return f"namespaces need Linux, this is {sys.platform}"
    verdict = execute("")
    return "" if verdict.outcome == "passed" else verdict.detail


def _remove(folder: str) -> None:
    try:
        os.rmdir(folder)  # with namespaces nothing was ever written to it
    except OSError:
        subprocess.run(["rm", "-rf", "--", folder], check=False)  # shutil.rmtree fails on deep trees
