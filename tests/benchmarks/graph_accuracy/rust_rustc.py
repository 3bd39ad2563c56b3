"""Rust: what each path in the source means, read off rustc's HIR once names are resolved; libraries as they build here.

HIR holds what stands inside of macros too, at the place where it is written. Macro calls, which are gone by then, are
taken from rustc's trace of them, and belong to the file whose `macro_rules!` has that name. (Both are unstable
options, so RUSTC_BOOTSTRAP is set.) A glob is no edge, the names that it brings into view are; methods and fields are
not compared, as the type of a value decides them. Items that `cfg` leaves out (tests, other systems) are taken out
before both sides read the files; what `cfg` leaves out by way of a macro, or of an expression, is not.
Crates that the projects need come from Debian's librust-*-dev packages, here librust-cargo-dev and
librust-tokio+full-dev, whatever their versions.
"""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path
from typing import NamedTuple

from tree_sitter import Query, QueryCursor
from tree_sitter_language_pack import get_language, get_parser

from tests.benchmarks.graph_accuracy import _sources

NAME = "rustc"
LANGUAGES = ["Rust"]
TOOLS = ["cargo", "rustc"]
PROJECTS = ["cargo"]  # and, as Debian installs them:
INSTALLED = ["tokio-1.24.2", "clap-4.0.32", "regex-1.7.1"]
REGISTRY = Path("/usr/share/cargo/registry")
SETTINGS = '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{}"\n'
VERSION = re.compile(r'^(\s*([\w-]+)\s*=\s*(?:"|\{.*?\bversion\s*=\s*")|version\s*=\s*")[\^=]?([\d.]+)([^"]*)"')

ATTRIBUTE = re.compile(r"#\[(?:cfg\((.*)\)|test)\]", re.DOTALL)
TOKEN = re.compile(r'\w+\s*=\s*"[^"]*"|\w+|[()]')
BEFORE_ITEMS = ("attribute_item", "line_comment", "block_comment")
NEWLINE = ord("\n")

OWNER = rb"owner_id: DefId\(\d+:\d+ ~ (\w+)\[\w+\]([^,\n]*)\),\s+kind: "
PLACE = rb"([^\n]+?):\d+:\d+:"
MODULE = re.compile(OWNER + rb"Mod\(\s+[^\n]+\n\s+Mod \{\s+spans: ModSpans \{\s+inner_span: " + PLACE)
MACRO = re.compile(
    OWNER + rb"Macro\(\s+\w+#\d+,\s+MacroDef \{\s+body: DelimArgs \{\s+dspan: DelimSpan \{\s+open: " + PLACE
)
USE = re.compile(rb"kind: Use\(\n( +)(?=Path \{\n)(?:(?!\1\}).*\n)*+\1\},\n +(\w+)")
PATH = re.compile(rb"\bPath \{\s+span: " + PLACE + rb"[^\n]*\n\s+res: (.*?)\n\s+segments: \[", re.DOTALL)
DEFINITION = re.compile(rb"\bDef\(\s+(\w+)(?:\([\w\s,]*\))?,\s+DefId\(\d+:\d+ ~ (\w+)\[\w+\]([^,\n]*)\)")
CALL = re.compile(rb"^note: trace_macro\n +--> ([^\n]+?):(\d+):(\d+)$", re.MULTILINE)
CALLED = re.compile(r"(?:(?:\$?crate|self|super)::)*(\w+)!")  # a path that begins otherwise leads to another crate
INSIDE_OF_ITEMS = ("Variant", "Ctor", "AssocTy", "AssocFn", "AssocConst")
PARAMETERS = ("TyParam", "ConstParam", "LifetimeParam")


class Crate(NamedTuple):
    """What rustc said about one crate."""

    modules: dict[str, str]  # `crate::a::b` -> its file
    macros: dict[str, str]  # `crate::a::name` -> the file that defines it
    named: set[tuple[str, str, str]]  # (file, kind of a definition, `crate::a::name`)
    calls: set[tuple[str, str]]  # (file, macro)


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    found = [(name.replace("-", " "), REGISTRY / name) for name in INSTALLED if (REGISTRY / name).is_dir()]
    found += [_sources.debian(cache, package) for package in PROJECTS]
    for name, root in found:
        copy = cache / "rust" / root.name
        if not copy.exists():
            part = copy.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(root, part)
            for file in part.rglob("*.rs"):
                file.write_bytes(compiled(file.read_bytes()))
            part.rename(copy)
        yield name, copy


