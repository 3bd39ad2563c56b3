"""What changes a recipe, and what does not."""

import pytest

from pipelines import recipe

BASE = {
    "stage": "rule_filter",
    "code_version": "c",
    "config": {"limit": 1},
    "inputs": {"crawl": "x"},
    "fingerprint": "",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": "repo_dedup"},
        {"code_version": "d"},
        {"config": {"limit": 2}},
        {"inputs": {"crawl": "y"}},
        {"fingerprint": "new"},
    ],
)
def test_everything_that_decides_the_bytes_changes_the_recipe(changed):
    assert recipe.recipe(**BASE) != recipe.recipe(**{**BASE, **changed})


def test_the_order_of_settings_and_inputs_does_not():
    one = {**BASE, "config": {"a": 1, "b": 2}, "inputs": {"x": "1", "y": "2"}}
    other = {**BASE, "config": {"b": 2, "a": 1}, "inputs": {"y": "2", "x": "1"}}
    assert recipe.recipe(**one) == recipe.recipe(**other)


@pytest.mark.parametrize(
    ("what", "after", "same"),
    [
        ("a comment", "x = 1  # why\n", True),
        ("white space", "x  =  1\n\n\n", True),
        ("a docstring", '"""New words."""\nx = 1\n', True),
        ("a value", "x = 2\n", False),
        ("a name", "y = 1\n", False),
    ],
)
def test_rewording_reruns_nothing(what, after, same, tmp_path):
    before_file, after_file = tmp_path / "before.py", tmp_path / "after.py"
    before_file.write_text('"""Old words."""\nx = 1\n')
    after_file.write_text(after)
    assert (recipe._normalized(before_file) == recipe._normalized(after_file)) is same, what


def test_the_code_of_a_stage_is_its_package_and_what_it_imports():
    found = {f"{path.parent.name}/{path.name}" for path in recipe._sources("pipelines.repo_dedup.stage")}
    expected = {
        "repo_dedup/stage.py",
        "near_duplicates/minhash.py",
        "near_duplicates/clusters.py",
        "pipelines/words.py",
    }
    assert expected <= found
    assert not {"pipelines/runner.py", "pipelines/storage.py", "rule_filter/stage.py"} & found
