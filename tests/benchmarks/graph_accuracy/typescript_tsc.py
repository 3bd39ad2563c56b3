"""JavaScript, TypeScript, Vue and Svelte: imports as the TypeScript compiler collects and resolves them.

Where a package is one of several of a repository, it is linked into node_modules first, as npm and pnpm do it. Types
that JavaScript names in comments (`@type {import("./a").B}`) are left out.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.graph_accuracy import _sources

NAME = "typescript 5.9.3"
LANGUAGES = ["JavaScript", "TypeScript", "Vue", "Svelte"]
TOOLS = ["node", "npm"]
COMPILERS = ("typescript@5.9.3", "svelte@5.34.7", "@vue/compiler-sfc@3.5.16")


class Project(NamedTuple):
    name: str
    version: str
    conditions: tuple[str, ...] = ()  # of package.json's `exports` that its build asks for
    folder: str = ""  # of a wheel of PyPI; without, the package is npm's


PROJECTS = [
    Project("rxjs", "7.8.2"),
    Project("viem", "2.57.20"),
    Project("three", "0.187.0"),
    Project("core-js", "3.51.0"),
    Project("@sveltejs/kit", "3.2.0"),
    Project("gradio", "5.33.0", ("gradio",), "gradio/_frontend_code"),
    Project("@nuxt/ui", "4.11.2"),
    Project("effect", "4.1.0"),
    Project("bits-ui", "2.21.0"),
]


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    for name, version, _, folder in PROJECTS:
        if folder:
            project, root = _sources.pypi(cache, name, version, is_wheel=True)
            yield project, root / folder
        else:
            yield _sources.npm(cache, name, version)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    cache = next(folder for folder in root.parents if (folder / "node").is_dir() or (folder / "npm").is_dir())
    (project,) = [
        project for project in PROJECTS if f"/{project.name.replace('/', '-')}-{project.version}/" in f"{root}/"
    ]
    modules = _sources.npm_tool(cache, *COMPILERS)
    script = Path(__file__).with_name("_typescript.mjs")
    conditions = [f"--conditions={condition}" for condition in project.conditions]
    command = ["node", *conditions, str(script), str(modules), str(_linked(root, cache / "build")), *project.conditions]
    seen, found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {(one, other) for one, other in found}, set(seen)


def _linked(root: Path, builds: Path) -> Path:
    """The project, or where it holds packages that name one another, a copy in which they are linked."""
    packages = {}
    for path in sorted(root.rglob("package.json")):
        name = json.loads(path.read_bytes()).get("name")
        if isinstance(name, str) and name:
            packages[name] = path.parent.relative_to(root)
    if len(packages) < 2:
        return root
    copy = builds / "-".join(root.parts[-3:])
    if not copy.exists():
        shutil.copytree(root, copy, copy_function=os.link)
        for name, folder in packages.items():
            link = copy / "node_modules" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(copy / folder)
    return copy
