"""Stages skip what is done, go on where they were cut off, and never pass half an output for a whole one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import manifest, rows, storage
from pipelines.runner import run_stage
from pipelines.stage import load

CODE = "def twice(x):\n    return 2 * x\n" * 3
FILES = {
    "one/a.py": CODE,
    "one/b.py": CODE + "y = 1\n",
    "one/picture.png": b"\x89PNG\0\0",
    "two/long.py": "x = 1\n" * 50 + "y = '" + "a" * 1001 + "'\n",
    "two/c.py": CODE,
    "three/d.py": CODE,
    "four/e.txt": "some words\n",
}


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.suffix == ".parquet"}


def table(run_folder: str, stage: str) -> pa.Table:
    shards = manifest.read(f"{run_folder}/{stage}").shards
    return pa.concat_tables(pq.read_table(f"{run_folder}/{stage}/{shard}") for shard in shards)


def test_an_annotation_has_the_rows_of_its_text_and_counts_close(sources, run_stages, run_folder):
    sources(FILES)
    done = run_stages("crawl", "rule_filter")
    text, annotation = table(run_folder, "crawl"), table(run_folder, "rule_filter")
    assert annotation["row_id"].to_pylist() == text["file_id"].to_pylist()
    assert done["crawl"].counts.dropped == {"binary": [1, 6]}
    counts = done["rule_filter"].counts
    assert (counts.rows, counts.kept, counts.dropped_rows) == (6, 4, 2)
    assert set(counts.dropped) == {"language", "line_length_max"}


def test_a_row_that_was_dropped_is_not_measured_again(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    paths = table(run_folder, "crawl")["path"].to_pylist()
    found = dict(zip(paths, table(run_folder, "rule_filter").to_pylist(), strict=True))
    picture = found["picture.png"]
    assert (picture["measured"], picture["reason"], picture["num_chars"], picture["language"]) == (False, None, 0, "")
    assert found["a.py"]["measured"]


def test_a_second_run_does_nothing(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    before = {path: path.stat().st_mtime_ns for path in Path(run_folder).rglob("*") if path.is_file()}
    run_stages("crawl", "rule_filter")
    assert {path: path.stat().st_mtime_ns for path in Path(run_folder).rglob("*") if path.is_file()} == before


def test_another_threshold_reruns_the_stage_and_not_the_crawl(sources, run_stages):
    sources(FILES)
    first = run_stages("crawl", "rule_filter")
    second = run_stages("crawl", "rule_filter", rule_filter={"max_line_length": 5000})
    assert first["crawl"].recipe == second["crawl"].recipe
    assert first["rule_filter"].recipe != second["rule_filter"].recipe
    assert (first["rule_filter"].counts.kept, second["rule_filter"].counts.kept) == (4, 5)
    assert second["rule_filter"].counts.dropped.keys() == {"language"}


def test_a_changed_file_is_crawled_again(sources, run_stages):
    sources(FILES)
    first = run_stages("crawl")["crawl"]
    sources({"one/a.py": CODE + "z = 2\n"})
    assert run_stages("crawl")["crawl"].recipe != first.recipe


def test_fewer_shards_leave_no_stale_one(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    run_stages("crawl", "rule_filter", crawl={"num_shards": 1})
    names = [name for name in storage.names(f"{run_folder}/rule_filter") if name.endswith(".parquet")]
    assert names == ["files-00000-of-00001.parquet"]


def test_a_half_done_stage_goes_on_shard_by_shard(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    whole = contents(f"{run_folder}/rule_filter")
    kept, lost = (Path(run_folder, "rule_filter", name) for name in sorted(whole))
    Path(run_folder, "rule_filter", "manifest.json").unlink()
    lost.unlink()
    Path(run_folder, "rule_filter", ".x.parquet.1234.tmp").write_bytes(b"half")
    before = kept.stat().st_mtime_ns
    run_stages("rule_filter")
    assert contents(f"{run_folder}/rule_filter") == whole
    assert kept.stat().st_mtime_ns == before
    assert not [name for name in storage.names(f"{run_folder}/rule_filter") if name.endswith(".tmp")]


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "removed"])
def test_a_damaged_shard_is_made_anew(damage, sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    whole = contents(f"{run_folder}/rule_filter")
    shard = Path(run_folder, "rule_filter", min(whole))
    if damage == "truncated":
        shard.write_bytes(shard.read_bytes()[:-20])
    elif damage == "overwritten":
        shard.write_bytes(b"not parquet")
    else:
        shard.unlink()
    run_stages("rule_filter")
    assert contents(f"{run_folder}/rule_filter") == whole


def test_a_corrupt_shard_upstream_is_named_with_what_to_do(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl")
    shard = Path(run_folder, "crawl", "files-00000-of-00002.parquet")
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(Exception, match=r"files-00000-of-00002.parquet: not a whole Parquet file.*run its stage again"):
        run_stages("rule_filter")
    assert not storage.exists(f"{run_folder}/rule_filter/manifest.json")


def test_a_flipped_byte_in_the_data_is_noticed(sources, run_stages, run_folder):
    sources({"one/a.py": "".join(f"name_{i} = {i * i}\n" for i in range(2000))})
    run_stages("crawl", crawl={"num_shards": 1})
    shard = Path(run_folder, "crawl", "files-00000-of-00001.parquet")
    damaged = bytearray(shard.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    shard.write_bytes(damaged)
    with pytest.raises(Exception, match="not a whole Parquet file"):
        run_stages("rule_filter", crawl={"num_shards": 1})


def test_only_what_repeats_has_a_dictionary(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl")
    group = pq.read_metadata(Path(run_folder, "crawl", "files-00000-of-00002.parquet")).row_group(0)
    encodings = {column["path_in_schema"]: column["encodings"] for column in group.to_dict()["columns"]}
    assert "RLE_DICTIONARY" in encodings["repository"]
    assert "RLE_DICTIONARY" not in encodings["content"]


def test_a_missing_stage_is_named(run_stages):
    with pytest.raises(FileNotFoundError, match="run the stage crawl first"):
        run_stages("rule_filter")


def test_a_chain_of_recipes_that_does_not_fit_is_refused(sources, run_stages):
    sources(FILES)
    run_stages("crawl", "rule_filter", "dependency_graph")
    run_stages("rule_filter", rule_filter={"max_line_length": 5000})
    with pytest.raises(ValueError, match=r"made from rule_filter with recipe \w+, but rule_filter is now \w+; run"):
        run_stages("topological_sort")


def test_a_shard_of_another_recipe_is_refused(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl")
    path = f"{run_folder}/crawl/manifest.json"
    storage.write_json(path, {**storage.read_json(path), "recipe": "0123456789abcdef"})
    with pytest.raises(Exception, match="the manifest of crawl says 0123456789abcdef; run the stage crawl again"):
        run_stages("rule_filter")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rule_filter": {"max_line": 9}}, r"max_line: unknown key\n  known keys of \[rule_filter\]: .*languages"),
        ({"rule_filter": {"min_alphabetic_share": 2}}, "min_alphabetic_share: got 2; Input should be less than or"),
        ({"crawl": {"sources": []}}, "sources: got"),
        ({"crawl": {"sources": [{"kind": "ftp"}]}}, "sources"),
        (
            {"crawl": {"sources": [{"kind": "directory", "path": "/nowhere"}]}},
            "got '/nowhere', which matches no folder",
        ),
    ],
)
def test_a_bad_setting_is_refused_before_anything_runs(changed, message, sources, run_stages, run_folder):
    sources(FILES)
    with pytest.raises(ValueError, match=message):
        run_stages("crawl", "rule_filter", **changed)


def test_an_exception_in_a_kernel_stops_the_job_and_says_where(sources, run_stages, run_folder, monkeypatch):
    sources(FILES)
    run_stages("crawl")
    monkeypatch.setattr("pipelines.rule_filter.signals.measure", lambda texts: 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        run_stages("rule_filter")
    assert not storage.exists(f"{run_folder}/rule_filter/manifest.json")
    assert [name for name in storage.names(f"{run_folder}/rule_filter") if name.endswith(".parquet")] == []


def test_an_undeclared_reason_is_a_defect(sources, run_stages, monkeypatch):
    sources(FILES)
    run_stages("crawl")
    monkeypatch.setattr("pipelines.rule_filter.rules._languages", lambda *_: iter([(0, "mood", "")]))
    with pytest.raises(Exception, match=r"undeclared reasons \{'mood'\}"):
        run_stages("rule_filter")


def test_the_number_of_workers_does_not_change_a_byte(sources, run_stages, run_folder):
    sources(FILES)
    run_stages("crawl", "rule_filter")
    one = {name: contents(f"{run_folder}/{name}") for name in ("crawl", "rule_filter")}
    for name in one:
        storage.remove(f"{run_folder}/{name}")
    run_stages("crawl", "rule_filter", flags=("--direct_num_workers=2",))
    assert {name: contents(f"{run_folder}/{name}") for name in one} == one


def test_kill_minus_nine_then_run_again(sources, settings, run_stages, run_folder, tmp_path):
    sources({f"repo{i}/{j}.py": f"# {i} {j}\n" + CODE * 50 for i in range(8) for j in range(40)})
    config = tmp_path / "run.toml"
    pattern = settings["crawl"]["sources"][0]["path"]
    config.write_text(f'[crawl]\nnum_shards = 8\nsources = [{{kind = "directory", path = "{pattern}"}}]\n')
    command = [
        sys.executable,
        "-m",
        "pipelines",
        "run",
        "crawl",
        "--config",
        str(config),
        "--data",
        str(tmp_path / "data"),
    ]
    process = subprocess.Popen([*command, "--run", "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = Path(run_folder, "crawl")
    deadline = time.monotonic() + 60
    while not list(folder.glob("files-*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run_stages("crawl", crawl={"num_shards": 8})
    interrupted = contents(str(folder))
    storage.remove(str(folder))
    run_stages("crawl", crawl={"num_shards": 8})
    assert contents(str(folder)) == interrupted
    assert rows.stamp(str(folder / "files-00000-of-00008.parquet")) is not None


def test_stages_run_on_any_file_system(sources, settings):
    sources(FILES)
    folder = "memory://bucket/run"
    for name in ("crawl", "rule_filter"):
        done = run_stage(load(name), folder, settings)
    assert done.counts.kept == 4
    assert "manifest.json" in storage.names(f"{folder}/rule_filter")
