"""Runs one hostile program and reports how it ended. `eval.sandbox` starts it with `python -I -S`, no environment.

Three processes. The *supervisor* builds the namespaces, keeps the time and writes the report. The *init* is process 1
of a new PID namespace: when it ends, the kernel ends all that the program left behind. The *candidate* runs it.
Imports nothing of ours and few light modules (no json, signal, traceback): starting them would be most of the time.

Arguments: isolation, wall_seconds, memory_bytes, disk_bytes, num_processes, output_bytes. Standard input: the program.
Standard output: `outcome seconds detail`, one line.
"""

import ctypes
import math
import os
import resource
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
MNT_DETACH, AT_FDCWD, AT_RECURSIVE = 0x2, -100, 0x8000
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 0x1, 0x2
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CAPABILITY_VERSION_3 = 0x20080522
SYS_MOUNT_SETATTR = 442  # the same number on every architecture; needs Linux 5.12
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

CANDIDATE_ID = 1  # user and group of the program inside its user namespace
NOBODY = 65534  # what CANDIDATE_ID is outside when root evaluates: RLIMIT_NPROC does not bind root's own processes
SYSTEM_FOLDERS = ("/usr", "/bin", "/lib", "/lib32", "/lib64")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
SIGKILL, SIGXCPU = 9, 24
VERDICT_FD = 3
DETAIL_CHARS = 500

libc = ctypes.CDLL(None, use_errno=True)


class Request:
    """What to run, and what it may use."""

    def __init__(self, arguments: list[str], program: str) -> None:
        self.isolated = arguments[0] == "namespaces"
        self.wall_seconds = float(arguments[1])
        self.memory_bytes, self.disk_bytes, self.num_processes, self.output_bytes = map(int, arguments[2:])
        self.program = program


def call(name: str, *arguments: object) -> None:
    """Calls a function of the C library; OSError names it where it fails."""
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def supervise(request: Request) -> str:
    """Runs the program to its end or its time limit; returns the report."""
    if request.isolated:
        enter_namespaces()
        build_root(os.getcwd(), request.disk_bytes)
    nonce = os.urandom(16).hex()
    verdict_read, verdict_write = os.pipe()
    output_read, output_write = os.pipe()
    start = time.monotonic()
    init = os.fork()
    if init == 0:
        run_init(request, nonce, verdict_write, output_write)
    os.close(verdict_write)
    os.close(output_write)
    deadline = start + request.wall_seconds
    received, ended = collect(init, [verdict_read, output_read], deadline, request.output_bytes)
    status = end(init)
    outcome, detail = judge(received[verdict_read], received[output_read], nonce, status, ended)
    return f"{outcome} {time.monotonic() - start:.6f} {detail}"


def enter_namespaces() -> None:
    """Moves into new user, mount, PID (for the next fork), network, IPC, host name and cgroup namespaces."""
    supervisor, uid, gid = os.getpid(), os.geteuid(), os.getegid()
    ready_read, ready_write = os.pipe()
    writer = os.fork()  # stays outside: only from there may root map a second id
    if writer == 0:
        os.close(ready_write)
        os._exit(0 if os.read(ready_read, 1) and write_id_maps(supervisor, uid, gid) else 1)
    os.close(ready_read)
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
         | CLONE_NEWCGROUP)  # fmt: skip
    os.write(ready_write, b"x")
    os.close(ready_write)
    _, status = os.waitpid(writer, 0)
    if status != 0:
        raise OSError(f"could not map user {uid} into the new user namespace")


def write_id_maps(pid: int, uid: int, gid: int) -> bool:
    maps = [("uid_map", uid), ("gid_map", gid)]
    try:
        if uid != 0:
            write(f"/proc/{pid}/setgroups", "deny")
        for name, outside in maps:
            extents = f"0 0 1\n{CANDIDATE_ID} {NOBODY} 1" if uid == 0 else f"{CANDIDATE_ID} {outside} 1"
            write(f"/proc/{pid}/{name}", extents)
    except OSError:
        return False
    return True


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def build_root(root: str, disk_bytes: int) -> None:
    """Makes the empty folder `root` the file system: the interpreter and its libraries, read-only, and a small /tmp."""
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    call("mount", b"tmpfs", root.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"size=1m,mode=755")
    for path in [*SYSTEM_FOLDERS, *interpreter_folders(), *DEVICES]:
        expose(path, root)
    os.mkdir(root + "/tmp")
    read_only = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID)
    call("syscall", SYS_MOUNT_SETATTR, ctypes.c_long(AT_FDCWD), root.encode(), AT_RECURSIVE, read_only,
         ctypes.c_long(ctypes.sizeof(read_only)))  # fmt: skip
    options = f"size={disk_bytes},nr_inodes=10000,mode=1777".encode()
    call("mount", b"tmpfs", f"{root}/tmp".encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options)
    os.chdir(root)
    call("syscall", SYS_PIVOT_ROOT[os.uname().machine], b".", b".")  # the old root now lies under the new one
    call("umount2", b".", MNT_DETACH)
    os.mkdir("/tmp/work")
    os.chmod("/tmp/work", 0o777)
    os.chdir("/tmp/work")


def interpreter_folders() -> list[str]:
    inside = tuple(folder + "/" for folder in SYSTEM_FOLDERS)
    return [] if f"{sys.base_prefix}/".startswith(inside) else [sys.base_prefix]


def expose(path: str, root: str) -> None:
    """Shows `path` of the old file system at the same place under `root`."""
    target = root + path
    if os.path.islink(path) and path in SYSTEM_FOLDERS:
        os.symlink(os.readlink(path), target)
    elif os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
        call("mount", path.encode(), target.encode(), None, MS_BIND | MS_REC, None)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write(target, "")
        call("mount", path.encode(), target.encode(), None, MS_BIND, None)


