"""Python: the imports that grimp finds, module by module, in packages as they lie in a source distribution.

grimp knows the modules of packages only: scripts, documentation and stubs are not compared.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _sources

NAME = "grimp 3.13"
LANGUAGES = ["Python"]
TOOLS: list[str] = []
PROJECTS = [  # (distribution, version, packages)
    ("django", "5.2.1", ["django"]),
    ("networkx", "3.4.2", ["networkx"]),
    ("sqlalchemy", "2.0.41", ["sqlalchemy"]),  # below lib/
    ("twisted", "24.11.0", ["twisted"]),  # below src/
    ("sympy", "1.14.0", ["sympy"]),
    ("celery", "5.5.2", ["celery"]),
    (  # in a namespace package
        "opentelemetry-sdk",
        "1.33.1",
        [f"opentelemetry.sdk.{name}" for name in ("_logs", "metrics", "resources", "trace", "util")],
    ),
]
ASK = """
import grimp, json, sys
sys.path[:0] = sys.argv[1].split(":")
graph = grimp.build_graph(*sys.argv[2:], cache_dir=None)
edges = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
print(json.dumps([sorted(graph.modules), edges]))
"""
PACKAGES = {distribution: packages for distribution, _, packages in PROJECTS}


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    for distribution, version, _ in PROJECTS:
        yield _sources.pypi(cache, distribution, version)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    cache = root.parents[2]
    (packages,) = [packages for name, packages in PACKAGES.items() if root.parent.name.startswith(f"{name}-")]
    roots = [str(folder) for folder in (root, root / "lib", root / "src") if folder.is_dir()]
    command = [str(_sources.python_tool(cache, NAME.replace(" ", "=="))), "-c", ASK, ":".join(roots), *packages]
    modules, found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd="/").stdout)
    files = {name: _file(name, root, roots) for name in modules}
    pairs = {(files[one], files[other]) for one, other in found}
    return {(one, other) for one, other in pairs if one and other and one != other}, {
        file for file in files.values() if file
    }


def _file(module: str, root: Path, roots: list[str]) -> str:
    """The file of a module; empty for a folder without `__init__.py`."""
    inside = module.replace(".", "/")
    possible = (Path(folder) / inside / "__init__.py" for folder in roots)
    also = (Path(folder) / f"{inside}.py" for folder in roots)
    return next((path.relative_to(root).as_posix() for path in (*possible, *also) if path.is_file()), "")
