"""A repository, a URL that is not there, a reason: the exact lines."""

import subprocess
import sys

import pytest

from pipelines import trace_many
from pipelines.__main__ import main
from pipelines.trace import trace

FILES = {
    "one/a.py": "def twice(x):\n    return 2 * x\n",
    "one/b.py": "y = '" + "9" * 1001 + "'\n",
    "one/c.py": "z = '" + "8" * 1002 + "'\n",
    "one/picture.png": b"\x89PNG\0\0",
    "onelike/d.py": "w = '" + "7" * 1003 + "'\n",
}


@pytest.fixture
def run(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter", crawl={"num_shards": 1})
    return run_folder


def test_everything_of_a_repository(run):
    assert list(trace(run, "one")) == [
        "one: 4 files, 1 kept (31 bytes)",
        "    rule_filter line_length_mean: 2",
        "    crawl binary: 1",
        f"{'a.py':<60} kept",
        f"{'b.py':<60} DROPPED rule_filter line_length_mean: 1007 > 100",
        f"{'c.py':<60} DROPPED rule_filter line_length_mean: 1008 > 100",
        f"{'picture.png':<60} DROPPED crawl binary: NUL at byte 4",
    ]


def test_a_file_of_a_repository_that_was_dropped_as_a_whole(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", crawl={"max_entries": 1})
    whole = ["one, as a whole: DROPPED crawl repository_entries: more than 1 entries"]
    assert list(trace(run_folder, "one/src/a.py")) == whole
    with pytest.raises(ValueError, match=r"got 'on/src/a\.py', which is no file or page"):
        list(trace(run_folder, "on/src/a.py"))


def test_what_a_reason_looks_like(run):
    lines = list(trace_many.dropped(run, "line_length_mean", 2))
    assert lines[0] == "line_length_mean: 3 rows; 2 of them:"
    assert lines[1::3] == ["", ""]
    assert {line.partition("  ")[0] for line in lines[2::3]} < {"one/b.py", "one/c.py", "onelike/d.py"}
    assert all(line.startswith("    | ") and len(line) == 6 + 240 for line in lines[3::3])
    assert list(trace_many.dropped(run, "line_length_mean", 2)) == lines


def test_an_unknown_reason_is_told_the_known_ones(run):
    with pytest.raises(ValueError, match=r"nothing was dropped.*: crawl binary, rule_filter line_length_mean$"):
        list(trace_many.dropped(run, "boring", 1))


@pytest.fixture
def pages(tmp_path, run_stages, run_folder):
    warc = "tests/tiny_corpus/web/pages.warc.gz"
    run_stages("web_crawl", web_crawl={"warcs": [warc]})
    return run_folder


def some_page(run_folder):
    from pipelines import fates

    return next(row for _, table in fates.tables(run_folder) for row in table.to_pylist() if not row["stage"])["name"]


def test_a_page_under_another_form_of_its_address(pages):
    url = some_page(pages)
    other = (
        url.replace("https://", "http://www.") if url.startswith("https") else url.replace("http://", "https://www.")
    )
    assert list(trace(pages, other)) == [f"{other} is the page {url}: kept"]


def test_a_page_that_was_not_crawled_and_its_domain(pages):
    domain = some_page(pages).split("/")[2]
    lines = list(trace(pages, f"https://{domain}/no/such/page"))
    assert lines[0] == f"https://{domain}/no/such/page: no record of the crawled WARC files has this address"
    assert lines[1].endswith(f"other pages of {domain.removeprefix('www.')}:")
    assert lines[2].endswith(" kept")
    assert list(trace(pages, "https://nowhere.example/"))[1:] == ["    nor any other page of nowhere.example"]


@pytest.mark.parametrize(
    ("command", "said"),
    [("trace", "trace --reason line_length_max"), ("diff", "met another fate"), ("mixture", "max_epochs = 4")],
)
def test_help_teaches(command, said, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert {"trace": "trace --reason line_length_max", "diff": "met another fate", "mixture": "max_epochs = 4"}[
        command
    ] in said


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "pipelines", "contract"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate()
    assert (process.returncode, said) == (0, b"")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("KeyboardInterrupt [while running 'crawl']")])
def test_control_c_is_no_error(monkeypatch, capsys, error):
    monkeypatch.setattr("pipelines.contract.markdown", lambda: (_ for _ in ()).throw(error))
    assert main(["contract"]) == 130
    assert capsys.readouterr().err == "stopped; what is whole stays: the same command goes on from there\n"


def test_another_error_is_shown_whole(monkeypatch):
    monkeypatch.setattr("pipelines.contract.markdown", lambda: (_ for _ in ()).throw(RuntimeError("broken")))
    with pytest.raises(RuntimeError, match="broken"):
        main(["contract"])