def run_init(request: Request, nonce: str, verdict_write: int, output_write: int) -> "NoReturn":
    """Starts the candidate, waits for it and ends with its status. Never returns, and never runs the program."""
    call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    os.setsid()  # inside a PID namespace kill(getppid()) means kill(0): it must not reach the supervisor
    null = os.open("/dev/null", os.O_RDWR)
    verdict = os.dup(verdict_write)
    for source, target in ((null, 0), (output_write, 1), (output_write, 2), (verdict, VERDICT_FD)):
        os.dup2(source, target)
    os.closerange(VERDICT_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    candidate = os.fork()
    if candidate == 0:
        run_candidate(request, nonce)
    while True:  # orphans of the program arrive here too
        pid, status = os.wait()
        if pid == candidate:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def run_candidate(request: Request, nonce: str) -> "NoReturn":
    """Gives up every privilege, runs the program, writes the verdict."""
    candidate, deliver, leave = os.getpid(), os.write, os._exit
    try:
        drop_privileges(request)
    except OSError as error:
        outcome, detail = "error", f"cannot set the limits: {error}"
    else:
        outcome, detail = run_program(request.program)
    if os.getpid() == candidate:  # a fork of the program comes by here too
        deliver(VERDICT_FD, f"{nonce} {outcome} {printable(detail)}".encode())
    leave(0)


def drop_privileges(request: Request) -> None:
    if request.isolated:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(CANDIDATE_ID, CANDIDATE_ID, CANDIDATE_ID)
            os.setresuid(CANDIDATE_ID, CANDIDATE_ID, CANDIDATE_ID)
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        call("capset", header, (ctypes.c_uint32 * 6)())  # no capability, not even inside the namespaces
        limit(resource.RLIMIT_NPROC, request.num_processes)  # without a user namespace it would count the user's own
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    limit(resource.RLIMIT_CPU, math.ceil(request.wall_seconds) + 1)
    limit(resource.RLIMIT_AS, request.memory_bytes)
    limit(resource.RLIMIT_FSIZE, request.disk_bytes)
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 256)


def limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, value))


def run_program(program: str) -> tuple[str, str]:
    """Outcome and detail of `program`, executed as the module `program`: as a main module it would run a main block."""
    module = type(sys)("program")
    sys.modules["program"] = module
    try:
        exec(compile(program, "program", "exec"), module.__dict__)
    except MemoryError:
        return "out_of_memory", "MemoryError"
    except BaseException as error:  # noqa: BLE001 - whatever ends the program, SystemExit too, is a failure of it
        return "failed", explain(error, program)
    return "passed", ""


def explain(error: BaseException, program: str) -> str:
    """The error in one line, and the last line of the program that it came through."""
    text = f"{type(error).__name__}: {error}"
    number, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "program":
            number = trace.tb_lineno
        trace = trace.tb_next
    return f"line {number}, {program.splitlines()[number - 1].strip()!r}: {text}" if number else text


def printable(text: str) -> str:
    """`text` as one line of valid UTF-8, at most DETAIL_CHARS long."""
    return " ".join(text[:DETAIL_CHARS].encode("utf-8", "backslashreplace").decode().split())


def collect(init: int, pipes: list[int], deadline: float, max_bytes: int) -> tuple[dict[int, bytes], bool]:
    """Reads the pipes until init ends or time is up. Keeps `max_bytes` of each and discards the rest.

    Returns what was read, and whether init ended by itself.
    """
    received = dict.fromkeys(pipes, b"")
    poll = select.poll()
    ended = os.pidfd_open(init)
    for descriptor in [*pipes, ended]:
        poll.register(descriptor, select.POLLIN)
    while (remaining := deadline - time.monotonic()) > 0:
        ready = dict(poll.poll(remaining * 1000))
        for pipe in received.keys() & ready.keys():
            chunk = os.read(pipe, 65536)
            received[pipe] = (received[pipe] + chunk)[:max_bytes]
            if not chunk:
                poll.unregister(pipe)
        if set(ready) == {ended}:  # and the pipes are empty
            return received, True
    return received, False


def end(init: int) -> int:
    """Kills init with all that it started, waits until it is gone; returns its exit status, negative for a signal."""
    kill: Callable[[int, int], None]
    for kill in (os.kill, os.killpg):  # the group: without a PID namespace the program would outlive init
        try:
            kill(init, SIGKILL)
        except ProcessLookupError:
            continue
    _, status = os.waitpid(init, 0)
    return os.waitstatus_to_exitcode(status)


def judge(verdict: bytes, output: bytes, nonce: str, status: int, ended: bool) -> tuple[str, str]:
    """Outcome and detail. Without a verdict that carries the nonce the outcome is never `passed`."""
    if not ended:
        return "timeout", "wall time limit"
    if status == 128 + SIGXCPU:
        return "timeout", "CPU time limit"
    words = verdict.decode(errors="backslashreplace").split(" ", 2)
    if len(words) == 3 and words[0] == nonce and status == 0:
        return words[1], printable(words[2])
    lines = output.decode(errors="backslashreplace").strip().splitlines()
    how = f"killed by signal {status - 128}" if status > 128 else f"exit status {status}"
    return "failed", printable(f"ended before its tests did, {how}" + (f": {lines[-1]}" if lines else ""))


def main() -> None:
    source = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    sys.stdout.buffer.write(supervise(Request(sys.argv[1:], source)).encode())
