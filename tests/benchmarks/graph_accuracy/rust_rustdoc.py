"""Rust: what rustdoc links each path in the source to, as rustc resolves it; libraries as they build on this machine.

rustdoc writes the source of a crate with links from names to their definitions (an unstable option, so
RUSTC_BOOTSTRAP is set). A link to `mod x;` is taken for one to the module's file; links of methods and fields are not
compared, as the type of a value decides them, nor are `crate`, `self` and `super` on their own, nor the name in
`mod x;` itself. rustdoc sees no test code, and links nothing in what macros are given or expand to, so precision on
a crate that is full of macros is counted too low, by how much is not known.
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
from html import unescape
from pathlib import Path

from tests.benchmarks.graph_accuracy import _sources

NAME = "rustdoc"
LANGUAGES = ["Rust"]
TOOLS = ["cargo", "rustdoc"]
PROJECTS = ["cargo"]  # and, as Debian installs them:
INSTALLED = ["tokio-1.24.2", "clap-4.0.32", "regex-1.7.1", "rayon-1.6.1"]
REGISTRY = Path("/usr/share/cargo/registry")
SETTINGS = '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{}"\n'
LINK = re.compile(r'(.?)(?:<(?!a )[^>]*>)*<a (?:class="[^"]*" )?href="([^"#]*)#?(\d*)[^"]*"[^>]*>([^<]*)')
MODULE = re.compile(r"\bmod\s+(?:r#)?(\w+)\s*;")
VERSION = re.compile(r'^(\s*([\w-]+)\s*=\s*(?:"|\{.*?\bversion\s*=\s*")|version\s*=\s*")[\^=]?([\d.]+)([^"]*)"')


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    yield from (_sources.debian(cache, package) for package in PROJECTS)
    yield from ((name.replace("-", " "), REGISTRY / name) for name in INSTALLED if (REGISTRY / name).is_dir())


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    libraries = dict(_libraries(root))
    with tempfile.TemporaryDirectory() as folder:
        pages = _document(root, Path(folder), sorted(libraries))
        found: set[tuple[str, str]] = set()
        seen: set[str] = set()
        for crate, (_, source) in libraries.items():
            for page in (pages / crate).rglob("*.rs.html"):
                path = source / page.relative_to(pages / crate).with_suffix("")
                seen.add(path.as_posix())
                targets = _targets(page, pages, root, {name: at for name, (_, at) in libraries.items()})
                found |= {(path.as_posix(), target) for target in targets if target != path.as_posix()}
    return found, seen


def _libraries(root: Path) -> Iterator[tuple[str, tuple[str, Path]]]:
    """Crate name -> (package, the folder that rustdoc's paths begin in, from the project's root)."""
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
            yield crate, (name, source.parent.relative_to(root))


def _document(root: Path, folder: Path, crates: list[str]) -> Path:
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
    flags = "-Zunstable-options --generate-link-to-definition"
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "RUSTDOCFLAGS": flags}
    for options in (["--workspace", "--all-features"], ["--all-features"], []):
        command = ["cargo", "doc", "-q", "--offline", "--no-deps", "--lib", "--keep-going", "--document-private-items"]
        subprocess.run([*command, *options], cwd=work, env=environment, capture_output=True, check=False)
        if (work / "target" / "doc" / "src").exists():
            return work / "target" / "doc" / "src"
    raise ValueError(f"cargo documents nothing in {root}; are Debian's librust-*-dev packages installed?")


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


def _targets(page: Path, pages: Path, root: Path, libraries: dict[str, Path]) -> Iterator[str]:
    written = page.read_text()
    for match in LINK.finditer(written):
        before, link, line, name = match.groups()
        is_declaration = written[max(match.start() - 3, 0) : match.start() + 1].endswith("mod ")
        if before == "." or is_declaration or name in ("crate", "self", "super", "$crate"):
            continue
        at = Path(os.path.normpath(page.parent / link)) if link else page
        parts = at.relative_to(pages).with_suffix("").parts if at.is_relative_to(pages) else ()
        if at.name.endswith(".rs.html") and parts and parts[0] in libraries:
            yield _definition(root, libraries[parts[0]].joinpath(*parts[1:]), int(line or 0))


def _definition(root: Path, path: Path, line: int) -> str:
    """`path`, or where its line `line` is `mod x;`, the file of that module."""
    written = (root / path).read_text().splitlines()[line - 1] if line else ""
    module = MODULE.search(unescape(written))
    if module:
        folder = path.parent if path.name in ("mod.rs", "lib.rs", "main.rs") else path.with_suffix("")
        for file in (folder / f"{module[1]}.rs", folder / module[1] / "mod.rs"):
            if (root / file).exists():
                return file.as_posix()
    return path.as_posix()
