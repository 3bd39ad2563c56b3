"""Which texts of the benchmarks a corpus is cleaned against."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import config, contract
from pipelines.ngram_decontamination import tasks
from pipelines.ngram_decontamination.stage import STAGE, NgramDecontaminationConfig


def task(benchmark: str, task_id: str, version: str = "v1", **texts: str) -> dict[str, str]:
    empty = dict.fromkeys(contract.BENCHMARK_TASK.names, "")
    return empty | {"benchmark": benchmark, "version": version, "task_id": task_id} | texts


def write(folder: Path, **files: list[dict[str, str]]) -> str:
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        pq.write_table(pa.Table.from_pylist(rows, contract.BENCHMARK_TASK), folder / f"{name}.parquet")
    return str(folder)


def test_every_table_of_the_folder_is_read_in_one_order(tmp_path):
    folder = write(tmp_path, b=[task("mbpp", "2"), task("mbpp", "1")], a=[task("humaneval", "3")], c=[])
    (tmp_path / "README.md").write_text("no table")
    read = tasks.read(folder).select(["benchmark", "task_id"]).to_pylist()
    assert [(row["benchmark"], row["task_id"]) for row in read] == [("humaneval", "3"), ("mbpp", "1"), ("mbpp", "2")]


@pytest.mark.parametrize("made", [False, True])
def test_no_benchmark_is_an_error_that_says_what_to_do(tmp_path, made):
    folder = tmp_path / "tasks"
    if made:
        folder.mkdir()
    with pytest.raises(FileNotFoundError, match=r"run `python -m eval tasks --output .*/tasks` first$"):
        tasks.read(str(folder))
    with pytest.raises(FileNotFoundError, match="a corpus that was not cleaned cannot be trusted"):
        STAGE.external(NgramDecontaminationConfig(), str(tmp_path / "tasks" / "run"))


def test_the_versions_are_on_record(tmp_path):
    write(tmp_path / "benchmark_tasks", a=[task("mbpp", "1", "v2"), task("mbpp", "2", "v2")], b=[task("gsm8k", "1")])
    expected = [{"name": "gsm8k", "version": "v1", "num_tasks": 1}, {"name": "mbpp", "version": "v2", "num_tasks": 2}]
    assert STAGE.external(NgramDecontaminationConfig(), str(tmp_path)) == {"benchmarks": expected}
    elsewhere = NgramDecontaminationConfig(benchmark_tasks=str(tmp_path / "benchmark_tasks"))
    assert STAGE.external(elsewhere, "/no/such/run") == {"benchmarks": expected}


TASKS = [task("b", "1", prompt="p", suffix="s", solution="l", test="t", entry_point="e"), task("b", "2", prompt="q")]


@pytest.mark.parametrize(
    ("with_tests", "expected"),
    [(False, ["p", "s", "l", "q", "", ""]), (True, ["p", "s", "l", "t", "q", "", "", ""])],
)
def test_prompt_suffix_and_solution_are_looked_for_and_tests_where_asked(with_tests, expected):
    labels, texts = tasks.texts(pa.Table.from_pylist(TASKS, contract.BENCHMARK_TASK), with_tests)
    assert texts == expected
    half = len(expected) // 2
    assert labels == [("b", "1")] * half + [("b", "2")] * half


def test_a_setting_that_would_find_nothing_is_refused():
    with pytest.raises(ValueError, match="min_words 3 > gram_words 2 would leave nothing to look for"):
        config.parse(NgramDecontaminationConfig, {"gram_words": 2}, "ngram_decontamination")


def test_the_defaults_are_those_of_the_paper():
    assert NgramDecontaminationConfig() == NgramDecontaminationConfig(gram_words=10, min_words=3, search_tests=False)
