"""The pages are true: commands run, paths exist, the file tree is whole, generated pages are fresh."""

import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from pipelines import contract

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line]
TREE = re.search(r"## Where things are\n\n```\n(.*?)```", README, re.DOTALL)[1].splitlines()


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make")])
def test_the_makefile_has_the_target(line):
    target = shlex.split(line, comments=True)[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("python")])
def test_the_command_is_understood(line):
    """Each command of the README parses with the parser of its package."""
    _, _, package, *arguments = shlex.split(line, comments=True)
    parser = import_module(f"{package}.__main__")._parser()
    known, passed_on = parser.parse_known_args(arguments)
    assert known is not None
    assert not passed_on or arguments[0] == "run"


def test_ci_runs_the_test_command_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()[-1]


def test_every_path_of_the_tree_is_there_and_every_folder_is_in_the_tree():
    paths, parents = [], []
    for line in TREE:
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        parents[depth:] = [name]
        paths.append("".join(parents))
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []
    folders = {path for path in paths if path.endswith("/")}
    stages = {f"pipelines/{stage}/" for stage in contract.FLOW}
    assert stages | {"assets/", "training/", "eval/", "docker/", "tests/", "docs/"} <= folders


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_data_contract_is_fresh():
    assert (ROOT / "docs" / "data_contract.md").read_text() == contract.markdown(), (
        "run: python -m pipelines contract > docs/data_contract.md"
    )


def test_every_field_of_the_contract_says_what_it_means():
    for name, table in contract.TABLES.items():
        assert table.metadata[b"meaning"], name
        assert all(column.metadata and column.metadata[b"meaning"] for column in table), name


def test_packages_are_named_exactly():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert found == [f"{name}{end}" for name in ("pipelines", "assets", "training", "eval") for end in ("", ".*")]
    assert project["project"]["classifiers"][0] == "Private :: Do Not Upload"


def test_every_dependency_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in wanted}
    assert names <= pinned


def test_the_demo_output_has_a_line_per_stage_as_the_code_prints_it():
    form = r"(\w+) +[\d,]+ rows, [\d,]+ kept, [\d,]+ dropped +[\d.]+ s +[\d,]+ MB"
    block = re.search(r"peak memory:\n\n```\n(.*?)```", README, re.DOTALL)[1]
    shown = [match[1] for match in map(re.compile(form).fullmatch, block.splitlines()) if match]
    assert sorted(shown) == sorted(contract.FLOW)
    last = [line for line in block.splitlines() if line][-2:]
    main = (ROOT / "assets" / "__main__.py").read_text()
    assert all(line.split(":")[0] + ":" in main for line in last)
