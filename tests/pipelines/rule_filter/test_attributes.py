"""`.gitattributes`: what a repository says of its own files wins over what their paths look like."""

import subprocess
import time

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.rule_filter import attributes
from pipelines.rule_filter.rules import RuleFilterConfig
from pipelines.rule_filter.stage import annotate


def table(files: dict[str, str]) -> pa.Table:
    """The first part of a name is the repository."""
    repositories, _, paths = zip(*(name.partition("/") for name in files), strict=True)
    contents = pa.array(list(files.values()), pa.large_string())
    return pa.table({"repository": list(repositories), "path": list(paths), "content": contents})


def test_what_is_said_wins_over_the_path():
    files = {
        "r/.gitattributes": "# ours\nvendor/our_*.c -linguist-vendored\n*.tab.c linguist-generated\n",
        "r/a.c": "int a;\n", "r/b.tab.c": "int b;\n", "r/vendor/our_c.c": "int c;\n", "r/vendor/d.c": "int d;\n",
        "s/b.tab.c": "int b;\n", "s/vendor/our_c.c": "int c;\n",
    }  # fmt: skip
    found = annotate(table(files), RuleFilterConfig()).to_pylist()
    assert {name: row["detail"] for name, row in zip(files, found, strict=True) if row["reason"] != "language"} == {
        "r/a.c": "", "r/b.tab.c": "linguist-generated in .gitattributes", "r/vendor/our_c.c": "",
        "r/vendor/d.c": "vendor/ in its path", "s/b.tab.c": "", "s/vendor/our_c.c": "vendor/ in its path",
    }  # fmt: skip


LINES = [
    ("*.c linguist-generated", {"generated": True}),
    ("*.c linguist-generated=true text", {"generated": True}),
    ("*.c\t-text -linguist-generated", {"generated": False}),
    ("*.c linguist-generated=false", {"generated": False}),
    ("*.c linguist-generated linguist-vendored=false", {"generated": True, "vendored": False}),
    ("*.c linguist-generated\n*.c !linguist-generated", {}),
    ("*.c linguist-generated\na.c -linguist-generated", {"generated": False}),
    ('"*.c" linguist-generated', {"generated": True}),
    ("*.c linguist-language=D", {}),
    ("*.c not-linguist-generated linguist-generated-by=x", {}),
    ("# *.c linguist-generated", {}),
    ("!*.c linguist-generated", {}),
    ("linguist-generated", {}),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_a_line(text, expected):
    found = attributes.stated(table({"r/.gitattributes": text, "r/a.c": ""}))
    assert {name: rows[1] for name, rows in found.items() if rows} == expected


HOSTILE = [
    "*.c" + " " * 500_000 + "x",
    " linguist-generated" * 40_000,
    "a linguist-generated\n" * 40_000,
    '"' * 500_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_file_takes_linear_time(text):
    started = time.process_time()
    attributes.stated(table({"r/.gitattributes": text, "r/a.c": ""}))
    assert time.process_time() - started < 2


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "-C", str(folder), "init", "--quiet"], check=True)
    (folder / "b").mkdir()
    return folder


PATHS = ["a.c", "b/a.c", "b/c/a.c", "b/c/d.h", "a/b/c.h"]
PATTERNS = st.sampled_from(
    ["*", "*.c", "a.c", "/a.c", "b/*", "b/**", "b/", "c", "**/c/*", "a/**/c.h", "[ab].?", "c/a.c"]
)
SAYS = st.sampled_from(["linguist-generated", "-linguist-generated", "!linguist-generated", "linguist-vendored -text"])
TEXTS = st.lists(st.tuples(PATTERNS, SAYS).map(" ".join), max_size=4).map("\n".join)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=TEXTS, below=TEXTS)
def test_it_is_what_git_itself_finds(repository, top, below):
    (repository / ".gitattributes").write_text(top)
    (repository / "b" / ".gitattributes").write_text(below)
    command = ["git", "-C", str(repository), "check-attr", "linguist-generated", "linguist-vendored", "--", *PATHS]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    values = [line.split(": ") for line in said]
    expected = {(path, name): value == "set" for path, name, value in values if value != "unspecified"}
    files = {"r/b/.gitattributes": below, "r/.gitattributes": top} | {f"r/{path}": "" for path in PATHS}
    found = attributes.stated(table(files))
    assert {
        ([*files][row].removeprefix("r/"), f"linguist-{name}"): is_so
        for name, rows in found.items() for row, is_so in rows.items() if row > 1
    } == expected  # fmt: skip
