"""The aliases of tsconfig.json and jsconfig.json: `paths` and `baseUrl`, with what they take over by `extends`.

Where a tsconfig.json has neither and refers to projects (`references`), those count.
"""

from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from pipelines.dependency_graph.imports.packages import Packages
from pipelines.dependency_graph.json_file import read_object, strings
from pipelines.dependency_graph.tree import FileTree, ancestors, join, parent

NAMES = ("tsconfig.json", "jsconfig.json")
MAX_EXTENDS = 16  # in all, of one file
MAX_REFERENCES = 16
MAX_PATTERNS = 1000  # of one file
MAX_TARGETS = 16  # of one pattern


class Config(NamedTuple):
    base_url: str | None  # a folder of the repository
    paths: dict[str, list[str]]  # pattern -> patterns, from `paths_folder`
    paths_folder: str


NO_CONFIG = Config(None, {}, "")


class Aliases:
    """What a specifier means that does not begin with a dot."""

    def __init__(self, tree: FileTree, packages: Packages) -> None:
        self.tree = tree
        self.packages = packages
        self.configs = {parent(path): path for name in reversed(NAMES) for path in tree.project_files(name)}
        self.content = cache(lambda path: read_object(tree.read(path)))
        self.alternatives = cache(self._alternatives)
        self.targets = cache(self._targets)

    def meant(self, specifier: str, path: str) -> tuple[str, ...]:
        """The paths, still without extension, that `specifier` may mean in the file `path`."""
        folder = next((folder for folder in ancestors(path) if folder in self.configs), None) if self.configs else None
        return () if folder is None else self.targets(specifier, self.configs[folder])

    def _targets(self, specifier: str, config_path: str) -> tuple[str, ...]:
        found: list[str | None] = []
        for base_url, paths, paths_folder in self.alternatives(config_path):
            found += [join(paths_folder, target) for target in _matched(specifier, paths)]
            found += [] if base_url is None else [join(base_url, specifier)]
        return tuple(target for target in found if target is not None)

    def _alternatives(self, path: str) -> list[Config]:
        """What a tsconfig.json says, or where it says nothing, what the projects do that it refers to."""
        config = self._config(path)
        if config != NO_CONFIG:
            return [config]
        listed = self.content(path).get("references")
        references = [item.get("path") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        found = [self._beside(path, reference) for reference in strings(references)[:MAX_REFERENCES]]
        return [self._config(file) for file in found if file]

    def _config(self, path: str) -> Config:
        config = NO_CONFIG
        for file in self._extended(path):
            options = self.content(file).get("compilerOptions")
            config = _with_options(config, options if isinstance(options, dict) else {}, parent(file))
        return config

    def _extended(self, path: str) -> list[str]:
        """The file and all that it extends; what a file says replaces what one before it said."""
        found: dict[str, None] = {}
        waiting = [path]
        while waiting and len(found) < MAX_EXTENDS:
            file = waiting.pop()
            if file not in found:
                found[file] = None
                others = (self._beside(file, other) for other in strings(self.content(file).get("extends")))
                waiting += [other for other in others if other]
        return list(reversed(found))

    def _beside(self, path: str, reference: str) -> str | None:
        """The file that one tsconfig.json calls `./base`, `../project` or `@scope/package/base.json`."""
        if reference.startswith("."):
            bases = [join(parent(path), reference)]
        else:
            bases = [*self.packages.meant(reference, path, False), self.packages.folder(reference, path)]
        files = (
            file
            for base in bases
            if base is not None
            for file in (base, f"{base}.json", f"{base}/tsconfig.json".lstrip("/"))
        )
        return next((file for file in files if file in self.tree), None)


def _with_options(inherited: Config, options: dict[str, Any], folder: str) -> Config:
    base_url, paths, paths_folder = inherited
    if isinstance(options.get("baseUrl"), str):
        base_url = join(folder, options["baseUrl"])
        paths_folder = base_url or ""
    if isinstance(options.get("paths"), dict):
        paths = {
            pattern: strings(targets)[:MAX_TARGETS]
            for pattern, targets in islice(options["paths"].items(), MAX_PATTERNS)
            if isinstance(targets, list)
        }
        paths_folder = folder if base_url is None else base_url
    return Config(base_url, paths, paths_folder)


def _matched(specifier: str, paths: dict[str, list[str]]) -> list[str]:
    """What the best pattern makes of `specifier`: the exact one, else the one with the longest text before its `*`."""
    best = ""
    for pattern in paths:
        before, star, after = pattern.partition("*")
        fits = specifier == pattern
        if star and len(specifier) >= len(before) + len(after):
            fits = specifier.startswith(before) and specifier.endswith(after)
        if fits and (not best or not star or ("*" in best and len(before) > best.index("*"))):
            best = pattern
    if not best:
        return []
    before, _, after = best.partition("*")
    middle = specifier[len(before) : len(specifier) - len(after)]
    return [target.replace("*", middle, 1) for target in paths[best]]
