"""Java: the types of other files that each file names, as javac attributes them, source roots of a project together.

Class files would not do: constants are inlined in them, and unused imports are gone. Where a library is missing, javac
goes on; what it cannot attribute for that reason is rarely a type of the project.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _sources

NAME = "javac"
LANGUAGES = ["Java"]
TOOLS = ["java", "javac"]
PROJECTS = {  # Debian's source package -> the roots that are one program
    "libcommons-lang3-java": ["src/main/java", "src/test/java"],
    "guava-libraries": ["guava/src", "guava-testlib/src", "guava-tests/test"],
    "tomcat9": ["java", "test"],
}


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    yield from (_sources.debian(cache, package) for package in PROJECTS)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    roots = [folder for folder in PROJECTS[root.parent.name] if (root / folder).is_dir()]
    program = Path(__file__).with_name("JavacUses.java")
    command = ["java", "-Xss64m", str(program), str(root), *roots]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line.split(" ") for line in said.splitlines()]
    return {(line[1], line[2]) for line in lines if line[0] == "names"}, {
        line[1] for line in lines if line[0] == "seen"
    }
