"""Go: the package-level names of other files that each file uses, as the standard library's go/types resolves them.

What is a method or a field is not compared: which type a value has is more than a file's text says. Files are seen as
they build on one of six systems without custom build tags.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _sources

NAME = "go/types"
LANGUAGES = ["Go"]
TOOLS = ["go"]
PROJECTS = ["hugo", "prometheus", "restic"]


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    yield from (_sources.debian(cache, package) for package in PROJECTS)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    program = Path(__file__).with_suffix(".go")
    said = subprocess.run(["go", "run", str(program), str(root)], check=True, capture_output=True, text=True).stdout
    lines = [line.split(" ") for line in said.splitlines()]
    return {(line[1], line[2]) for line in lines if line[0] == "names"}, {
        line[1] for line in lines if line[0] == "seen"
    }
