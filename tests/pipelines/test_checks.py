"""The blocking checks see what they are there to see."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import checks, storage
from pipelines.stage import load

FILES = {"one/a.py": "name = other\n" * 9, "one/b.txt": "words\n", "one/c.png": b"\0"}


@pytest.fixture
def run(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter", crawl={"num_shards": 1})
    return run_folder


def rewrite(path, change):
    """Writes a shard again, changed, with the footer it had."""
    old = pq.ParquetFile(path)
    table = change(old.read())
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({k: v for k, v in old.metadata.metadata.items() if k != b"ARROW:schema"})


def test_a_sound_stage_has_no_problem(run):
    for name in ("crawl", "rule_filter"):
        assert checks.totals(load(name), run) == []
        assert checks.schemas(load(name), run) == []


def test_a_lost_row_is_seen(run):
    rewrite(f"{run}/rule_filter/files-00000-of-00001.parquet", lambda table: table.slice(1))
    assert checks.totals(load("rule_filter"), run) == [
        "rule_filter: the tables have 1 rows, 0 kept, 1 dropped; the manifest says 2, 1, 1",
        "rule_filter: 1 rows came in, but the stages before kept 2",
    ]


def test_a_changed_manifest_is_seen(run):
    url = f"{run}/rule_filter/manifest.json"
    content = storage.read_json(url)
    storage.write_json(url, {**content, "counts": {**content["counts"], "kept": 2}})
    assert checks.totals(load("rule_filter"), run) == [
        "rule_filter: the tables have 2 rows, 1 kept, 1 dropped; the manifest says 2, 2, 1"
    ]


def test_a_wrong_type_and_an_unknown_column_are_seen(run):
    def change(table: pa.Table) -> pa.Table:
        kind = table.schema.field("num_lines").with_type(pa.int64())
        return table.set_column(
            table.column_names.index("num_lines"), kind, table["num_lines"].cast("int64")
        ).append_column("mood", pa.array(["good"] * len(table)))

    rewrite(f"{run}/rule_filter/files-00000-of-00001.parquet", change)
    assert checks.schemas(load("rule_filter"), run) == [
        "files-00000-of-00001.parquet: column 'num_lines' is int64, expected int32",
        "files-00000-of-00001.parquet: column 'mood' is unknown",
    ]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("crawl", []),
        ("rule_filter", ["crawl"]),
        ("repo_dedup", ["topological_sort"]),
        ("ngram_decontamination", ["quality_screen", "fasttext_recall"]),
        ("parquet_shards", ["ngram_decontamination"]),
    ],
)
def test_what_comes_before_a_stage(stage, expected):
    assert checks.predecessors(load(stage)) == expected
