"""The aliases of tsconfig.json and jsconfig.json: `paths` and `baseUrl`, with what they take over by `extends`."""

import json
import re
from functools import cache
from typing import Any, NamedTuple

from pipelines.dependency_graph.tree import FileTree, ancestors, join, parent

NAMES = ("tsconfig.json", "jsconfig.json")
MAX_EXTENDS = 8
# JSON as these files are written: a string is kept, a comment or a comma before a closing bracket is taken out.
COMMENT = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/', re.DOTALL)
LAST_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)


class Config(NamedTuple):
    base_url: str | None  # a folder of the repository
    paths: dict[str, list[str]]  # pattern -> patterns, from `paths_folder`
    paths_folder: str


NO_CONFIG = Config(None, {}, "")


class Aliases:
    """What a specifier means that does not begin with a dot."""

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self.configs = {parent(path): path for name in reversed(NAMES) for path in tree.project_files(name)}
        self.config = cache(self._config)

    def meant(self, specifier: str, path: str) -> list[str | None]:
        """The paths, still without extension, that `specifier` may mean in the file `path`."""
        if not self.configs:
            return []
        folder = next((folder for folder in ancestors(path) if folder in self.configs), None)
        if folder is None:
            return []
        config = self.config(self.configs[folder])
        found = [join(config.paths_folder, target) for target in _targets(specifier, config.paths)]
        return found if config.base_url is None else [*found, join(config.base_url, specifier)]

    def _config(self, path: str, depth: int = 0) -> Config:
        content = _read(self.tree.read(path))
        inherited = NO_CONFIG
        extends = content.get("extends")
        if isinstance(extends, str) and extends.startswith(".") and depth < MAX_EXTENDS:
            other = join(parent(path), extends)
            found = next((file for file in (other, f"{other}.json") if file in self.tree), None)
            inherited = self._config(found, depth + 1) if found else NO_CONFIG
        options = content.get("compilerOptions")
        return _with_options(inherited, options if isinstance(options, dict) else {}, parent(path))


def _read(content: bytes) -> dict[str, Any]:
    """The object in a file of JSON with comments; empty where it is none, as the repository is free to be broken."""
    try:
        without_comments = COMMENT.sub(_string, content.decode())
        found = json.loads(LAST_COMMA.sub(_string, without_comments))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _string(match: re.Match[str]) -> str:
    return match[1] or ""


def _with_options(inherited: Config, options: dict[str, Any], folder: str) -> Config:
    base_url, paths, paths_folder = inherited
    if isinstance(options.get("baseUrl"), str):
        base_url = join(folder, options["baseUrl"])
        paths_folder = base_url or ""
    if isinstance(options.get("paths"), dict):
        paths = {
            pattern: [target for target in targets if isinstance(target, str)]
            for pattern, targets in options["paths"].items()
            if isinstance(targets, list)
        }
        paths_folder = folder if base_url is None else base_url
    return Config(base_url, paths, paths_folder)


def _targets(specifier: str, paths: dict[str, list[str]]) -> list[str]:
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
