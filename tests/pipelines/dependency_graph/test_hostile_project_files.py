"""Project files that are broken or made to do harm: the graph is made all the same, in linear time."""

import json
import time

import pytest

from pipelines.dependency_graph.families import FAMILIES
from pipelines.dependency_graph.imports import c, javascript
from pipelines.dependency_graph.tree import FileTree

N = 1000
MANY = [f"./f{number}" for number in range(N)]
CONDITIONS = {f"c{number}": f"./f{number}.js" for number in range(N)}
NESTED = "[" * N + "]" * N
HARM = [
    ("JavaScript", "package.json", {"name": "p", "exports": {"./*": MANY}}),
    ("JavaScript", "package.json", {"name": "p", "exports": {f"./{number}*": "./*" for number in range(N)}}),
    ("JavaScript", "package.json", {"name": "p", "exports": {"./*": {"x": CONDITIONS, "default": CONDITIONS}}}),
    ("JavaScript", "package.json", {"name": "p", "exports": {"./*": "*" * 1_000_000}}),
    ("JavaScript", "package.json", {"name": ["p"] * N, "main": MANY, "types": [MANY]}),
    ("JavaScript", "package.json", NESTED),
    ("JavaScript", "tsconfig.json", {"compilerOptions": {"paths": {f"p/{n}*": MANY[:3] for n in range(N)}}}),
    ("JavaScript", "tsconfig.json", {"compilerOptions": {"paths": {"p/*": MANY}}}),
    ("JavaScript", "tsconfig.json", {"extends": ["./tsconfig.json", "."] * N}),
    ("JavaScript", "tsconfig.json", {"references": [{"path": "./tsconfig.json"}] * N}),
    ("JavaScript", "tsconfig.json", NESTED),
    ("C", "Makefile", "".join(f"-If{number} " for number in range(N))),
    ("C", "Makefile", "-I" * 100_000),
    ("C", "Makefile", "-I${" * 100_000),
    ("C", "CMakeLists.txt", "include_directories(" * 20_000),
    ("C", "CMakeLists.txt", "include_directories(" + "$<BUILD_INTERFACE:" * 1000 + ")"),
    ("C", "CMakeLists.txt", "include_directories(" + "".join(f"f{number} " for number in range(N)) + ")"),
    ("C", "compile_commands.json", [{"directory": "/", "file": "x0.c", "command": "-Ia " * 100}] * N),
    ("C", "compile_commands.json", [{"directory": 1, "file": [], "command": {}}, None, {"file": "x0.c"}]),
    ("C", "compile_commands.json", NESTED),
]


@pytest.mark.parametrize(
    ("language", "name", "content"), HARM, ids=[f"{number}-{h[1]}" for number, h in enumerate(HARM)]
)
def test_resolving_many_imports_takes_little_time(language, name, content):
    written = content if isinstance(content, str) else json.dumps(content)
    facts = {f"x{number}.c": imports(language, number) for number in range(N)}
    started = time.process_time()
    tree = FileTree([*facts, "a/1", "b/1"], lambda path: written.encode(), [name])
    found = dict(FAMILIES[language].resolve(facts, tree))
    assert time.process_time() - started < 3
    assert found.keys() == facts.keys()


def imports(language, number):
    if language == "C":
        return c.Facts([c.Include(f"{number}", False, False), c.Include("1", False, False)])
    return javascript.Facts([f"p/{number}/{'long' * 20}", "p", f"#{number}"], number % 2 == 0)
