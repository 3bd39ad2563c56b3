"""A few of the damaged inputs that `tests/benchmarks/fuzz_crawl.py` has many of."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.crawl.sources.archive import ArchiveSource
from tests.benchmarks import fuzz_crawl

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = st.integers(0, 1 << 32)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    fuzz_crawl.repository(folder)
    return folder, fuzz_crawl.parts_of(folder)


@pytest.mark.parametrize("kind", [*fuzz_crawl.PACKED, "zip"])
def test_a_sound_archive(kind, tmp_path):
    (tmp_path / f"r.{kind}").write_bytes(fuzz_crawl.archive(kind, random.Random(0)))
    rows = fuzz_crawl.crawl(ArchiveSource(path=str(tmp_path / f"r.{kind}")), str(tmp_path))
    assert {row["content"] for row in rows} == fuzz_crawl.TEXTS


@settings(FEW, max_examples=60)
@given(seed=SEEDS)
def test_a_damaged_archive(seed, tmp_path):
    fuzz_crawl.one_archive(seed, str(tmp_path))


@pytest.mark.parametrize("seed", [101377, 104934, 105632, 205671])
def test_what_once_stopped_the_crawl(seed, tmp_path):
    """In a zip: names that are no UTF-8, in its table of contents or before an entry; an empty one; a later version."""
    assert fuzz_crawl.one_archive(seed, str(tmp_path)).startswith("zip: ")


@FEW
@given(seed=SEEDS)
def test_a_damaged_repository(seed, sound):
    folder, parts = sound
    fuzz_crawl.one_repository(seed, str(folder), parts)


def test_the_law_is_broken_by_what_was_never_put_in():
    row = {"reason": None, "content": "five = 5\n", "path": "a.py"}
    with pytest.raises(AssertionError):
        fuzz_crawl.law([row], True)
    fuzz_crawl.law([row], False)
