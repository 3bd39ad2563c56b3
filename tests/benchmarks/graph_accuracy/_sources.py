"""Fetches the sources of real projects from Debian, PyPI and npm by these registries' own clients, each once."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

APT = """
Dir::State "{folder}";
Dir::State::lists "lists";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
"""
DEBIAN = (
    "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n"
)


def debian(cache: Path, package: str) -> tuple[str, Path]:
    """(`name version`, folder) of a source package of Debian 12, as `apt-get source` unpacks and patches it."""
    folder = cache / "debian" / package
    if not folder.exists():
        settings = _apt(cache / "apt")
        part = _empty(folder.with_suffix(".part"))
        _run(["apt-get", "source", "-qq", package], part, APT_CONFIG=str(settings))
        part.rename(folder)
    (root,) = (path for path in folder.iterdir() if path.is_dir())
    return root.name.replace("-", " "), root


def _apt(folder: Path) -> Path:
    settings = folder / "apt.conf"
    if not settings.exists():
        (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (folder / "cache").mkdir(exist_ok=True)
        (folder / "sources.list").write_text(DEBIAN)
        settings.write_text(APT.format(folder=folder))
        _run(["apt-get", "update", "-qq"], folder, APT_CONFIG=str(settings))
    return settings


def pypi(cache: Path, package: str, version: str, is_wheel: bool = False) -> tuple[str, Path]:
    """(`name version`, folder) of a source distribution of PyPI, or of what a wheel installs."""
    kind = "--only-binary" if is_wheel else "--no-binary"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", kind, package, f"{package}=={version}"]
    name, folder = _packed(cache, "pypi", f"{package} {version}", command)
    if is_wheel:
        return name, folder
    (root,) = folder.iterdir()
    return name, root


def npm(cache: Path, package: str, version: str) -> tuple[str, Path]:
    """(`name version`, folder) of a package of npm, as it is published."""
    name, folder = _packed(cache, "npm", f"{package} {version}", ["npm", "pack", "--silent", f"{package}@{version}"])
    (root,) = folder.iterdir()
    return name, root


def _packed(cache: Path, registry: str, name: str, fetch: list[str]) -> tuple[str, Path]:
    folder = cache / registry / name.replace(" ", "-").replace("/", "-")
    if not folder.exists():
        part = _empty(folder.with_suffix(".part"))
        _run(fetch, part)
        (archive,) = part.iterdir()
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as files:
                files.extractall(part)
        else:
            with tarfile.open(archive) as files:
                files.extractall(part, filter="data")
        archive.unlink()
        part.rename(folder)
    return name, folder


def python_tool(cache: Path, *packages: str) -> Path:
    """The interpreter of a virtual environment that holds `packages` (`grimp==3.13`)."""
    folder = cache / "venv" / "-".join(packages).replace("=", "")
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        venv.create(part, with_pip=True)
        _run([str(part / "bin" / "python"), "-m", "pip", "install", "-q", *packages], part)
        part.rename(folder)
    return folder / "bin" / "python"


def npm_tool(cache: Path, *packages: str) -> Path:
    """A node_modules folder that holds `packages` (`typescript@5.9.3`)."""
    folder = cache / "node" / "-".join(package.replace("/", "-") for package in packages)
    if not folder.exists():
        part = _empty(folder.with_suffix(".part"))
        (part / "package.json").write_text(json.dumps({"private": True}))
        _run(["npm", "install", "--silent", "--ignore-scripts", *packages], part)
        part.rename(folder)
    return folder / "node_modules"


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _run(command: list[str], folder: Path, **environment: str) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
