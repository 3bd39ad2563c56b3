"""Python: `import` and `from ... import`, absolute and relative, resolved as the import system does.

An edge goes to the most specific module that is named, as in grimp: `from a import b` means `a.b` where that is a
module, else `a`. Files that run on import but are not named (`a/__init__.py` for `import a.b`) get no edge.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import NamedTuple

from tree_sitter import Node

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.parse import Syntax, text
from pipelines.dependency_graph.tree import FileTree, Found, Nearest, ancestors, join, parent

TRIPLE = (
    rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""',
    rb"'''(?:[^'\\]++|\\.|'(?!''))*+'''",
)
LEXER = scan.Lexer(
    rb"\"'#",
    (rb"#[^\n]*+\n", *TRIPLE, rb'"(?!"")(?:[^"\\\n]++|\\.)*+["\n]', rb"'(?!'')(?:[^'\\\n]++|\\.)*+['\n]"),
    (rb"#[^\n]*+", rb'""".*', rb"'''.*", rb'"(?:[^"\\\n]++|\\.)*+', rb"'(?:[^'\\\n]++|\\.)*+"),
)
# `import` is a keyword: outside comments and strings it is always a statement, and never a name.
KEYWORD = re.compile(rb"import")
NAME = rb"(?!import(?![\w\x80-\xff]))[\w\x80-\xff]++"
STATEMENT = re.compile(
    rb"import(?<![\w.\x80-\xff]import)(?![\w.\x80-\xff])(?:[ \t\f]|\\\r?\n)*+"
    rb"(?:\((?:%s|[,\s\\]|#[^\n]*+)*+\)|(?:%s|[.,* \t\f]|\\\r?\n)*+)" % (NAME, NAME)
)
FROM = re.compile(rb"(?<![\w.\x80-\xff])from(?:[ \t\f.]|\\\r?\n)(?:[ \t\f.\w\x80-\xff]|\\\r?\n)*+\Z")

SOURCE_FIRST, STUB_FIRST = (".py", ".pyi"), (".pyi", ".py")
# Folders that are on Python's path by custom.
ROOTS = {"src", "lib", "python", "py", "source"}
TEST_FOLDERS = {"test", "tests", "testing", "testdata", "fixtures", "examples"}


class Import(NamedTuple):
    level: int  # number of leading dots
    module: str  # without them
    names: tuple[str, ...]  # after `from ... import`; empty for `import`, and for `*`


class Facts(NamedTuple):
    imports: list[Import]


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    kept = statements(source)
    nodes = syntax.captures(language, kept, path).get("import", [])
    return Facts([found for node in nodes for found in imports(node, kept)])


def statements(source: bytes) -> bytes:
    """The import statements of a file, one after the other; the rest is left out."""
    found: list[bytes] = []
    end = 0
    for match in LEXER.in_code(source, scan.places(source, KEYWORD), STATEMENT):
        before = FROM.search(source, _line_start(source, match.start(), end), match.start())
        found.append((before.group() if before else b"") + match.group())
        end = match.end()
    return b"\n".join(found)


def _line_start(source: bytes, position: int, first: int) -> int:
    """Where the line of `position` begins, but not before `first`. After a backslash a line goes on in the next one."""
    start = scan.line_start(source, position)
    while start > first and source[start - 3 : start].replace(b"\r", b"").endswith(b"\\\n"):
        start = scan.line_start(source, start - 1)
    return max(start, first)


def imports(statement: Node, source: bytes) -> Iterator[Import]:
    """What one statement imports."""
    names = [node.child_by_field_name("name") or node for node in statement.children_by_field_name("name")]
    dotted = [_dotted(text(name, source)) for name in names]
    if statement.type == "import_statement":
        yield from (Import(0, name, ()) for name in dotted)
        return
    module = statement.child_by_field_name("module_name")
    written = _dotted(text(module, source)) if module else "__future__"
    level = len(list(takewhile(".".__eq__, written)))
    yield Import(level, written[level:], tuple(dotted))


def _dotted(name: str) -> str:
    return "".join(name.replace("\\", "").split())


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    modules = Modules(tree, list(facts))
    for path, file in facts.items():
        found = Found()
        for statement in file.imports:
            written = "." * statement.level + statement.module
            found.add_import(written, sorted(modules.find(statement, path)))
        yield path, found


