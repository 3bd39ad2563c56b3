"""Runs git so that nothing of a repository, or of the machine's configuration, runs with it; reads the object store."""

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from pipelines.crawl.sources.source import DroppedRepositoryError, check_paths, readable_path

SAFE = (
    "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
    "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60",  # a server that falls silent is given up
)  # fmt: skip
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # so that a commit stands for its bytes
    "LC_ALL": "C.UTF-8",
}
# What a machine needs to reach other machines at all.
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
NETWORK = (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "SSH_AUTH_SOCK")
# These win over any configuration, so a local repository cannot have its own command run by a fetch of missing objects.
NO_TRANSPORT = "none"
TRANSPORTS = "file:git:http:https:ssh"
PIPE_BYTES = 1 << 18  # of what waits between git and here: fewer turns than with the 64 kB of Linux


class GitError(DroppedRepositoryError):
    """Git could not read a repository; the message is git's own."""


class Item(NamedTuple):
    """An entry of a commit. `size_bytes` is None where the blob is not there."""

    path: str
    mode: bytes
    object_id: bytes
    size_bytes: int | None


def _command(folder: str, *arguments: str) -> list[str]:
    return ["git", "-C", folder, *SAFE, *arguments]


def _environment(folder: str, transports: str) -> dict[str, str]:
    # A folder inside another repository is not that repository.
    ceiling = str(Path(folder).resolve().parent)
    network = {name: os.environ[name] for name in NETWORK if name in os.environ}
    return {**ENVIRONMENT, **network, "GIT_ALLOW_PROTOCOL": transports, "GIT_CEILING_DIRECTORIES": ceiling}


def run(
    folder: str, *arguments: str, transports: str = NO_TRANSPORT, seconds: int = 600, max_bytes: int | None = None
) -> bytes:
    """What a git command says. GitError where it fails, takes longer, or writes a larger file."""
    limit = None if max_bytes is None else partial(resource.setrlimit, resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    with tempfile.TemporaryFile() as said:
        try:
            finished = subprocess.run(
                _command(folder, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
                env=_environment(folder, transports), timeout=seconds, preexec_fn=limit, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took more than {seconds} seconds") from error
        if finished.returncode:
            raise GitError(_what_failed(said))
        return finished.stdout


@contextmanager
def apart(folder: str, commit: str) -> Iterator[str]:
    """A bare repository that borrows the objects of the one in `folder`, and nothing of its configuration."""
    objects = run(folder, "rev-parse", "--git-path", "objects").decode().removesuffix("\n")
    with tempfile.TemporaryDirectory() as clean:
        for inside in ("refs", "objects/info"):
            os.makedirs(f"{clean}/{inside}")
        hashed = "sha256" if len(commit) == 64 else "sha1"
        borrowed = os.path.abspath(os.path.join(folder, objects))
        for name, text in {
            "HEAD": "ref: refs/heads/none\n",
            "config": f"[core]\nrepositoryFormatVersion = 1\nbare = true\n[extensions]\nobjectFormat = {hashed}\n",
            "objects/info/alternates": json.dumps(borrowed, ensure_ascii=False) + "\n",
        }.items():
            Path(clean, name).write_text(text, encoding="utf-8", errors="surrogateescape")
        yield clean


def items(folder: str, commit: str) -> Iterator[Item]:
    """Everything in a commit. Folders too, so that it cannot be endless nests of them. GitError where one is broken."""
    arguments = ("ls-tree", "-r", "-t", "-z", "--long", "--full-tree", commit)
    with _output(folder, *arguments) as stream:
        for line in _lines(stream):
            head, _, path = line.partition(b"\t")
            mode, _, object_id, size = head.split()
            yield Item(readable_path(path), mode, object_id, None if size == b"BAD" else int(size.replace(b"-", b"0")))


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """What lies between NULs."""
    rest, num_bytes = b"", 0
    while chunk := stream.read(1 << 16):
        *lines, rest = (rest + chunk).split(b"\0")
        yield from lines
        num_bytes += len(chunk)
        check_paths(num_bytes)


@contextmanager
def blobs(folder: str, object_ids: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """The blobs, in that order, of one `git cat-file`."""
    with tempfile.TemporaryFile() as asked:  # not a pipe, which would have to be written while the answer is read
        asked.writelines(object_id + b"\n" for object_id in object_ids)
        asked.seek(0)
        with _output(folder, "cat-file", "--batch", "--buffer", stdin=asked) as stream:
            yield _each_blob(folder, stream)


def _each_blob(folder: str, stream: IO[bytes]) -> Iterator[bytes]:
    while header := stream.readline().split():
        if len(header) != 3 or header[1] != b"blob":
            raise GitError(f"{folder}: {b' '.join(header).decode(errors='replace')}; expected a blob: see `git fsck`")
        size = int(header[2])
        content = stream.read(size)
        if len(content) < size or not stream.read(1):  # the newline after each
            break
        yield content
    raise GitError(f"{folder}: a blob is broken; see `git fsck`")


@contextmanager
def _output(folder: str, *arguments: str, stdin: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
    """The output of a git command while it runs. GitError where it failed; it is ended where nobody reads on."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            _command(folder, *arguments),
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pipesize=PIPE_BYTES,
            bufsize=PIPE_BYTES,
            stderr=said,
            env=_environment(folder, NO_TRANSPORT),
        )
        try:
            assert process.stdout is not None
            yield process.stdout
            if process.stdout.read(1) or process.wait():
                raise GitError(_what_failed(said))
        finally:
            process.kill()
            process.communicate()


def _what_failed(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read(1 << 16).decode(errors="replace").strip().splitlines()
    return next((line for line in lines if line.startswith("fatal: ")), lines[-1] if lines else "git gave no message")
