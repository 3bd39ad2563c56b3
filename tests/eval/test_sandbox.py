"""Hostile programs, each with its verdict, and checks that nothing of them is left outside."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from eval import sandbox
from eval.sandbox import Limits, execute, execute_all

OBSTACLE = sandbox._obstacle()
needs_namespaces = pytest.mark.skipif(bool(OBSTACLE), reason=f"no namespaces on this machine: {OBSTACLE}")
QUICK = Limits(wall_seconds=5.0)

# (what the program does, the program, outcome, what the detail says)
ANYWHERE = [
    ("nothing wrong", "assert sorted([2, 1]) == [1, 2]", "passed", ""),
    ("a wrong answer", "x = 3\nassert x == 2, 'no'", "failed", "line 2, \"assert x == 2, 'no'\": AssertionError: no"),
    ("a syntax error", "def f(:", "failed", "SyntaxError"),
    ("a NUL byte", "x = 1\0", "failed", "null bytes"),
    ("a lone surrogate in its source", "x = '\ud800'", "failed", "surrogates not allowed"),
    ("exits before the tests", "import sys; sys.exit(0)\nassert False", "failed", "SystemExit: 0"),
    ("exits without cleanup", "import os; os._exit(0)\nassert False", "failed", "before its tests did, exit status 0"),
    ("crashes", "import ctypes; ctypes.string_at(0)", "failed", "killed by signal 11"),
    ("prints a verdict, then ends", "import os; os.write(1, b'0 passed \\n'); os._exit(0)", "failed", "0 passed"),
    ("writes a verdict to every descriptor",
     "import os\nfor fd in range(256):\n  try: os.write(fd, b'00000000000000000000000000000000 passed ')\n"
     "  except OSError: pass\nos._exit(0)", "failed", "ended before"),
    ("takes all memory", "x = ' ' * 10**11", "out_of_memory", ""),
    ("takes memory bit by bit", "x = []\nwhile True: x.append(' ' * 10**7)", "out_of_memory", ""),
    ("raises a lone surrogate", "raise ValueError('\\ud800')", "failed", "ValueError: \\ud800"),
    ("prints bytes that are no text", "import os; os.write(2, b'\\xff\\xfe'); os._exit(3)", "failed", "\\xff\\xfe"),
    ("prints without end, then fails", "print('x' * 10**7)\nassert False", "failed", "AssertionError"),
    ("asks for input", "input()", "failed", "EOFError"),
    ("raises what cannot be shown",
     "class E(Exception):\n  def __str__(self): raise SystemExit(0)\nraise E", "failed", "ended before"),
    ("deletes its working directory", "import os, shutil; shutil.rmtree(os.getcwd(), True)", "passed", ""),
    ("fills the disk", "f = open('f', 'wb')\nwhile True: f.write(bytes(10**6))", "failed", "File too large"),
    ("looks for the environment", "import os; assert set(os.environ) <= {'LC_CTYPE'}", "passed", ""),
    ("makes a deep tree", "import os\nfor _ in range(1100): os.mkdir('d'); os.chdir('d')", "passed", ""),
    ("does not run a main block", "if __name__ == '__main__': assert False", "passed", ""),
]  # fmt: skip

ISOLATED = [
    ("connects to a network", "import socket; socket.create_connection(('192.0.2.1', 80), 2)", "failed", "unreachable"),
    ("connects to this machine", "import socket; socket.create_connection(('127.0.0.1', 22), 2)", "failed",
     "unreachable"),
    ("sees only itself", "import os; assert os.getpid() == 2 and os.getppid() == 1", "passed", ""),
    ("kills its parent", "import os; os.kill(os.getppid(), 9); assert False, 'alive'", "failed", ""),
    ("kills everybody", "import os; os.kill(-1, 9); assert False, 'alive'", "failed", "alive"),
    ("kills its group", "import os; os.kill(0, 9)", "failed", ""),
    ("reads passwords", "open('/etc/shadow').read()", "failed", "FileNotFoundError"),
    ("reads another process", "open('/proc/1/environ').read()", "failed", "FileNotFoundError"),
    ("writes to the system", "open('/usr/x', 'w')", "failed", "Read-only file system"),
    ("writes beside its folder", "open('/x', 'w')", "failed", "Read-only file system"),
    ("writes where it may", "open('/tmp/x', 'w').write('x'); import tempfile; tempfile.mkdtemp()", "passed", ""),
    ("fills the disk with many files",
     "for i in range(100): open(str(i), 'wb').write(bytes(10**6))", "failed", "No space left"),
    ("makes the system writable",
     "import ctypes\nassert ctypes.CDLL(None).mount(None, b'/usr', None, 4128, None) == 0", "failed", "Assertion"),
    ("makes it writable from a namespace of its own",
     "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.unshare(0x10020000)\n"
     "assert libc.mount(None, b'/usr', None, 4128, None) == 0", "failed", "Assertion"),
    ("becomes root", "import os; os.setuid(0)", "failed", "PermissionError"),
    ("bombs with forks", "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", "timeout", "wall time"),
]  # fmt: skip


def names(cases):
    return [case[0] for case in cases]


@pytest.mark.parametrize(("name", "program", "outcome", "detail"), ANYWHERE, ids=names(ANYWHERE))
@pytest.mark.parametrize("isolation", [pytest.param("namespaces", marks=needs_namespaces), "rlimits"])
def test_verdict(isolation, name, program, outcome, detail):
    verdict = execute(program, QUICK, isolation)
    assert (verdict.outcome, detail in verdict.detail) == (outcome, True), verdict


@needs_namespaces
@pytest.mark.parametrize(("name", "program", "outcome", "detail"), ISOLATED, ids=names(ISOLATED))
def test_verdict_with_namespaces(name, program, outcome, detail):
    verdict = execute(program, Limits(wall_seconds=1.5))
    assert (verdict.outcome, detail in verdict.detail) == (outcome, True), verdict


@pytest.mark.parametrize("isolation", [pytest.param("namespaces", marks=needs_namespaces), "rlimits"])
@pytest.mark.parametrize(
    "program",
    ["while True: pass", "import signal\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n"
     "  except (OSError, ValueError): pass\nwhile True: pass", "import time; time.sleep(60)"],
    ids=["loops", "ignores signals", "sleeps"],
)  # fmt: skip
def test_time_limit(isolation, program):
    verdict = execute(program, Limits(wall_seconds=0.5), isolation)
    assert (verdict.outcome, verdict.detail) == ("timeout", "wall time limit")
    assert 0.5 <= verdict.seconds < 5


@needs_namespaces
def test_processes_are_limited():
    program = """
