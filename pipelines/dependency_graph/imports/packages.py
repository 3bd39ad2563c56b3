"""package.json: what `name`, `name/path` and `#internal` mean where the package is one of the repository.

Every package of the repository can be named from everywhere in it, as in a workspace of npm, yarn or pnpm; those among
test data only from beside them. Where an entry point is a file that a build writes, what it is written from is guessed.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import dropwhile, islice
from typing import Any

from pipelines.dependency_graph.json_file import read_object, strings
from pipelines.dependency_graph.tree import FileTree, Nearest, ancestors, join, parent

TEST_FOLDERS = {"test", "tests", "__tests__", "fixture", "fixtures", "__fixtures__", "examples", "templates"}
ENTRIES = ("source", "types", "typings", "svelte", "module", "main", "browser")  # fields, the best first
CONDITIONS = {"source", "types", "import", "module", "node", "require", "default", "svelte", "development"}
BUILT = {"dist", "lib", "build", "out", "output", "es", "esm", "cjs", "umd"}
EXTENSION = re.compile(r"(?:\.d)?\.[mc]?[jt]sx?\Z")
# What a package may have that was not written to do harm.
MAX_PATTERNS = 100  # exports that hold a star
MAX_CHOICES = 24  # files or conditions of one export
MAX_PATH_CHARS = 1000
MAX_STARS = 4  # in one file


class Table:
    """The field `exports` or `imports` of a package.json: which files a key means."""

    def __init__(self, table: object) -> None:
        self.table: dict[str, Any] = table if isinstance(table, dict) else {}
        starred = islice((name for name in self.table if "*" in name), MAX_PATTERNS)
        parts = (name.partition("*") for name in starred)
        self.patterns = sorted(((before, after) for before, _, after in parts), key=lambda part: -len(part[0]))

    def files(self, key: str, is_typescript: bool) -> list[str]:
        """Those under the key itself, else those under the pattern that fits it and has most text before its star."""
        if key in self.table:
            return _choices(self.table[key], is_typescript)
        for before, after in self.patterns:
            if key.startswith(before) and key.endswith(after) and len(key) > len(before) + len(after):
                middle = key[len(before) : len(key) - len(after)]
                found = _choices(self.table[f"{before}*{after}"], is_typescript)
                return [file.replace("*", middle, MAX_STARS) for file in found]
        return []


def _choices(target: object, is_typescript: bool) -> list[str]:
    """The files of one key: in its own order those whose conditions hold, then those of other conditions."""
    found: list[str] = []
    waiting, others = [target], list[object]()
    for _ in range(MAX_CHOICES):
        if not waiting:
            waiting, others = list(reversed(others)), []
        value = waiting.pop() if waiting else None
        if isinstance(value, dict):
            conditions = list(islice(value, MAX_CHOICES))
            holding = [name for name in conditions if name in CONDITIONS and (is_typescript or name != "types")]
            waiting += [value[name] for name in reversed(holding)]
            others += [value[name] for name in conditions if name not in holding]
        elif isinstance(value, list):
            waiting += reversed(value[:MAX_CHOICES])
        elif isinstance(value, str) and len(value) <= MAX_PATH_CHARS:
            found.append(value)
    return found


class Package:
    """What a package.json says about files, as paths from its folder."""

    def __init__(self, content: Mapping[str, object]) -> None:
        exports = content.get("exports")
        if not isinstance(exports, dict) or not any(key.startswith(".") for key in exports):
            exports = {".": exports}
        self.names = strings(content.get("name"))[:1]
        self.exports = Table(exports)
        self.imports = Table(content.get("imports"))
        entries = (entry for field in ENTRIES for entry in strings(content.get(field))[:1])
        self.entries = [entry for entry in entries if len(entry) <= MAX_PATH_CHARS]

    def files(self, subpath: str, is_typescript: bool) -> list[str]:
        """What `name` (subpath `.`) or `name/path` (subpath `./path`) may mean, the best first."""
        listed = self.exports.files(subpath, is_typescript) + (self.entries if subpath == "." else [])
        below = "index" if subpath == "." else subpath[2:]
        return [*listed, *_sources(listed), below, f"src/{below}"]

    def internal(self, specifier: str, is_typescript: bool) -> list[str]:
        listed = self.imports.files(specifier, is_typescript)
        return [*listed, *_sources(listed)]


def _sources(files: list[str]) -> list[str]:
    """What files may be written from that a build writes: `dist/esm/a.d.ts` -> `src/a`, `a`."""
    found = []
    for file in files:
        parts = [part for part in EXTENSION.sub("", file).split("/") if part != "."]
        below = list(dropwhile(BUILT.__contains__, parts))
        if below and len(below) < len(parts):
            found += ["/".join(["src", *below]), "/".join(below)]
    return found


class Packages:
    """The packages of a repository, by name. Each package.json is read once."""

    def __init__(self, tree: FileTree) -> None:
        files = [path for path in tree.project_files("package.json") if "node_modules/" not in path]
        self.by_folder = {parent(path): Package(read_object(tree.read(path))) for path in files}
        by_name: dict[str, list[str]] = {}
        for path in files:
            for name in self.by_folder[parent(path)].names:
                by_name.setdefault(name, []).append(path)
        self.nearest = Nearest(by_name)
        self.nearest_public = Nearest({name: _public(paths) for name, paths in by_name.items()})
        self.entries = cache(self._entries)

    def meant(self, specifier: str, path: str, is_typescript: bool) -> tuple[str, ...]:
        """The paths, some without extension, that `specifier` may mean in the file `path`, the best first."""
        if specifier.startswith("#"):
            inside = self.around(path)
            return () if inside is None else _below(inside, self.by_folder[inside].internal(specifier, is_typescript))
        parts = specifier.split("/")
        count = 2 if specifier.startswith("@") else 1
        folder = self.folder("/".join(parts[:count]), path)
        return () if folder is None else self.entries(folder, "/".join([".", *parts[count:]]), is_typescript)

    def around(self, path: str) -> str | None:
        """The folder of the package that a file is part of."""
        return next((folder for folder in ancestors(path) if folder in self.by_folder), None)

    def folder(self, name: str, path: str) -> str | None:
        """Where the package `name` lies that a file sees."""
        found = self.nearest(name, path)
        hidden = _test_folder(found) if found else None
        if hidden is not None and not path.startswith(f"{hidden}/"):
            found = self.nearest_public(name, path)
        return None if found is None else parent(found)

    def _entries(self, folder: str, subpath: str, is_typescript: bool) -> tuple[str, ...]:
        return _below(folder, self.by_folder[folder].files(subpath, is_typescript))


def _public(paths: list[str]) -> list[str]:
    return [path for path in paths if _test_folder(path) is None]


def _test_folder(path: str) -> str | None:
    """The folder of test data that `path` lies in, with all above it; None where it lies in none."""
    parts = path.split("/")[:-1]
    depth = next((depth for depth, part in enumerate(parts) if part in TEST_FOLDERS), None)
    return None if depth is None else "/".join(parts[: depth + 1])


def _below(folder: str, files: list[str]) -> tuple[str, ...]:
    paths = (join(folder, file) for file in dict.fromkeys(files))
    return tuple(path for path in paths if path is not None)
