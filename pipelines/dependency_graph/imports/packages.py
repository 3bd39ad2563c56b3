"""package.json: what `name`, `name/path` and `#internal` mean where the package is one of the repository.

Every package of the repository can be named from everywhere in it, as in a workspace of npm, yarn or pnpm; those among
test data only from beside them. Where an entry point is a file that a build writes, what it is written from is guessed.
"""

import re
from functools import cache
from itertools import dropwhile, islice

from pipelines.dependency_graph.json_file import read_object, strings
from pipelines.dependency_graph.tree import FileTree, Nearest, ancestors, join, parent

TEST_FOLDERS = {"test", "tests", "__tests__", "fixture", "fixtures", "__fixtures__", "examples", "templates"}
ENTRIES = ("source", "types", "typings", "svelte", "module", "main", "browser")  # fields, the best first
CONDITIONS = {"source", "types", "import", "module", "node", "require", "default", "svelte", "development"}
BUILT = {"dist", "lib", "build", "out", "output", "es", "esm", "cjs", "umd"}
EXTENSION = re.compile(r"(?:\.d)?\.[mc]?[jt]sx?\Z")
MAX_PATTERNS = 100  # of the exports of one package that hold a star; more are written only to do harm


class Packages:
    """The packages of a repository, by name. Each package.json is read once."""

    def __init__(self, tree: FileTree) -> None:
        files = [path for path in tree.project_files("package.json") if "node_modules/" not in path]
        self.contents = {parent(path): read_object(tree.read(path)) for path in files}
        all_names: dict[str, list[str]] = {}
        for folder, content in self.contents.items():
            for name in strings(content.get("name")):
                all_names.setdefault(name, []).append(f"{folder}/package.json".lstrip("/"))
        self.nearest = Nearest(all_names)
        self.nearest_public = Nearest({name: _public(files) for name, files in all_names.items()})
        self.entries = cache(self._entries)

    def meant(self, specifier: str, path: str, is_typescript: bool) -> tuple[str, ...]:
        """The paths, some without extension, that `specifier` may mean in the file `path`, the best first."""
        if specifier.startswith("#"):
            return self._internal(specifier, path, is_typescript)
        parts = specifier.split("/")
        count = 2 if specifier.startswith("@") else 1
        folder = self.folder("/".join(parts[:count]), path)
        return () if folder is None else self.entries(folder, "/".join([".", *parts[count:]]), is_typescript)

    def folder(self, name: str, path: str) -> str | None:
        """Where the package `name` lies that a file sees."""
        found = self.nearest(name, path)
        hidden = _test_folder(found) if found else None
        if hidden is not None and not path.startswith(f"{hidden}/"):
            found = self.nearest_public(name, path)
        return None if found is None else parent(found)

    def _internal(self, specifier: str, path: str, is_typescript: bool) -> tuple[str, ...]:
        folder = next((folder for folder in ancestors(path) if folder in self.contents), None)
        if folder is None:
            return ()
        targets = _targets(self.contents[folder].get("imports"), specifier, is_typescript)
        return _inside(folder, [*targets, *_sources(targets)])

    def _entries(self, folder: str, subpath: str, is_typescript: bool) -> tuple[str, ...]:
        """`subpath` is `.` or begins with `./`."""
        content = self.contents[folder]
        exports = content.get("exports")
        if not isinstance(exports, dict) or not any(key.startswith(".") for key in exports):
            exports = {".": exports}
        targets = _targets(exports, subpath, is_typescript)
        if subpath == ".":
            targets += [entry for field in ENTRIES for entry in strings(content.get(field))]
        below = "index" if subpath == "." else subpath[2:]
        return _inside(folder, [*targets, *_sources(targets), below, f"src/{below}"])


def _public(files: list[str]) -> list[str]:
    return [file for file in files if _test_folder(file) is None]


def _test_folder(path: str) -> str | None:
    """The folder of test data that `path` lies in, with all above it; None where it lies in none."""
    parts = path.split("/")[:-1]
    depth = next((depth for depth, part in enumerate(parts) if part in TEST_FOLDERS), None)
    return None if depth is None else "/".join(parts[: depth + 1])


def _inside(folder: str, targets: list[str]) -> tuple[str, ...]:
    paths = (join(folder, target) for target in dict.fromkeys(targets))
    return tuple(path for path in paths if path is not None)


def _targets(table: object, key: str, is_typescript: bool) -> list[str]:
    """What `exports` or `imports` has for `key`: under the key itself, else under the pattern that fits it best."""
    if not isinstance(table, dict):
        return []
    if key in table:
        return _choices(table[key], is_typescript)
    patterns = (pattern.partition("*") for pattern in islice((key for key in table if "*" in key), MAX_PATTERNS))
    fitting = [(before, after) for before, _, after in patterns if key.startswith(before) and key.endswith(after)]
    fitting = [(before, after) for before, after in fitting if len(before) + len(after) < len(key)]
    if not fitting:
        return []
    before, after = max(fitting, key=lambda found: (len(found[0]), len(found[1])))
    middle = key[len(before) : len(key) - len(after)]
    return [target.replace("*", middle) for target in _choices(table[f"{before}*{after}"], is_typescript)]


def _choices(target: object, is_typescript: bool) -> list[str]:
    """The files of a target: in its own order those whose conditions hold, then those of other conditions."""
    found: list[str] = []
    waiting, others = [target], []
    while waiting or others:
        if not waiting:
            waiting, others = [others[0]], others[1:]
        value = waiting.pop()
        if isinstance(value, dict):
            holds = {name: name in CONDITIONS and (is_typescript or name != "types") for name in value}
            waiting += [value[name] for name in reversed(value) if holds[name]]
            others += [value[name] for name in value if not holds[name]]
        elif isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, str):
            found.append(value)
    return found


def _sources(targets: list[str]) -> list[str]:
    """What files may be written from that a build writes: `dist/esm/a.d.ts` -> `src/a`, `a`."""
    found = []
    for target in targets:
        parts = [part for part in EXTENSION.sub("", target).split("/") if part != "."]
        below = list(dropwhile(BUILT.__contains__, parts))
        if below and len(below) < len(parts):
            found += ["/".join(["src", *below]), "/".join(below)]
    return found
