"""Languages whose imports are statements, but mean what a project file or a folder says: Dart (pubspec.yaml), HCL
(a module is a folder), R (the files of a package see each other), Solidity (remappings)."""

import re
from collections.abc import Iterable, Sequence

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Marks
from pipelines.dependency_graph.imports.places import Places
from pipelines.dependency_graph.imports.statements import LITERAL, Facts, Kind, Statement, Statements, word
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.tree import FileTree, Nearest, ancestors, join, parent

MAX_REMAPPINGS = 100  # in one file
PATH, NAME, DECLARED = Kind.PATH, Kind.NAME, Kind.DECLARED


class DartPlaces(Places):
    """`package:own/a.dart` is lib/a.dart beside the pubspec.yaml that says `name: own`; other paths are relative."""

    def __init__(self, tree: FileTree, wanted: Iterable[str], roots: frozenset[str]) -> None:
        super().__init__(tree, (), roots)
        packages: dict[str, list[str]] = {}
        for path in tree.project_files("pubspec.yaml"):
            found = re.search(rb"^name:[ \t]*+[\"']?(\w++)", tree.read(path), re.MULTILINE)
            if found:
                packages.setdefault(found[1].decode(), []).append(path)
        self.packages = Nearest(packages)

    def find(self, possible: Iterable[str], path: str) -> list[str]:
        (written,) = possible
        folder, name = parent(path), written
        if written.startswith("package:"):
            package, _, rest = written.removeprefix("package:").partition("/")
            pubspec = self.packages(package, path)
            if pubspec is None:
                return []
            folder, name = parent(pubspec), f"lib/{rest}"
        found = join(folder, name)
        return [found] if found in self.tree.paths else []


class FolderPlaces(Places):
    """A path is a file, or a folder and then all configuration in it; it counts from the file that names it."""

    def __init__(self, tree: FileTree, wanted: Iterable[str], roots: frozenset[str]) -> None:
        super().__init__(tree, wanted, roots)
        self.folders: dict[str, list[str]] = {}
        for path in tree.paths:
            if path.endswith(".tf"):
                self.folders.setdefault(parent(path), []).append(path)

    def find(self, possible: Iterable[str], path: str) -> list[str]:
        for written in possible:
            found = join(parent(path), written)
            if found in self.tree.paths:
                return [found]
            if found is not None and found in self.folders:
                return self.folders[found]
        return []


class SolidityPlaces(Places):
    """A path that does not begin with a dot is remapped by remappings.txt or foundry.toml of the nearest folder."""

    def __init__(self, tree: FileTree, wanted: Iterable[str], roots: frozenset[str]) -> None:
        self.remappings: dict[str, list[tuple[str, str]]] = {}
        for name in ("foundry.toml", "remappings.txt"):
            for path in tree.project_files(name):
                self.remappings.setdefault(parent(path), []).extend(_remappings(path, tree.read(path)))
        targets = [target for found in self.remappings.values() for _, target in found]
        super().__init__(tree, wanted, roots.union(target.strip("/").rpartition("/")[2] for target in targets))

    def find(self, possible: Iterable[str], path: str) -> list[str]:
        (written,) = possible
        folder = next((folder for folder in ancestors(path) if folder in self.remappings), None)
        if folder is not None and not written.startswith("."):
            fitting = [pair for pair in self.remappings[folder] if written.startswith(pair[0])]
            before, target = max(fitting, key=lambda pair: len(pair[0]), default=("", ""))
            found = join(folder, target + written[len(before) :])
            if found in self.tree.paths:
                return [found]
        return super().find((written,), path)


def _remappings(path: str, content: bytes) -> list[tuple[str, str]]:
    """`[context:]prefix=target` of each line, or of each string in foundry.toml."""
    written = content.decode("utf-8", "replace")
    found = (
        re.findall(r"[\"']([^\"'\n=]++=[^\"'\n]++)[\"']", written) if path.endswith(".toml") else written.split("\n")
    )
    pairs = (line.strip().rpartition(":")[2].partition("=") for line in found)
    return [(before, target) for before, equals, target in pairs if before and equals][:MAX_REMAPPINGS]


