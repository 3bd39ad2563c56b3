"""Who may import whom (docs/architecture.md, layers), read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("pipelines", "assets", "training", "eval")
SOURCES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def uses(path: Path, *packages: str) -> set[str]:
    return {name for name in imports(path) for package in packages if name == package or name.startswith(package + ".")}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_imports_upwards_only(path):
    package, *rest = path.relative_to(ROOT).with_suffix("").parts
    if package != "assets":
        assert not uses(path, "dagster", "assets")
    if package in {"training", "eval"}:
        others = {found for found in uses(path, *OURS) if not found.startswith(package)}
        assert all(found == "pipelines" or found.startswith("pipelines.contract") for found in others), others
    if package == "pipelines":
        assert not uses(path, "training", "eval", "torch", "transformers")
        if rest[-1] not in {"stage", "runner"}:
            assert not uses(path, "apache_beam")
    if rest == ["contract"]:
        assert not uses(path, *OURS)


def test_only_the_runner_opens_a_pipeline():
    opening = [name(path) for path in SOURCES if "beam.Pipeline(" in path.read_text()]
    assert opening == ["pipelines/runner.py"]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_hides_the_builtin_eval_or_unpickles(path):
    found = imports(path)
    assert not any(module.startswith("eval.") for node in ast.walk(ast.parse(path.read_text()))
                   if isinstance(node, ast.Import) for module in [alias.name for alias in node.names])  # fmt: skip
    assert not {"pickle", "cPickle", "dill", "marshal", "shelve"} & found
    assert "trust_remote_code=True" not in path.read_text()


def test_the_names_of_the_flow_are_folders_and_assets():
    from assets.corpus import CORPUS
    from pipelines.contract import FLOW

    assert [asset.key.to_user_string() for asset in CORPUS] == list(FLOW)
    assert all((ROOT / "pipelines" / stage / "stage.py").is_file() for stage in FLOW)


HELP = """
import runpy, sys
sys.argv = ["{0}", "--help"]
try:
    runpy.run_module("{0}", run_name="__main__")
except SystemExit:
    print("heavy:", *[name for name in ("torch", "apache_beam", "dagster", "transformers") if name in sys.modules])
"""


@pytest.mark.parametrize("command", ["pipelines", "assets", "training", "eval"])
def test_help_does_not_wait_for_heavy_imports(command):
    code = HELP.format(command)
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "usage:" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "heavy:"