@once
def _settings() -> set[str]:
    """What `cfg` asks for on this machine: `unix`, `target_os="linux"`."""
    return set(subprocess.run(["rustc", "--print", "cfg"], check=True, capture_output=True, text=True).stdout.split())


def compiled(source: bytes) -> bytes:
    """`source` without the items that `cfg` leaves out where every feature is on and nothing is a test."""
    kept = bytearray(source)
    cursor = QueryCursor(Query(get_language("rust"), "(attribute_item (attribute)) @attribute"))
    for node in cursor.captures(get_parser("rust").parse(source).root_node).get("attribute", []):
        asked = ATTRIBUTE.fullmatch(source[node.start_byte : node.end_byte].decode("utf-8", "replace"))
        if node.parent is None or node.parent.type not in ("source_file", "declaration_list"):
            continue
        start, end = node, node.next_named_sibling
        while (before := start.prev_named_sibling) is not None and (
            before.type == "attribute_item" or source.startswith((b"///", b"/**"), before.start_byte)
        ):
            start = before
        while end is not None and end.type in BEFORE_ITEMS:
            end = end.next_named_sibling
        if asked and end is not None and not _is_on(TOKEN.findall(asked[1] or "test")):
            for at in range(start.start_byte, end.end_byte):
                kept[at] = kept[at] if kept[at] == NEWLINE else 0
    return bytes(kept).replace(b"\0", b"")


def _is_on(words: list[str]) -> bool:
    """The value of a predicate `all(unix, not(feature = "x"))`, whose words are taken off its front."""
    word = re.sub(r"\s*=\s*", "=", words.pop(0))
    if words[:1] != ["("]:
        return word.startswith("feature=") or word in _settings()
    words.pop(0)
    found = []
    while words and words[0] != ")":
        found.append(_is_on(words))
    words[:1] = []
    return {"all": all(found), "any": any(found), "not": not all(found)}[word]


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    with tempfile.TemporaryDirectory() as folder:
        work = _prepared(root, Path(folder))
        crates = [
            parse(work, crate, file, *found)
            for crate, (package, file) in sorted(_libraries(work).items())
            if (found := _asked(work, Path(folder), package))
        ]
    if not crates:
        raise ValueError(f"cargo builds no library of {root}; are Debian's librust-*-dev packages installed?")
    return join(crates)


def _asked(work: Path, folder: Path, package: str) -> tuple[bytes, bytes] | None:
    """rustc's HIR of the library of `package` and its trace of macro calls; None where it does not build here."""
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(folder / "target")}
    for options in (["--all-features"], []):
        command = ["cargo", "rustc", "-q", "--offline", "--profile", "check", "--lib", "-p", package, *options]
        command += ["--", "-Zunpretty=hir-tree", "-Ztrace-macros"]
        with (folder / "hir").open("wb") as hir, (folder / "trace").open("wb") as trace:
            done = subprocess.run(command, cwd=work, env=environment, stdout=hir, stderr=trace, check=False)
        if done.returncode == 0:
            return (folder / "hir").read_bytes(), (folder / "trace").read_bytes()
    return None


