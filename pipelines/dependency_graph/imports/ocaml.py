"""OCaml: a file is a module, and every use of the module's name depends on it: `open M`, `M.f`, `include M`.

A module is seen in its own folder, and by others as `Library.M` or `M` where its library (the `name` in a `dune` file)
is named or not wrapped. Modules of the standard library are taken for those, unless the own folder has such a file. An
implementation depends on its interface.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Mark, Marks
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.tree import FileTree, Found, Nearest, ancestors, parent

MARKS = Marks(
    marks.block(b"(*", b"*)", 3),
    marks.DOUBLE,
    Mark(b"{", rb"\{(?P<tag>[a-z_]*+)\|(?:[^|]++|\|(?!(?P=tag)\}))*+\|(?P=tag)\}", rb"\{[a-z_]*+\|.*"),
    marks.CHARACTER,
)
CHAIN = re.compile(rb"[A-Z](?<![\w.'`#].)[\w']*+(?:\.[A-Z][\w']*+)*+")
OPENED = re.compile(rb"\b(?:open!?|include)\s++([A-Z][\w']*+(?:\.[A-Z][\w']*+)*+)")
STANZA = re.compile(rb"^(?=\()", re.MULTILINE)
LIBRARY_NAME = re.compile(rb"\(name\s++([\w-]++)\s*+\)")
NOT_WRAPPED = re.compile(rb"\(wrapped\s++false\s*+\)")
_STANDARD = """
    Arg Array Atomic Bigarray Bool Buffer Bytes Char Complex Digest Domain Either Ephemeron Filename Float Format Fun Gc
    Hashtbl In_channel Int Int32 Int64 Lazy Lexing List ListLabels Map Marshal MoreLabels Nativeint Obj Option
    Out_channel Parsing Printexc Printf Queue Random Result Scanf Seq Set Stack Stdlib Str String StringLabels Sys Unit
    Unix Weak
"""
STANDARD = frozenset(_STANDARD.split())
MAX_OPENED = 64  # libraries; nobody opens more in one file but to do harm
SUFFIXES = (".mli", ".ml", ".mll", ".mly", ".eliom", ".eliomi", ".ml4")


class Facts(NamedTuple):
    opened: list[str]
    used: set[str]  # chains of modules: `A.B`


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    code = MARKS.code(source)
    opened = [name.decode("ascii", "replace") for name in OPENED.findall(code)]
    return Facts(list(dict.fromkeys(opened)), {name.decode("ascii", "replace") for name in set(CHAIN.findall(code))})


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    modules = Modules(facts, tree)
    for path, file in facts.items():
        found = Found()
        opened = [name for name in file.opened if name in modules.libraries][:MAX_OPENED]
        for name in file.opened:
            found.add_import(name, modules.meant(name, path, opened), is_ours=name in modules.libraries)
        for name in sorted(file.used):
            found.add_use(name, modules.meant(name, path, opened))
        interface = path + "i"
        if path.endswith(".ml") and interface in tree.paths:
            found.add_use(modules.name(path), [interface])
        found.targets.pop(path, None)
        yield path, found


class Modules:
    """Which file is which module."""

    def __init__(self, facts: Mapping[str, Facts], tree: FileTree) -> None:
        self.in_folder: dict[tuple[str, str], str] = {}
        by_name: dict[str, list[str]] = {}
        self.library_of: dict[str, str] = {}  # folder -> its library
        self.libraries: dict[str, None] = {}
        self.not_wrapped: dict[str, None] = {}
        for path in tree.project_files("dune"):
            self._read(parent(path), tree.read(path))
        modules = [path for path in facts if path.endswith(SUFFIXES)]
        for path in sorted(modules, key=lambda path: (SUFFIXES.index(f".{path.rpartition('.')[2]}"), path)):
            self.in_folder.setdefault((parent(path), self.name(path)), path)
        for (folder, name), path in self.in_folder.items():
            library = self._library(folder)
            names = [name, f"{library}.{name}"] if library in self.not_wrapped else [f"{library}.{name}"]
            for known in names if library else [name]:
                by_name.setdefault(known, []).append(path)
        self.nearest = Nearest(by_name)

    def _read(self, folder: str, dune: bytes) -> None:
        """The library that a `dune` file describes; where it describes several, the first."""
        for stanza in STANZA.split(dune):
            found = LIBRARY_NAME.search(stanza) if stanza.startswith(b"(library") else None
            if found and folder not in self.library_of:
                library = found[1].decode().replace("-", "_").capitalize()
                self.library_of[folder] = library
                self.libraries[library] = None
                if NOT_WRAPPED.search(stanza):
                    self.not_wrapped[library] = None

    def _library(self, folder: str) -> str | None:
        above = (folder, *ancestors(folder))
        return next((self.library_of[place] for place in above if place in self.library_of), None)

    def name(self, path: str) -> str:
        stem = path.rpartition("/")[2].partition(".")[0]
        return stem[:1].upper() + stem[1:]

    def meant(self, chain: str, path: str, opened: list[str]) -> list[str]:
        """The file of the module that `A` or `A.B` means in the file `path`."""
        first, _, rest = chain.partition(".")
        second = rest.partition(".")[0]
        beside = self.in_folder.get((parent(path), first))
        if beside:
            return [beside] if beside.rpartition(".")[0] != path.rpartition(".")[0] else []
        own = self._library(parent(path))
        libraries = [first, *opened, *([own] if own else [])]
        names = [f"{library}.{name}" for library in libraries for name in ((second,) if library == first else (first,))]
        names += [f"{first}.{first}"] if first in self.libraries else []
        names += [] if first in STANDARD else [first]
        found = (self.nearest(name, path) for name in names if not name.endswith("."))
        return [file for file in (next(filter(None, found), None),) if file]