class R(Statements):
    """The functions that the files in R/ of a package declare are seen in all files of the package."""

    def extract(self, language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
        is_manual = path.lower().endswith(".rd")
        return super().extract(language, path, b"" if is_manual else source, syntax)

    def declared_in(self, path: str, file: Facts, tree: FileTree) -> Iterable[str]:
        package = _package(path, tree)
        if package is None or parent(path) != (f"{package}/R" if package else "R"):
            return ()
        return [f"{package}:{name}" for name in file.declared]

    def files_of(self, name: str, path: str, file: Facts, tree: FileTree, nearest: Nearest) -> Sequence[str]:
        found = nearest(f"{_package(path, tree)}:{name}", path)
        return [found] if found else []


def _package(path: str, tree: FileTree) -> str | None:
    """The folder of the package that a file lies in."""
    return next((folder for folder in ancestors(path) if f"{folder}/DESCRIPTION".lstrip("/") in tree), None)


class Terraform(Statements):
    """What one file of a folder declares (`var.x`, `module.x`, `type.name`) the others of the folder use."""

    def declared_in(self, path: str, file: Facts, tree: FileTree) -> Iterable[str]:
        return [f"{parent(path)}:{_address(name)}" for name in file.declared]

    def files_of(self, name: str, path: str, file: Facts, tree: FileTree, nearest: Nearest) -> Sequence[str]:
        found = nearest(f"{parent(path)}:{name}", path)
        return [found] if found else []


def _address(written: str) -> str:
    """`variable"x"` -> `var.x`, `resource"a""b"` -> `a.b`."""
    kind, *names = written.replace('"', " ").split()
    return ".".join({"variable": ["var"], "resource": []}.get(kind, [kind]) + names)


LANGUAGES: dict[str, Statements] = {
    "Dart": Statements(
        marks.C_LIKE,
        Statement(
            PATH,
            rb"(?:import|export|part)\s",
            rb"(?:import|export|part(?:\s++of)?+)\s++((?:[^;\"']++|\"[^\"\n]++\"|'[^'\n]++')++);",
            rb"[\"']([^\"'\n]++)[\"'](?!\s*+\))",
            after=b";",
        ),
        Statement(NAME, word(b"part"), rb"part\s++of\s++([\w.]++)\s*+;", after=b";"),
        Statement(DECLARED, word(b"library"), rb"library\s++([\w.]++)\s*+;", after=b";"),
        places=DartPlaces,
    ),
    "HCL": Terraform(
        Marks(marks.HASH, marks.SLASHES, marks.STARS, marks.DOUBLE_ON_LINE),
        Statement(
            PATH,
            word(b"module"),
            rb"module[ \t]++\"[^\"\n]*+\"[ \t]*+\{[^\n]*+\n(?:[ \t]*+(?!source\b)[^\n{}]*+\n){0,40}+"
            rb"[ \t]*+source[ \t]*+=[ \t]*+\"([^\"\n]++)\"",
            after=b"",
        ),
        Statement(PATH, rb"(?:file|templatefile)\(", rb"(?:file|templatefile)\(\s*+\"\$\{path\.module\}/([^\"\n]++)\""),
        Statement(
            DECLARED,
            rb"(?:variable|module|resource|data)[ \t]",
            rb"((?:variable|module|resource|data)(?:[ \t]++\"[\w-]++\"){1,2}+)",
            after=b"",
        ),
        places=FolderPlaces,
        used=rb"\b((?:var|module|data\.\w++|[a-z]\w*+_\w++)\.[\w-]++)",
    ),
    "R": R(
        Marks(marks.HASH, marks.DOUBLE, marks.SINGLE, marks.quoted(b"`", b"")),
        Statement(PATH, word(b"source"), rb"source\(\s*+(?:file\s*+=\s*+)?(?:file\.path\(|here\()?%s" % LITERAL),
        # At the start of a line: what is declared inside a function is seen nowhere else.
        Statement(
            DECLARED,
            rb"(?m:^)[A-Za-z.][\w.]*+[ \t]*+(?:<-|=)",
            rb"([A-Za-z.][\w.]*+)[ \t]*+(?:<-|=)[ \t]*+(?:function\b|R6Class|\\\()",
        ),
        Statement(
            DECLARED, rb"set(?:Class|Generic|RefClass|Method)\(", rb"set(?:Class|Generic|RefClass)\(\s*+%s" % LITERAL
        ),
        used=rb"(?<![\w.])([A-Za-z.][\w.]*+)\(",
    ),
    "Solidity": Statements(
        marks.C_LIKE,
        Statement(PATH, word(b"import"), rb"import\s*+%s" % LITERAL, after=b";"),
        Statement(PATH, word(b"import"), rb"import\s*+[\w*{][^;\"']{0,4000}?from\s*+%s" % LITERAL, after=b";"),
        roots=("contracts", "src", "lib"),
        places=SolidityPlaces,
    ),
}
