"""C, C++, Objective-C and CUDA: `#include`, `#import` and `@import`, resolved beside the file, then in the folders that
build files name where these decide between several, then by the end of the path.

A conditional include counts like any other, as no build decides it here. `@import A.B;` means the header `A/A.h` or
`A.h`; it is read without tree-sitter, whose grammars of C do not know it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.imports.c_headers import STANDARD_HEADERS
from pipelines.dependency_graph.imports.include_roots import IncludeRoots
from pipelines.dependency_graph.parse import Syntax, text
from pipelines.dependency_graph.tree import FileTree, Found, Nearest, join, parent

NO_RAW_STRING = rb'(?!(?<=R")[^ ()\\\t\n]{0,16}\()'  # right after a quotation mark
LEXER = scan.Lexer(
    rb"/\"'",
    (
        rb"//(?:[^\n\\]++|\\.)*+\n",
        rb"/\*(?:[^*]++|\*(?!/))*+\*/",
        rb'(?<=R)"(?P<delimiter>[^ ()\\\t\n]{0,16})\((?:[^)]++|\)(?!(?P=delimiter)"))*+\)(?P=delimiter)"',
        rb'"%s(?:[^"\\\n]++|\\.)*+["\n]' % NO_RAW_STRING,
        rb"'(?:[^'\\\n]++|\\.)*+['\n]",
    ),
    (
        rb"//(?:[^\n\\]++|\\.)*+",
        rb"/\*.*",
        rb'"%s(?:[^"\\\n]++|\\.)*+' % NO_RAW_STRING,
        rb'".*',
        rb"'(?:[^'\\\n]++|\\.)*+",
    ),
)
HASH = re.compile(rb"#[ \t]*+i(?:nclude|mport)")
MAX_INDENT = 200  # in bytes; further back nobody looks
INCLUDE = re.compile(
    rb"#[ \t]*+(?:include_next|include|import)(?!\w)[ \t]*+"
    rb"(<[^>\n]++>|\"[^\"\n]++\"|[A-Za-z_]\w*+(?:[ \t]*+\([^()\n]*+\))?)"
)
MODULE = re.compile(rb"@import[ \t]++([A-Za-z_]\w*+)(?:\.\w++)*+[ \t]*+;")
MODULE_KEYWORD = re.compile(rb"@import(?=[ \t])")
OBJECTIVE_C = ("Objective-C", "Objective-C++")
GRAMMARS = {"C": "C", "Objective-C": "C"}  # all others are read as C++
INCLUDE_FOLDERS = {"include", "includes", "inc"}


class Include(NamedTuple):
    name: str  # without quotes or brackets; a macro's name where it is one; of a module, its header
    is_quoted: bool
    is_of_framework: bool  # `<A/B.h>` may be any `B.h` below a folder `A`


class Facts(NamedTuple):
    includes: list[Include]


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    is_objective_c = language in OBJECTIVE_C
    kept = statements(source)
    nodes = syntax.captures(GRAMMARS.get(language, "C++"), kept, path).get("path", [])
    found = [_include(text(node, kept), is_objective_c) for node in nodes]
    return Facts(found + (list(modules(source)) if is_objective_c else []))


def modules(source: bytes) -> Iterator[Include]:
    """The modules of Objective-C that a file imports, by the header that each has by custom."""
    places = (place for place in scan.places(source, MODULE_KEYWORD) if _begins_line(source, place))
    for match in LEXER.in_code(source, places, MODULE):
        name = match[1].decode()
        yield Include(f"{name}/{name}.h", is_quoted=False, is_of_framework=True)


def statements(source: bytes) -> bytes:
    """The includes of a file, one on each line. `#import` and `#include_next` become `#include`."""
    places = (place for place in scan.places(source, HASH) if _begins_line(source, place))
    return b"".join(b"#include %s\n" % match[1] for match in LEXER.in_code(source, places, INCLUDE))


def _begins_line(source: bytes, position: int) -> bool:
    before = source[max(position - MAX_INDENT, 0) : position].rstrip(b" \t\f\v")
    return not before or before.endswith(b"\n")


def _include(written: str, is_objective_c: bool) -> Include:
    is_quoted = written.startswith('"')
    name = written[1:-1] if is_quoted or written.startswith("<") else written
    path = name.strip().replace("\\", "/")
    return Include(path, is_quoted, is_objective_c and not is_quoted and path.count("/") == 1)


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    headers = Headers(facts, tree)
    for path, file in facts.items():
        found = Found()
        for include in file.includes:
            target = headers.find(include, path)
            found.add_import(include.name, [target] if target in tree.paths and target != path else [])
        yield path, found


class Headers:
    """Which file an include means."""

    def __init__(self, facts: Mapping[str, Facts], tree: FileTree) -> None:
        self.tree = tree
        self.roots = IncludeRoots(tree)
        includes = [include for file in facts.values() for include in file.includes]
        names = tree.with_names(_from_root(include.name) for include in includes)
        shadowed = {f"<{name}>": _in_include_folder(name, names[name]) for name in names if name in STANDARD_HEADERS}
        self.candidates = names | shadowed
        self.nearest = Nearest(self.candidates)
        frameworks = {include.name for include in includes if include.is_of_framework}
        self.nearest_of_framework = Nearest(_of_frameworks(frameworks - names.keys(), tree))

    def find(self, include: Include, path: str) -> str | None:
        beside = join(parent(path), include.name) if include.is_quoted else None
        if beside in self.tree:
            return beside
        key = _key(include)
        if len(self.candidates.get(key, ())) != 1:  # where there is one, it is meant, whatever a build file says
            roots = (join(root, include.name) for root in self.roots.of(path))
            named = next((file for file in roots if file in self.tree and file != path), None)
            if named:
                return named
        return self.nearest(key, path) or self.nearest_of_framework(include.name, path)


def _of_frameworks(names: set[str], tree: FileTree) -> dict[str, list[str]]:
    """For `A/B.h`, the files `B.h` that lie anywhere below a folder `A`."""
    last_names = {name.rpartition("/")[2] for name in names}
    found: dict[str, list[str]] = {}
    for path in tree.paths:
        *folders, last = path.split("/")
        if last in last_names:
            for name in names.intersection(f"{folder}/{last}" for folder in folders):
                found.setdefault(name, []).append(path)
    return found


def _key(include: Include) -> str:
    """A standard header in brackets is the system's, unless the repository has it in a folder for includes."""
    is_standard = not include.is_quoted and include.name in STANDARD_HEADERS
    return f"<{include.name}>" if is_standard else _from_root(include.name)


def _in_include_folder(name: str, files: list[str]) -> list[str]:
    return [file for file in files if file[: -len(name)].rstrip("/").rpartition("/")[2] in INCLUDE_FOLDERS]


def _from_root(name: str) -> str:
    """The include as seen from an include root: where it climbs out of a folder, what it names lies under one."""
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
