"""Where a path lies that an import names, when it is not said from where it counts."""

from collections.abc import Iterable

from pipelines.dependency_graph.tree import FileTree, Nearest, ancestors, join, parent

MIN_PARTS = 2  # a path of one name, such as `json`, is too common to be looked for everywhere

ANYWHERE = "*"  # in place of the name of a root: every folder is one


class Places:
    """Files by the paths that imports name: beside the file that imports, else from a folder above it, else from any
    folder where the path has several parts or the folder is called like a root."""

    def __init__(self, tree: FileTree, wanted: Iterable[str], roots: frozenset[str]) -> None:
        self.tree = tree
        by_end = tree.with_names({_downward(path) for path in wanted})
        self.nearest = Nearest({end: kept for end, paths in by_end.items() if (kept := _elsewhere(end, paths, roots))})
        self.by_end = by_end

    def find(self, possible: Iterable[str], path: str) -> list[str]:
        """The first of the paths `possible` that there is, as seen from the file `path`; at most one here."""
        relative = list(possible)
        for written in relative:
            beside = join(parent(path), written) if not written.startswith("/") else None
            if beside and beside in self.tree.paths:
                return [beside]
        for written in relative:
            if written.startswith(("./", "../")):
                continue
            end = _downward(written)
            if end not in self.by_end:
                continue
            above = (f"{folder}/{end}" if folder else end for folder in ancestors(path))
            found = next((place for place in above if place in self.tree.paths), None) or self.nearest(end, path)
            if found:
                return [found]
        return []

    def from_root(self, written: str, path: str) -> str | None:
        """The file at `written`, in a language that looks for it in its roots only."""
        return self.nearest(_downward(written), path)


def _downward(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))


def _elsewhere(end: str, paths: list[str], roots: frozenset[str]) -> list[str]:
    below_roots = [path for path in paths if path == end or path[: -len(end) - 1].rpartition("/")[2] in roots]
    return below_roots or (paths if ANYWHERE in roots or end.count("/") + 1 >= MIN_PARTS else [])
