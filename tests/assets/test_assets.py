"""The graph loads, an asset shows what its stage measured, and a failed check stops what follows."""

import dagster as dg
import pytest

from assets.corpus import crawl, rule_filter
from assets.definitions import defs
from assets.resources import Workspace
from pipelines import checks

FILES = {"one/a.py": "name = other\n" * 9, "one/b.txt": "words\n", "one/c.png": b"\0"}


@pytest.fixture
def workspace(sources, tmp_path):
    sources(FILES)
    config = tmp_path / "run.toml"
    config.write_text(f'[crawl]\nnum_shards = 1\nsources = [{{kind = "directory", path = "{tmp_path}/sources/*"}}]\n')
    return Workspace(config=str(config), data=str(tmp_path / "data"), run="run")


def materialize(workspace, *assets):
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(assets, instance=instance, resources={"workspace": workspace}, raise_on_error=False)


def test_the_whole_graph_loads():
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {"crawl", "token_sequences", "pretrain", "benchmark_tasks", "evaluation", "report"} <= names
    upstream = {key.to_user_string() for key in graph.get(dg.AssetKey("ngram_decontamination")).parent_keys}
    assert upstream == {"crawl", "web_crawl", "quality_screen", "fasttext_recall", "benchmark_tasks"}


def test_an_asset_shows_rows_reasons_and_recipe(workspace):
    done = materialize(workspace, crawl, rule_filter)
    assert done.success
    (materialization,) = done.asset_materializations_for_node("rule_filter")
    shown = materialization.metadata
    assert (shown["rows_in"].value, shown["rows_kept"].value, shown["rows_dropped"].value) == (2, 1, 1)
    assert [record.data["reason"] for record in shown["reasons"].records] == ["language"]
    assert materialization.tags["dagster/data_version"] == shown["recipe"].value
    assert all(evaluation.passed for evaluation in done.get_asset_check_evaluations())
    assert len(done.get_asset_check_evaluations()) == 4


def test_a_failed_check_stops_what_follows(workspace, monkeypatch):
    monkeypatch.setattr(checks, "totals", lambda stage, folder: ["a row is lost"])
    done = materialize(workspace, crawl, rule_filter)
    assert not done.success
    assert done.asset_materializations_for_node("rule_filter") == []


def test_a_bad_setting_fails_with_its_message(workspace, tmp_path):
    (tmp_path / "run.toml").write_text("[crawll]\n")
    done = materialize(workspace, crawl)
    errors = [event.step_failure_data.error.to_string() for event in done.all_events if event.is_step_failure]
    assert "unknown table [crawll]; known tables: crawl, rule_filter" in errors[0]
