"""The files of one repository, as the resolvers look them up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple


class Found(NamedTuple):
    """What a file depends on."""

    targets: set[str]  # paths in the repository
    num_imports: int
    unresolved: set[str]  # names of imports that are no file of the repository


class FileTree:
    """The paths of a repository; `read` gives the content of one of them."""

    def __init__(self, paths: Sequence[str], read: Callable[[str], bytes]) -> None:
        self.paths = dict.fromkeys(paths)
        self.read = read

    def __contains__(self, path: str) -> bool:
        return path in self.paths

    @cached_property
    def folders(self) -> dict[str, None]:
        """Every folder that holds a file, directly or below; the root is the empty string."""
        found: dict[str, None] = {}
        for path in self.paths:
            folder = parent(path)
            while folder and folder not in found:
                found[folder] = None
                folder = parent(folder)
        found[""] = None
        return found

    def with_names(self, names: Iterable[str]) -> dict[str, list[str]]:
        """For each end of a path (`a/b.h`, `b.h`) that is one of `names`, the paths that end so, in order."""
        wanted = dict.fromkeys(names)
        last_parts = {name.rsplit("/", 1)[-1] for name in wanted}
        found: dict[str, list[str]] = {}
        for path in self.paths:
            if path.rsplit("/", 1)[-1] in last_parts:
                for end in ends(path):
                    if end in wanted:
                        found.setdefault(end, []).append(path)
        return found


class Nearest:
    """Where several files answer to one name: the one that shares most folders with the file that asks.

    Among equals it is the one that lies highest, then the first by path. A name's candidates are looked at once,
    however many files ask for it.
    """

    def __init__(self, candidates: Mapping[str, Sequence[str]]) -> None:
        self.candidates = candidates
        self.by_folder: dict[str, dict[str, str]] = {}

    def __call__(self, name: str, path: str) -> str | None:
        candidates = self.candidates.get(name)
        if not candidates:
            return None
        if len(candidates) == 1:
            return candidates[0]
        if name not in self.by_folder:
            self.by_folder[name] = _highest_in_folder(candidates)
        highest = self.by_folder[name]
        return next(highest[folder] for folder in ancestors(path) if folder in highest)


def _highest_in_folder(paths: Sequence[str]) -> dict[str, str]:
    highest: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        for folder in ancestors(path):
            highest.setdefault(folder, path)
    return highest


def parent(path: str) -> str:
    """The folder of a path; that of a top-level file is the empty string."""
    return path.rpartition("/")[0]


def ancestors(path: str) -> list[str]:
    """The folders above a path, from its own up to the root, which is the empty string."""
    found = []
    while path:
        path = parent(path)
        found.append(path)
    return found


def ends(path: str) -> list[str]:
    """`a/b/c` -> `a/b/c`, `b/c`, `c`."""
    found = [path]
    while "/" in path:
        path = path.partition("/")[2]
        found.append(path)
    return found


def join(folder: str, path: str) -> str | None:
    """`path` (with `.` and `..`) seen from `folder`; None where it leaves the repository."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
