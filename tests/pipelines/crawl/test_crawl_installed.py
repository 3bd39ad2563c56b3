"""The packages of an environment as repositories: which files, which licence, which of them."""

import importlib.metadata
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from pipelines.crawl import files
from pipelines.crawl.licences import core_metadata
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import installed
from pipelines.crawl.sources.installed import InstalledSource


def distribution(folder: Path, name: str = "thing", metadata: str = "", **contents: str) -> PathDistribution:
    """An installed distribution with the given files (`/` in a name is spelled `__`)."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}\n")
    record = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
    for path, content in contents.items():
        target = folder / path.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        record.append(f"{path.replace('__', '/')},,")
    (info / "RECORD").write_text("\n".join(record) + "\n")
    return PathDistribution(info)


CLASSIFIED = "Classifier: License :: OSI Approved"


@pytest.mark.parametrize(
    ("metadata", "expression"),
    [
        pytest.param("", "", id="nothing said"),
        pytest.param("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0", id="an expression stays as it is"),
        pytest.param(f"License-Expression: MIT\n{CLASSIFIED} :: BSD License", "MIT", id="and goes first"),
        pytest.param("License: MIT", "MIT", id="an identifier"),
        pytest.param("License: mit license", "MIT", id="a text that stands for one licence"),
        pytest.param("License: Apache License, Version 2.0", "Apache-2.0", id="another one"),
        pytest.param("License: MPL-2.0 AND MIT", "MPL-2.0 AND MIT", id="an expression in the old field"),
        pytest.param("License: BSD", "", id="which BSD?"),
        pytest.param("License: my own terms", "", id="unknown text"),
        pytest.param(f"{CLASSIFIED} :: MIT License", "MIT", id="a classifier"),
        pytest.param(f"{CLASSIFIED} :: BSD License", "", id="a classifier that stands for several"),
        pytest.param(f"{CLASSIFIED} :: BSD License\nLicense: BSD-3-Clause", "BSD-3-Clause", id="the text says which"),
        pytest.param(f"{CLASSIFIED}\nLicense: MIT", "MIT", id="a classifier that says nothing"),
        pytest.param(f"{CLASSIFIED} :: MIT License\n{CLASSIFIED} :: Apache Software License", "Apache-2.0 AND MIT",
                     id="two licences hold both"),
        pytest.param(f"{CLASSIFIED} :: MIT License\n{CLASSIFIED} :: GNU General Public License v3 (GPLv3)", "",
                     id="a known one does not hide an unknown one"),
        pytest.param("Classifier: Programming Language :: Python\nLicense: ISC License", "ISC", id="other classifiers"),
    ],
)  # fmt: skip
def test_the_licence_of_a_distribution(tmp_path, metadata, expression):
    assert core_metadata.stated(distribution(tmp_path, metadata=metadata).metadata) == expression


def test_where_the_metadata_says_nothing_the_texts_of_the_licences_do(tmp_path, only):
    tag = {"thing-1.0.dist-info__licenses__LICENSE": "SPDX-License-Identifier: ISC\n", "thing.py": "x"}
    only(distribution(tmp_path, metadata="License: BSD", **tag))
    assert [one.license for one in InstalledSource().repositories("")] == ["ISC"]


@pytest.fixture
def only(monkeypatch):
    """Makes the given distributions the installed ones."""
    return lambda *found: monkeypatch.setattr(installed, "distributions", lambda: found)


@pytest.fixture(autouse=True)
def _forget_what_is_installed():
    installed._distributions.cache_clear()
    yield
    installed._distributions.cache_clear()


def test_the_files_of_the_package_not_of_its_installation(tmp_path, only):
    found = distribution(
        tmp_path, thing__b="b", thing__a="a", thing__c="c", top="t", thing_data__x="x",
        **{"thing__cached.pyc": "c", "__pycache____x.cpython-311.pyc": "c", "thing-1.0.data__scripts__run": "r",
           "..__bin__thing": "script", "thing__gone": "g"},
    )  # fmt: skip
    (tmp_path / "thing" / "gone").unlink()
    (tmp_path / "thing" / "c").unlink()
    (tmp_path / "thing" / "c").symlink_to("/etc/passwd")
    only(found)
    source = InstalledSource()
    [repository] = source.repositories("unused")
    assert (repository.name, repository.revision, repository.reason) == ("thing", "1.0", None)
    rows = files.rows(source.entries(repository, Limits(), ""), Limits())
    assert [(row.path, row.found.reason, row.found.content.decode()) for row in rows] == [
        ("thing/a", None, "a"),
        ("thing/b", None, "b"),
        ("thing/c", "symlink", ""),
        ("thing_data/x", None, "x"),
        ("top", None, "t"),
    ]


def test_the_smallest_distributions_are_taken_first(tmp_path, only):
    sizes = {"a": 50, "b": 10, "c": 30, "d": 0, "e": 20}
    only(*(distribution(tmp_path / name, name, file="x" * size) for name, size in sizes.items()))
    chosen = {
        limit: [found.name for found in InstalledSource(max_total_bytes=limit).repositories("unused")]
        for limit in (9, 10, 59, 60, 1000)
    }
    assert chosen == {9: [], 10: ["b"], 59: ["b", "e"], 60: ["b", "e", "c"], 1000: ["b", "e", "c", "a"]}


def test_a_large_file_does_not_count_into_the_sum(tmp_path, only):
    only(distribution(tmp_path, small="x" * 10, library="x" * 100))
    assert list(InstalledSource(max_total_bytes=10, max_file_bytes=99).repositories("unused"))
    assert not list(InstalledSource(max_total_bytes=10, max_file_bytes=100).repositories("unused"))


def test_of_two_copies_the_first_on_the_path_counts(tmp_path, only):
    only(distribution(tmp_path / "1", f="first"), distribution(tmp_path / "2", f="second"))
    source = InstalledSource()
    [repository] = source.repositories("unused")
    assert [entry.read() for entry in source.entries(repository, Limits(), "")] == [b"first"]


def test_the_fingerprint_is_the_list_of_versions(tmp_path, only):
    only(distribution(tmp_path / "1", "one", f="1"))
    before = InstalledSource().fingerprint()
    installed._distributions.cache_clear()
    only(distribution(tmp_path / "2", "one", f="1"), distribution(tmp_path / "3", "two", f="2"))
    assert InstalledSource().fingerprint() != before


def test_the_environment_that_runs_this_test():
    source = InstalledSource(max_total_bytes=10**12)
    found = {repository.name: repository for repository in source.repositories("unused")}
    assert "repoloom" not in found
    for name, licence in (("pytest", "MIT"), ("numpy", "BSD-3-Clause")):
        assert found[name].revision == importlib.metadata.version(name)
        assert found[name].license.startswith(licence)
    rows = list(files.rows(source.entries(found["pytest"], Limits(), ""), Limits()))
    paths = [row.path for row in rows]
    assert paths == sorted(paths)
    assert {"_pytest/python.py", "pytest/__init__.py", "py.py"} <= set(paths)
    assert not [path for path in paths if ".dist-info" in path or path.endswith(".pyc") or ".." in path]
    assert sum(repository.license != "" for repository in found.values()) > len(found) / 2
