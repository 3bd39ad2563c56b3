"""What gcc says which file each `#include` is, with the options of the project's own build.

A build takes one branch of every `#if`, and gcc reports a guarded header only where it enters it first. So that all
branches count, gcc is asked twice: `-H` tells which files the build reads, by which includes, also where a macro
names the file; then each include of a file that was read, as gcc leaves it when it removes comments, is resolved on
its own, with the options that the file was read with. A file that does not preprocess without error is left out.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.graph_accuracy import _sources

OPENED = re.compile(r"^(\.+) (.+)$", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|import)[ \t]*(<[^>\n]+>|"[^"\n]+")', re.MULTILINE)
ENTERED = re.compile(r"make(?:\[\d+\])?: (Entering|Leaving) directory '(.*)'")
COMPILES = re.compile(r"(?:g?cc|[gc]\+\+) .*-c ")
WITH_VALUE = ("-I", "-D", "-U", "-isystem", "-iquote", "-idirafter", "-include", "-std", "-x")
FOLDERS = ("-I", "-isystem", "-iquote", "-idirafter", "-include")
SOURCES = (".c", ".cc", ".cpp", ".cxx", ".C")
CMAKE = ("-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_BUILD_TYPE=Release")


class Project(NamedTuple):
    package: str  # of Debian
    options: tuple[str, ...] = ()  # for cmake; without, the Makefile is asked
    before: tuple[str, ...] = ()  # commands that make ready for make


class Unit(NamedTuple):
    file: str
    options: tuple[str, ...]  # absolute: the file can be read from any folder


def projects(cache: Path, listed: list[Project]) -> Iterator[tuple[str, Path]]:
    for project in listed:
        yield _sources.debian(cache, project.package)


def edges(root: Path, listed: list[Project], language: str) -> tuple[set[tuple[str, str]], set[str]]:
    """The edges among the files of the project, and the files that its build reads."""
    (project,) = [project for project in listed if project.package == root.parent.name]
    build = root.parents[2] / "build" / root.name
    top, units = _by_cmake(project, root, build) if project.options else _by_make(project, root, build)
    pairs: set[tuple[str, str]] = set()
    options: dict[str, tuple[str, ...]] = {}  # of each file, those of the first unit that reads it
    with ThreadPoolExecutor(2) as threads:
        for unit, opened in zip(units, threads.map(_opened, units), strict=True):
            pairs |= opened
            for file in sorted({file for pair in opened for file in pair}):
                options.setdefault(file, unit.options)
        read = [Unit(file, flags) for file, flags in options.items() if Path(file).is_relative_to(top)]
        pairs = pairs.union(*threads.map(_resolved, read, [language] * len(read)))
    inside = {
        file: str(Path(file).relative_to(top)) for pair in pairs for file in pair if Path(file).is_relative_to(top)
    }
    found = {(inside[one], inside[other]) for one, other in pairs if one in inside and other in inside and one != other}
    return found, {str(Path(unit.file).relative_to(top)) for unit in read}


def _by_cmake(project: Project, root: Path, build: Path) -> tuple[Path, list[Unit]]:
    commands = build / "compile_commands.json"
    if not commands.exists():
        build.mkdir(parents=True, exist_ok=True)
        command = ["cmake", "-S", str(root), "-B", str(build), *CMAKE, *project.options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    listed = json.loads(commands.read_bytes())
    return root, [_unit(shlex.split(entry["command"]), entry["directory"]) for entry in listed]


def _by_make(project: Project, root: Path, build: Path) -> tuple[Path, list[Unit]]:
    """In a copy, since make writes into the tree."""
    if not build.exists():
        part = build.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(root, part, symlinks=True)
        part.rename(build)
        for command in project.before:
            subprocess.run(shlex.split(command), cwd=build, check=True, capture_output=True)
    asked = subprocess.run(["make", "-nkw", "V=1"], cwd=build, capture_output=True, text=True, check=False)
    units = []
    folders = [str(build)]
    for line in asked.stdout.splitlines():
        entered = ENTERED.match(line)
        if entered:
            folders = folders[:-1] if entered[1] == "Leaving" else [*folders, entered[2]]
        elif COMPILES.match(line):
            units.append(_unit(shlex.split(line), folders[-1]))
    return build, units


def _unit(command: list[str], folder: str) -> Unit:
    """The source of a compilation, and those of its options that say which files it reads."""
    options: list[str] = []
    words = iter(command[1:])
    file = ""
    for word in words:
        option = next((option for option in WITH_VALUE if word.startswith(option)), None)
        if option:
            value = word.removeprefix(option).removeprefix("=") or next(words)
            if option in FOLDERS:
                value = os.path.normpath(os.path.join(folder, value))
            options += [f"-std={value}"] if option == "-std" else [option, value]
        elif word == "-nostdinc":
            options.append(word)
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            next(words)
        elif word.endswith(SOURCES):
            file = os.path.normpath(os.path.join(folder, word))
    return Unit(file, tuple(options))


def _opened(unit: Unit) -> set[tuple[str, str]]:
    """(file, file that it includes) of all files that are read for one compilation; empty where it fails."""
    ask = ["gcc", "-E", "-H", *unit.options, unit.file, "-o", os.devnull]
    answer = subprocess.run(ask, capture_output=True, check=False)
    if answer.returncode:
        return set()
    found = set()
    around = [unit.file]
    for dots, name in OPENED.findall(answer.stderr.decode(errors="replace")):
        around[len(dots) :] = [os.path.normpath(name)]
        found.add((around[-2], around[-1]))
    return found


def _resolved(unit: Unit, language: str) -> set[tuple[str, str]]:
    """(file, file that it includes) of every branch of one file."""
    strip = ["gcc", "-fpreprocessed", "-dD", "-E", "-P", "-w", "-x", language, unit.file]
    code = subprocess.run(strip, capture_output=True, check=False).stdout.decode(errors="replace").replace("\\\n", " ")
    names = dict.fromkeys(INCLUDE.findall(code))
    each = "".join(f"#if __has_include({name})\n#include {name}\n#endif\n" for name in names)
    # What is included is opened, but not what it includes in turn: that is an error, and told all the same.
    ask = ["gcc", "-E", "-H", "-w", "-fmax-include-depth=2", *unit.options, "-x", language, "-", "-o", os.devnull]
    folder = Path(unit.file).parent
    answer = subprocess.run(ask, input=each.encode(), cwd=folder, capture_output=True, check=False).stderr
    opened = (name for dots, name in OPENED.findall(answer.decode(errors="replace")) if dots == ".")
    return {(unit.file, os.path.normpath(folder / name)) for name in opened}
