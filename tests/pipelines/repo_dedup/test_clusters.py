"""Which repositories are dropped, and in favour of which: chains, ties, hot buckets, whatever the order of pairs."""

import random
from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import contract
from pipelines.repo_dedup import clusters
from pipelines.repo_dedup.clusters import Candidate, duplicates


def candidate(name: str, signature: str, num_stars: int = 0, size_bytes: int = 0) -> Candidate:
    """A repository whose signature has one number per letter, so similarity is the share of equal letters."""
    return Candidate(name, num_stars, size_bytes, np.frombuffer(signature.encode(), np.uint8).astype(np.uint64))


A, B, C, D = (candidate(name, text) for name, text in [("a", "xxxxxxxxxx"), ("b", "xxxxxxxxyy"), ("c", "xxxxxxyyyy"),
                                                        ("d", "xxxxyyyyyy")])  # fmt: skip
STAR = candidate("z", "xxxxxxxxyy", num_stars=5)
LARGE = candidate("y", "xxxxxxxxxx", size_bytes=9)


@pytest.mark.parametrize(
    ("repositories", "pairs", "dropped"),
    [
        pytest.param([], "", [], id="nothing"),
        pytest.param([A, B], "", [], id="who never met is not compared"),
        pytest.param([A, B], "ab", [("b", "a", 0.8)], id="the first by name is kept"),
        pytest.param([A, C], "ac", [], id="a false positive of the banding drops nothing"),
        pytest.param([A, STAR], "az", [("a", "z", 0.8)], id="more stars go before the name"),
        pytest.param([A, LARGE], "ay", [("a", "y", 1.0)], id="a larger size goes before the name"),
        pytest.param([LARGE, STAR], "yz", [("y", "z", 0.8)], id="stars go before size"),
        pytest.param([A, B, C], "ab bc", [("b", "a", 0.8)], id="a chain: c is near b, but not near what is kept"),
        pytest.param([A, B, C, D], "ab bc cd", [("b", "a", 0.8), ("d", "c", 0.8)], id="a longer chain has two keepers"),
        pytest.param([A, STAR, C], "az cz", [("a", "z", 0.8), ("c", "z", 0.8)], id="a keeper between both"),
        pytest.param([A, B, candidate("e", "xxxxxxxxxx")], "ab be", [("b", "a", 0.8), ("e", "a", 1.0)],
                     id="near the keeper though they never met"),
        pytest.param([A, candidate("e", "xxxxxxxyyy"), candidate("f", "xxxxxxxxyy")], "af ef", [("f", "e", 0.9)],
                     id="of two keepers the nearer one is named"),
    ],
)  # fmt: skip
def test_what_is_dropped(repositories, pairs, dropped):
    met = [(pair[:-1], pair[-1]) for pair in pairs.split()]
    assert [(name, keeper, round(score, 3)) for name, keeper, score in duplicates(repositories, met, 0.8)] == dropped


def test_the_threshold_itself_is_near_enough():
    assert list(duplicates([A, B], [("a", "b")], 0.8))
    assert not list(duplicates([A, B], [("a", "b")], 0.81))


SIGNATURES = st.lists(st.text("xy", min_size=8, max_size=8), min_size=2, max_size=9)


@given(SIGNATURES, st.randoms(use_true_random=False))
def test_the_laws(texts, chance):
    found = [candidate(str(n), text, chance.randrange(3), chance.randrange(3)) for n, text in enumerate(texts)]
    pairs = [(a.name, b.name) for a, b in combinations(found, 2) if chance.random() < 0.7]
    result = list(duplicates(found, pairs, 0.75))
    by_name = {repository.name: repository for repository in found}
    dropped = {name for name, _, _ in result}
    for name, keeper, score in result:
        assert keeper not in dropped
        assert score == np.mean(by_name[name].signature == by_name[keeper].signature) >= 0.75
        assert by_name[keeper].preference < by_name[name].preference
    for one, other in pairs:  # of two near repositories that met, one is dropped at least
        if np.mean(by_name[one].signature == by_name[other].signature) >= 0.75:
            assert {one, other} & dropped
    assert len(dropped) == len(result)
    chance.shuffle(found)
    chance.shuffle(pairs)
    assert list(duplicates(found, pairs, 0.75)) == result


def test_a_chain_of_thousands_needs_no_recursion():
    names = [f"{number:05}" for number in range(5000)]
    repositories = [candidate(name, "x") for name in names]
    pairs = list(pairwise(names))
    random.Random(0).shuffle(pairs)
    result = list(duplicates(repositories, pairs, 1.0))
    assert [name for name, _, _ in result] == names[1:]
    assert {keeper for _, keeper, _ in result} == {"00000"}


def test_every_file_of_a_repository_shares_its_fate():
    files = pa.table({"repository": ["a", "b", "b", "c"]})
    found = clusters.annotate(files, {"b": ("a", 0.876)})
    expected = [None, "near_duplicate_repository", "near_duplicate_repository", None]
    assert found.column("reason").to_pylist() == expected
    assert found.column("detail").to_pylist() == ["", "0.88 similar to a", "0.88 similar to a", ""]
    assert found.column("keeper").to_pylist() == ["", "a", "a", ""]
    assert [round(score, 3) for score in found.column("similarity").to_pylist()] == [0, 0.876, 0.876, 0]
    own = [column.name for column in contract.REPO_DEDUP if column.name not in {"row_id", "measured"}]
    assert found.column_names == own


def test_a_table_of_duplicates():
    assert clusters.duplicate_table([("b", "a", 0.5)]).to_pylist() == [
        {"repository": "b", "keeper": "a", "similarity": 0.5}
    ]
    assert clusters.duplicate_table([]).schema == clusters.DUPLICATE