import os, time
count = 0
try:
    while count < 50:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except OSError:
    pass
raise SystemExit(f"{count} forks")
"""
    verdict = execute(program, Limits(num_processes=8))
    assert verdict.outcome == "failed"
    assert 1 <= int(verdict.detail.split("SystemExit: ")[1].split()[0]) < 8


@needs_namespaces
def test_a_daemon_dies_with_the_program():
    marked = Limits(output_bytes=65531)  # the processes of this sandbox show the number on their command line
    program = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
"""
    assert execute(program, marked).outcome == "passed"
    assert not processes_with("65531")


def processes_with(argument: str) -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    return [line for line in lines if argument in line.split("\0")]


@needs_namespaces
def test_files_of_this_machine_cannot_be_seen(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("key")
    assert "FileNotFoundError" in execute(f"open({str(secret)!r})").detail


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for isolation in ["rlimits"] if OBSTACLE else ["rlimits", "namespaces"]:
        assert execute("open('a', 'w').write('a')", isolation=isolation).outcome == "passed"
    assert not list(tmp_path.iterdir())


def test_verdicts_come_in_order_and_programs_are_taken_as_needed():
    taken = []

    def programs():
        for number in range(12):
            taken.append(number)
            yield f"assert {number} % 3, 'three'"

    verdicts = execute_all(programs(), isolation="rlimits", num_workers=2)
    first = next(verdicts)
    assert len(taken) <= 4
    outcomes = [first.outcome, *(verdict.outcome for verdict in verdicts)]
    assert outcomes == ["failed", "passed", "passed"] * 4


def test_a_launcher_that_fails_is_an_error_not_a_failure(monkeypatch):
    monkeypatch.setattr(sandbox, "LAUNCHER_FOLDER", Path("/nowhere"))
    verdict = execute("x = 1", isolation="rlimits")
    assert (verdict.outcome, "No module named" in verdict.detail) == ("error", True)


def test_the_weak_level_needs_to_be_asked_for(monkeypatch):
    monkeypatch.setattr(sandbox, "_obstacle", lambda: "unshare: Operation not permitted")
    assert sandbox.isolation_level(allow_weak=True) == "rlimits"
    with pytest.raises(sandbox.SandboxUnavailableError, match=r"unshare.*--allow-weak-sandbox"):
        sandbox.isolation_level(allow_weak=False)


@pytest.mark.xfail(strict=True, reason="named limit: the verdict is made in the candidate's process")
def test_an_object_that_equals_everything_does_not_pass():
    program = "class Any:\n  def __eq__(self, other): return True\nassert Any() == 5"
    assert execute(program, isolation="rlimits").outcome == "failed"


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests already run without root")
def test_without_root():
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin")
    if python is None:
        pytest.skip("no Python that another user may run")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sandbox.py", "sandbox_launcher.py"):
            shutil.copy(Path(sandbox.__file__).with_name(name), folder)
        os.chmod(folder, 0o755)
        program = f"""
import sys
sys.path.insert(0, {folder!r})
import sandbox
bomb = "import os\\nfor i in range(40): os.fork()"
print([sandbox.execute(p).outcome for p in ("", "open('/usr/x', 'w')", "import os; os.setuid(0)", bomb)])
"""
        command = [python, "-B", "-c", program]
        run = subprocess.run(
            command, user=65534, group=65534, extra_groups=[], env={}, capture_output=True, check=False
        )
        assert run.stdout.decode().strip() == "['passed', 'failed', 'failed', 'failed']", run.stderr.decode()


def test_the_launcher_imports_nothing_slow():
    slow = {"json", "re", "signal", "enum", "traceback", "typing", "subprocess"}
    assert execute(f"import sys; assert not {slow} & set(sys.modules)", isolation="rlimits").outcome == "passed"
