"""Puts the files of a repository together: each file's own facts first, then, by language family, what they mean."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from pipelines.dependency_graph.imports import c, csharp, java, javascript, python
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.tree import FileTree, Found
from pipelines.grammars import ParserTimeoutError


class Family(Protocol):
    """A language family: languages that import one another's files in one way."""

    def extract(self, language: str, path: str, source: bytes, syntax: Syntax) -> Any:
        """What one file says, on its own. Raises ParserTimeoutError."""

    def resolve(self, facts: Mapping[str, Any], tree: FileTree) -> Iterator[tuple[str, Found]]:
        """(path, what it depends on) of every file in `facts`. Linear in the number of files; parses nothing."""


FAMILIES: dict[str, Family] = {
    "C": c,
    "C#": csharp,
    "C++": c,
    "Java": java,
    "JavaScript": javascript,
    "Python": python,
    "TypeScript": javascript,
}


class SourceFile(NamedTuple):
    row: int
    repository: str
    path: str
    language: str
    content: bytes


class Dependencies(NamedTuple):
    """The answer for one file. `timeout` is empty, or says why the parser was called off."""

    rows: list[int]  # ascending
    num_imports: int
    unresolved: list[str]  # sorted
    timeout: str


NONE = Found(set(), 0, set())


def dependencies(files: Iterable[SourceFile], syntax: Syntax) -> Iterator[Dependencies]:
    """For each file, what it depends on. The files of a repository stand side by side."""
    for _, repository in groupby(files, attrgetter("repository")):
        yield from _in_repository(list(repository), syntax)


def _in_repository(files: list[SourceFile], syntax: Syntax) -> Iterator[Dependencies]:
    rows = {file.path: file.row for file in files}
    contents = {file.path: file.content for file in files}
    tree = FileTree(list(rows), contents.__getitem__)
    found: dict[str, Found] = {}
    timeouts: dict[str, str] = {}
    for family, facts in _extract(files, syntax, timeouts):
        found.update(family.resolve(facts, tree))
    for file in files:
        answer = found.get(file.path, NONE)
        targets = sorted(rows[target] for target in answer.targets if target != file.path)
        yield Dependencies(targets, answer.num_imports, sorted(answer.unresolved), timeouts.get(file.path, ""))


def _extract(
    files: Iterable[SourceFile], syntax: Syntax, timeouts: dict[str, str]
) -> Iterator[tuple[Family, dict[str, Any]]]:
    """The facts of each file, by family, then path. A file whose parse was called off goes into `timeouts` instead."""
    by_family: dict[int, tuple[Family, dict[str, Any]]] = {}
    for file in files:
        family = FAMILIES.get(file.language)
        if family is None:
            continue
        _, facts = by_family.setdefault(id(family), (family, {}))
        try:
            facts[file.path] = family.extract(file.language, file.path, file.content, syntax)
        except ParserTimeoutError as error:
            timeouts[file.path] = str(error)
    yield from by_family.values()