class Modules:
    """Which file is which module."""

    def __init__(self, tree: FileTree, paths: list[str]) -> None:
        self.files = {suffixes: _modules(tree.paths, suffixes) for suffixes in (SOURCE_FIRST, STUB_FIRST)}
        # The root of a repository is not one, even with an `__init__.py`: nobody knows what it would be called.
        # An empty `__init__.py` is nothing to train on, and dropped, but still makes a package.
        self.packages = {parent(path) for name in ("__init__.py", "__init__.pyi") for path in tree.project_files(name)}
        self.packages -= {""}
        self.first_names = {path.rpartition("/")[2].partition(".")[0] for path in paths}
        self.first_names |= {folder.rpartition("/")[2] for folder in tree.folders}
        self.elsewhere = Nearest(self._by_name(paths))
        self.seen: dict[tuple[str, str, bool], str | None] = {}

    def find(self, found: Import, path: str) -> set[str]:
        """The files that an import in the file `path` means; empty where it is no file of the repository."""
        if found.level:
            base = join(parent(path), "../" * (found.level - 1))
            if base is None:
                return set()
            module = join(base, found.module.replace(".", "/"))
            assert module is not None
            return self._named(found.names, lambda name: self._file(_below(module, name), path))
        if found.module.partition(".")[0] not in self.first_names:
            return set()
        prefix = found.module
        return self._named(found.names, lambda name: self._absolute(f"{prefix}.{name}" if name else prefix, path))

    def _named(self, names: tuple[str, ...], look_up: Callable[[str], str | None]) -> set[str]:
        """The submodules that `names` are, and the module itself where one of them is none."""
        submodules = [look_up(name) for name in names]
        if submodules and None not in submodules:
            return {file for file in submodules if file}
        return {file for file in (*submodules, look_up("")) if file}

    def _absolute(self, name: str, path: str) -> str | None:
        key = (name, parent(path), path.endswith(".pyi"))
        if key not in self.seen:
            self.seen[key] = self._from_roots(name, path)
        return self.seen[key]

    def _from_roots(self, name: str, path: str) -> str | None:
        """First from the folders above the file that are no packages, the nearest first; then from all other roots."""
        inside = name.replace(".", "/")
        for root in ancestors(path):
            if root not in self.packages and (file := self._file(_below(root, inside), path)):
                return file
        return self.elsewhere(name, path)

    def _file(self, module: str, path: str) -> str | None:
        """The file of the module at `module`, a path without suffix. A stub asks for stubs first."""
        return self.files[STUB_FIRST if path.endswith(".pyi") else SOURCE_FIRST].get(module)

    def _by_name(self, paths: list[str]) -> dict[str, list[str]]:
        """Dotted name -> files, for the modules that are visible from everywhere in the repository."""
        by_name: dict[str, list[str]] = {}
        for path in paths:
            module = path.rpartition(".")[0].removesuffix("/__init__")
            for root in self._roots(path):
                by_name.setdefault(module[len(root) :].strip("/").replace("/", "."), []).append(path)
        return by_name

    def _roots(self, path: str) -> list[str]:
        """The folders from which a module is imported by files that do not lie below them."""
        above = ancestors(path)
        in_packages = [folder in self.packages for folder in above]
        depth = in_packages.index(False)  # the root of the repository is no package
        if True in in_packages[depth:] or TEST_FOLDERS.intersection(path.split("/")[:-1]):
            return []  # data of a package, or something that only tests see
        return [root for i, root in enumerate(above[depth:]) if (i == 0 and depth > 0) or _is_root(root)]


def _modules(paths: Iterable[str], suffixes: tuple[str, ...]) -> dict[str, str]:
    """The file of each module, by its path without suffix: a package before a module, and the first suffix first."""
    found: dict[str, str] = {}
    for suffix in reversed(suffixes):
        own = [path for path in paths if path.endswith(suffix)]
        found |= {path.removesuffix(suffix): path for path in own}
        found |= {parent(path): path for path in own if path.rpartition("/")[2] == f"__init__{suffix}"}
    return found


def _is_root(folder: str) -> bool:
    """Whether Python's path is likely to name the folder: by custom, or since it cannot be a package."""
    name = folder.rpartition("/")[2]
    return name in ROOTS or not name.isidentifier()


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
