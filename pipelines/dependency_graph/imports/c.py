"""C and C++: `#include`, resolved beside the file, then by the end of the path, since include roots are not known.

A conditional include counts like any other, as no build decides it here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.imports.c_headers import STANDARD_HEADERS
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
INCLUDE_FOLDERS = {"include", "includes", "inc"}


class Include(NamedTuple):
    name: str  # without quotes or brackets; a macro's name where it is one
    is_quoted: bool


class Facts(NamedTuple):
    includes: list[Include]


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    kept = statements(source)
    nodes = syntax.captures(language, kept, path).get("path", [])
    return Facts([_include(text(node, kept)) for node in nodes])


def statements(source: bytes) -> bytes:
    """The includes of a file, one on each line. `#import` and `#include_next` become `#include`."""
    places = (place for place in scan.places(source, HASH) if _begins_line(source, place))
    return b"".join(b"#include %s\n" % match[1] for match in LEXER.in_code(source, places, INCLUDE))


def _begins_line(source: bytes, position: int) -> bool:
    before = source[max(position - MAX_INDENT, 0) : position].rstrip(b" \t\f\v")
    return not before or before.endswith(b"\n")


def _include(written: str) -> Include:
    is_quoted = written.startswith('"')
    name = written[1:-1] if is_quoted or written.startswith("<") else written
    return Include(name.strip().replace("\\", "/"), is_quoted)


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    nearest = Nearest(_headers(facts, tree))
    for path, file in facts.items():
        found = Found()
        for include in file.includes:
            target = _beside(include, path, tree) or nearest(_key(include), path)
            found.add_import(include.name, [target] if target and target != path else [])
        yield path, found


def _beside(include: Include, path: str, tree: FileTree) -> str | None:
    found = join(parent(path), include.name) if include.is_quoted else None
    return found if found in tree.paths else None


def _headers(facts: Mapping[str, Facts], tree: FileTree) -> dict[str, list[str]]:
    """For each include that does not lie beside its file, the files that it may mean."""
    names = tree.with_names(_from_root(include.name) for file in facts.values() for include in file.includes)
    shadowed = {f"<{name}>": _in_include_folder(name, names[name]) for name in names if name in STANDARD_HEADERS}
    return names | shadowed


def _key(include: Include) -> str:
    """A standard header in brackets is the system's, unless the repository has it in a folder for includes."""
    is_standard = not include.is_quoted and include.name in STANDARD_HEADERS
    return f"<{include.name}>" if is_standard else _from_root(include.name)


def _in_include_folder(name: str, files: list[str]) -> list[str]:
    return [file for file in files if file[: -len(name)].rstrip("/").rpartition("/")[2] in INCLUDE_FOLDERS]


def _from_root(name: str) -> str:
    """The include as seen from an include root: where it climbs out of a folder, what it names lies under one."""
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