def _libraries(root: Path) -> dict[str, tuple[str, str]]:
    """Crate name -> (package, the file that is its root)."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(root.rglob("Cargo.toml")):
        try:
            content = tomllib.loads(file.read_text())
        except ValueError:  # a template
            continue
        if "vendor" in file.parts or "package" not in content:
            continue
        name = content["package"]["name"]
        library = content.get("lib", {})
        source = file.parent / library.get("path", "src/lib.rs")
        if source.exists() and not library.get("proc-macro") and not library.get("proc_macro"):
            crate = library.get("name", name).replace("-", "_")
            found[crate] = (name, source.relative_to(root).as_posix())
    return found


def _prepared(root: Path, folder: Path) -> Path:
    """A copy of a project that cargo builds from what this machine has."""
    work = folder / "work"
    shutil.copytree(root, work, ignore=shutil.ignore_patterns("Cargo.lock", "vendor", ".cargo", "target"))
    (folder / "crates").mkdir()
    packed = [*REGISTRY.iterdir(), *(path for path in sorted(root.glob("vendor/*")) if path.is_dir())]
    for path in packed:
        at = folder / "crates" / path.name
        if not at.exists() and not any((folder / "crates").glob(f"{path.name}-[0-9]*")):
            at.symlink_to(path.resolve())
    available = {path.name for path in (folder / "crates").iterdir()}
    for file in work.rglob("Cargo.toml"):
        file.write_text(_loosened(file.read_text(), available))
    (work / ".cargo").mkdir()
    (work / ".cargo" / "config.toml").write_text(SETTINGS.format(folder / "crates"))
    return work


def _loosened(manifest: str, available: set[str]) -> str:
    """A Cargo.toml without what only tests need, that takes any version where the one it asks for is not there."""
    lines, table = [], ""
    for line in manifest.splitlines():
        table = line.strip() if line.startswith("[") else table
        found = VERSION.match(line) if "dependencies" in table else None
        name = (found[2] or table.strip("[]").rpartition(".")[2]) if found else ""
        if "dev-dependencies" in table:
            continue
        if found and not _is_there(name, found[3], available):
            lines.append(f'{found[1]}*"{line[found.end() :]}')
        else:
            lines.append(line)
    return "\n".join(lines)


def _is_there(name: str, version: str, available: set[str]) -> bool:
    parts = version.split(".")
    wanted = ".".join(parts[:2]) if parts[0] == "0" else parts[0]
    return any(package == name or package.startswith(f"{name}-{wanted}.") for package in available)


def parse(work: Path, crate: str, root_file: str, hir: bytes, trace: bytes) -> Crate:
    modules = {_path(found[1], found[2]): found[3].decode() for found in MODULE.finditer(hir)}
    macros = {_path(found[1], found[2]): found[3].decode() for found in MACRO.finditer(hir)}
    globs = {found.end(1) for found in USE.finditer(hir) if found[2] != b"Single"}
    named = {
        (found[1].decode(), kind.decode(), _path(owner, path))
        for found in PATH.finditer(hir)
        if found.start() not in globs
        for kind, owner, path in set(DEFINITION.findall(found[2]))
    }
    calls = {
        (file.decode(), called[1])
        for file, line, column in CALL.findall(trace)
        if (called := CALLED.match(_line(work / file.decode(), int(line))[int(column) - 1 :]))
    }
    return Crate({crate: root_file, **modules}, macros, named, calls)


@once
def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").split("\n") if file.is_file() else []


def _line(file: Path, number: int) -> str:
    """A line of a file of the project; empty for what the standard library or another crate wrote."""
    return "".join(_lines(file)[number - 1 : number])


def _path(crate: bytes, path: bytes) -> str:
    return (crate + path).decode()


def join(crates: list[Crate]) -> tuple[set[tuple[str, str]], set[str]]:
    modules = {path: file for crate in crates for path, file in crate.modules.items()}
    macros = {path: file for crate in crates for path, file in crate.macros.items()}
    found: set[tuple[str, str]] = set()
    for crate in crates:
        by_name: dict[str, set[str]] = {}
        for path, file in crate.macros.items():
            by_name.setdefault(path.rpartition("::")[2], set()).add(file)
        for file, name in crate.calls:
            defined = by_name.get(name, set())
            if len(defined) == 1:
                found |= {(file, target) for target in defined}
        for file, kind, path in crate.named:
            target = macros.get(path) if kind == "Macro" else _file(modules, path, kind)
            if target:
                found.add((file, target))
    return {edge for edge in found if edge[0] != edge[1]}, set(modules.values())


def _file(modules: dict[str, str], path: str, kind: str) -> str | None:
    """The file of the module that a definition is or lies in; None for what lies in a function or is a parameter."""
    if kind == "Mod":
        return modules.get(path)
    if kind in INSIDE_OF_ITEMS:
        while path and path not in modules:
            path = path.rpartition("::")[0]
        return modules.get(path)
    return modules.get(path.rpartition("::")[0]) if kind not in PARAMETERS else None
