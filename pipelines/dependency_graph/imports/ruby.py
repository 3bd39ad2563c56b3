"""Ruby: `require_relative` beside the file, `require` and `load` from the load path (lib, test, ...), `autoload`; and,
where a repository loads constants by itself (Rails, Zeitwerk, `autoload`), the constants that a file uses.

A constant lies where Zeitwerk looks for it: `A::HTMLPage` in a/html_page.rb below app/*, app/*/concerns or lib. Names
are compared without case and underscores, so that no inflection has to be known.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Marks
from pipelines.dependency_graph.imports.places import Places
from pipelines.dependency_graph.imports.statements import LITERAL
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.scan import places as places_of
from pipelines.dependency_graph.scan import word
from pipelines.dependency_graph.tree import FileTree, Found, Nearest, join, parent

MARKS = Marks(
    marks.HASH_AFTER_SPACE,
    marks.Mark(b"=", rb"(?<![^\n])=begin\b(?:(?!\n=end)[^\n]*+\n)*+=end", rb"(?<![^\n])=begin\b.*"),
    marks.DOUBLE_ON_LINE,
    marks.SINGLE_ON_LINE,
)
KEYWORDS = [re.compile(word(keyword)) for keyword in (b"require_relative", b"require", b"load", b"autoload")]
STATEMENT = re.compile(
    rb"(require_relative|require|load|autoload)[ \t(]++(?::\w++[ \t]*+,\s*+)?"
    rb"(?:File\.(?:expand_path|join)\(\s*+(?:(?:File\.)?dirname\(__FILE__\)\s*+,\s*+|__dir__\s*+,\s*+)?)?%s"
    rb"(\s*+,\s*+(?:__FILE__|__dir__))?" % LITERAL
)
CONSTANT = re.compile(rb"[A-Z](?<![\w.$@:?].)\w*+(?:::[A-Z]\w*+)*+")
FROM_TOP = re.compile(rb"::(?<![\w:)\]}]::)([A-Z]\w*+(?:::[A-Z]\w*+)*+)")
AUTOLOADS = re.compile(rb"autoload[ \t(:]|Zeitwerk::|< Rails::Application")
ROOTS = ("lib", "test", "spec", "app", "ext", "src", "features", "benchmark")
APP = re.compile(r"(?:^|/)app/[^/]+/(?:concerns/)?(.+)\.rb$")
LIB = re.compile(r"(?:^|/)lib/(?:tasks/)?(.+)\.rb$")
MAX_PARTS = 8  # of a constant's name


class Facts(NamedTuple):
    required: list[tuple[str, bool]]  # a path, and whether it counts from the file
    used: set[str]
    autoloads: bool


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    end = source.find(b"\n__END__\n")
    source = source if end < 0 else source[:end]
    found = MARKS.in_code(source, places_of(source, *KEYWORDS), STATEMENT)
    code = MARKS.code(source)
    used = {*CONSTANT.findall(code), *FROM_TOP.findall(code)}
    return Facts(
        required=[required for match in found if (required := _required(match))],
        used={name.decode() for name in used if name.isascii()},
        autoloads=AUTOLOADS.search(source) is not None,
    )


def _required(match: re.Match[bytes]) -> tuple[str, bool] | None:
    written = (match[2] or match[3]).decode("utf-8", "replace")
    if "#{" in written:
        return None
    is_relative = match[1] == b"require_relative" or match[4] is not None or b"__" in match.group().split(b"(", 1)[-1]
    # `expand_path("../a", __FILE__)` counts from the file, not from its folder
    from_file = match[4] is not None and b"__FILE__" in match[4] and b"join" not in match.group()
    return (written.removeprefix("../") if from_file else written), is_relative


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    wanted = {name for file in facts.values() for written, _ in file.required for name in _names(written)}
    places = Places(tree, wanted, frozenset(ROOTS))
    constants = Nearest(_constants(facts))
    by_name = any(file.autoloads for file in facts.values())
    for path, file in facts.items():
        found = Found()
        for written, is_relative in file.required:
            target = _file(written, is_relative, path, tree, places)
            found.add_import(written, [target] if target else [])
        for name in sorted(file.used) if by_name else ():
            target = _declared(_folded(name.replace("::", "/")).split("/")[:MAX_PARTS], path, constants)
            found.add_use(name, [target] if target else [])
        found.targets.pop(path, None)
        yield path, found


def _names(written: str) -> list[str]:
    return [written] if written.endswith((".rb", ".so", ".rake")) else [f"{written}.rb", written]


def _file(written: str, is_relative: bool, path: str, tree: FileTree, places: Places) -> str | None:
    for name in _names(written):
        beside = join(parent(path), name) if is_relative or name.startswith(("./", "../")) else None
        if beside in tree.paths:
            return beside
        found = None if is_relative else places.from_root(name, path)
        if found:
            return found
    return None


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _constant(path: str) -> str | None:
    """The folded name of the constant that a file is expected to define."""
    found = APP.search(path) or LIB.search(path)
    return _folded(found[1]) if found else None


def _constants(facts: Mapping[str, Facts]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in facts:
        name = _constant(path)
        if name:
            found.setdefault(name, []).append(path)
    return found


def _declared(parts: list[str], path: str, constants: Nearest) -> str | None:
    """The file of a constant as seen from inside the constants of the file `path`, the innermost first."""
    around = (_constant(path) or "").split("/")[:MAX_PARTS]
    for depth in range(len(around), -1, -1):
        outer = [part for part in around[:depth] if part]
        for length in range(len(parts), 0, -1):
            found = constants("/".join(outer + parts[:length]), path)
            if found:
                return found
    return None
