"""Elixir: `alias`, `import`, `use` and `require` of modules, and modules that are used by their name alone.

A module is declared by `defmodule` or `defprotocol`; inside another one, as far as the indentation says, it has the
outer name before its own.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Mark, Marks
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.tree import FileTree, Found, Nearest

MARKS = Marks(
    marks.only(b"?", rb"(?<![\w)])\?(?:\\.|[\"'#])"),
    Mark(
        b'"',
        rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""|"(?!"")(?:[^"\\]++|\\.)*+"',
        rb'".*',
    ),
    Mark(b"'", rb"'''(?:[^'\\]++|\\.|'(?!''))*+'''|'(?!'')(?:[^'\\\n]++|\\.)*+['\n]", rb"'.*"),
    marks.HASH,
)
CHAIN = rb"(?:__MODULE__|[A-Z]\w*+)(?:\.[A-Z]\w*+)*+"
DECLARED = [re.compile(rb"%s[ \t(]++(%s)" % (scan.word(keyword), CHAIN)) for keyword in (b"defmodule", b"defprotocol")]
IMPORTED = [
    re.compile(
        rb"%s[ \t(]++(%s)(\.\{[^{}]{0,4000}+\})?(?:\s*+,\s*+(?:\w++:[^\n,]*+,\s*+)?as:\s*+(\w++))?"
        % (scan.word(k), CHAIN)
    )
    for k in (b"alias", b"import", b"require", b"use")
]
USED = re.compile(rb"[A-Z](?<![\w.:@].)\w*+(?:\.[A-Z]\w*+)*+")
NAME = re.compile(CHAIN)
MAX_NAME_CHARS = 255


class Import(NamedTuple):
    name: str
    alias: str  # how the file calls it; empty where it does not rename


class Facts(NamedTuple):
    imports: list[Import]
    declared: list[str]
    used: set[str]


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    code = MARKS.code(source)
    declared = [(match.start(), name) for match, name in _declared(code)]
    imports: list[Import] = []
    for match in scan.find(IMPORTED, code):
        before = bisect_left(declared, (match.start(), ""))
        imports += _imports(match, declared[before - 1][1] if before else "")
    used = {name.decode("ascii", "replace") for name in set(USED.findall(code))}
    return Facts(imports, [name for _, name in declared], used)


def _declared(code: bytes) -> Iterator[tuple[re.Match[bytes], str]]:
    """The modules with their full names."""
    around: list[tuple[int, str]] = []
    for match in scan.find(DECLARED, code):
        indent = match.start() - scan.line_start(code, match.start())
        while around and around[-1][0] >= indent:
            around.pop()
        name = match[1].decode("ascii", "replace")
        outer = around[-1][1] if around else ""
        name = f"{outer}.{name}" if outer and len(outer) < MAX_NAME_CHARS and not name.startswith("__") else name
        around.append((indent, name))
        yield match, name


def _imports(match: re.Match[bytes], here: str) -> Iterator[Import]:
    """`alias A.{B, C.D}`, `alias A.B, as: C` -> each module. `__MODULE__` is the module `here`."""
    name = match[1].decode("ascii", "replace").replace("__MODULE__", here, 1)
    is_alias = match.group().startswith(b"alias")
    for item in NAME.findall(match[2] or b"") if match[2] else [b""]:
        full = f"{name}.{item.decode('ascii', 'replace')}".rstrip(".")
        alias = match[3].decode("ascii", "replace") if match[3] else full.rpartition(".")[2]
        yield Import(full, alias if is_alias or match[3] else "")


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    declared: dict[str, list[str]] = {}
    for path, file in facts.items():
        for name in dict.fromkeys(file.declared):
            declared.setdefault(name, []).append(path)
    nearest = Nearest(declared)
    for path, file in facts.items():
        found = Found()
        aliases: dict[str, str] = {}
        for imported in file.imports:
            name = _full(imported.name, aliases)
            if imported.alias and imported.alias != name:
                aliases[imported.alias] = name
            target = nearest(name, path)
            found.add_import(name, [target] if target else [])
        own = set(file.declared)
        for name in sorted(file.used):
            full = _full(name, aliases)
            target = None if full in own else nearest(full, path)
            found.add_use(name, [target] if target else [])
        found.targets.pop(path, None)
        yield path, found


def _full(name: str, aliases: Mapping[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return aliases.get(first, first) + dot + rest
