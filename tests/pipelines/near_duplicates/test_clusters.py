"""Who is dropped in favour of whom: chains, digests, doubts settled by sets, earlier runs, and the laws of it."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.near_duplicates import clusters
from pipelines.near_duplicates.clusters import KEPT, Candidates


def candidates(signatures: list[str], pairs: str = "", groups: tuple[dict[int, int], ...] = (), owners: str = "",
               num_earlier: int = 0, sets: dict[int, set[int]] | None = None) -> Candidates:  # fmt: skip
    """Items named a, b, c, ... in the order of preference; a signature has one letter per permutation."""
    count = len(signatures)
    found = [(ord(pair[1]) - 97) << 32 | ord(pair[0]) - 97 for pair in pairs.split()]
    shingles = [sorted((sets or {}).get(item, ())) for item in range(count)]
    ends = np.cumsum([len(part) for part in shingles], dtype=np.int64)
    firsts = [[group.get(item, -1) for item in range(count)] for group in groups]
    return Candidates(
        pairs=np.sort(np.array(found, np.uint64)),
        groups=np.array(firsts, np.int64).reshape(len(groups), count),
        owners=np.array([ord(owner) for owner in owners or "x" * count], np.int32),
        num_earlier=num_earlier,
        rows=np.arange(count),
        signatures=np.array([[ord(letter) for letter in text] for text in signatures], np.uint64),
        set_starts=ends - [len(part) for part in shingles],
        set_ends=ends,
        sets=np.array([shingle for part in shingles for shingle in part], np.uint64),
    )


def dropped(found: Candidates, threshold: float = 0.8, low: int = 8, high: int = 8, across: bool = False) -> str:
    """`ca0.80` for: c is dropped, a is kept instead, and they are so similar; `=` for what shares a digest."""
    root = clusters.roots(len(found.rows), found.pairs >> np.uint64(32), found.pairs & np.uint64(0xFFFFFFFF))
    keepers, similarities, kinds = clusters.decide(found, root, threshold, low, high, across)
    return " ".join(
        f"{chr(97 + item)}{chr(97 + keeper)}" + ("=" if kind < len(found.groups) else f"{similarity:.2f}")
        for item, (keeper, similarity, kind) in enumerate(zip(keepers, similarities, kinds, strict=True))
        if keeper != KEPT
    )


A, B, C, D = "xxxxxxxxxx", "xxxxxxxxyy", "xxxxxxyyyy", "xxxxyyyyyy"


@pytest.mark.parametrize(
    ("signatures", "pairs", "expected"),
    [
        pytest.param([A], "", "", id="alone"),
        pytest.param([A, B], "", "", id="who never met is not compared"),
        pytest.param([A, B], "ab", "ba0.80", id="the preferred one stays"),
        pytest.param([A, C], "ab", "", id="a false positive of the banding drops nothing"),
        pytest.param([A, B, C], "ab bc", "ba0.80", id="a chain: c is near b, but not near what is kept"),
        pytest.param([A, B, C, D], "ab bc cd", "ba0.80 dc0.80", id="a longer chain has two keepers"),
        pytest.param([B, A, C], "ab ac", "ba0.80 ca0.80", id="one in the middle is kept"),
        pytest.param([A, B, A], "ab bc", "ba0.80 ca1.00", id="near the keeper though they never met"),
        pytest.param([A, "xxxxxxxyyy", B], "ac bc", "cb0.90", id="of two keepers the nearer one is named"),
        pytest.param([A, C, B], "ac bc", "ca0.80", id="of two as near the preferred one is named"),
    ],
)  # fmt: skip
def test_near(signatures, pairs, expected):
    assert dropped(candidates(signatures, pairs)) == expected


@pytest.mark.parametrize(
    ("groups", "owners", "across", "expected"),
    [
        pytest.param(({0: 0, 1: 0, 2: 0},), "", False, "ba= ca=", id="all but the first"),
        pytest.param(({0: 0, 1: 0, 2: 0},), "xxy", True, "ca=", id="one owner may hold a text twice"),
        pytest.param(({0: 0, 1: 0, 2: 0},), "xyx", True, "ba=", id="the kept one is another's"),
        pytest.param(
            ({0: 0, 1: 0}, {1: 1, 2: 1}), "", False, "ba=", id="by text like b, but b is gone for its address"
        ),
        pytest.param(({0: 0, 2: 0}, {1: 1, 2: 1}), "", False, "ca=", id="the first digest that is shared"),
    ],
)
def test_digests(groups, owners, across, expected):
    assert dropped(candidates([A, D, C], groups=groups, owners=owners), across=across) == expected


def test_what_is_left_of_a_group_whose_first_is_gone_is_kept_once():
    groups = ({0: 0, 1: 0}, {1: 1, 2: 1, 3: 1})
    assert dropped(candidates([A, D, C, C], groups=groups)) == "ba= dc="


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        pytest.param({0: set(range(10)), 1: set(range(9))}, "ba0.90", id="the sets are near"),
        pytest.param({0: set(range(10)), 1: set(range(8))}, "ba0.80", id="just near enough"),
        pytest.param({0: set(range(10)), 1: set(range(1, 9)) | {99}}, "", id="the sets are not near"),
        pytest.param({}, "", id="nobody can tell, so nothing is dropped"),
    ],
)
def test_in_doubt_the_sets_decide(sets, expected):
    assert dropped(candidates([A, B], "ab", sets=sets), low=7, high=9) == expected


@pytest.mark.parametrize(("other", "expected"), [(A, "ba1.00"), (B, "ba0.80"), ("xxxxxxxyyy", "")])
def test_against_an_earlier_run_the_estimate_decides_for_its_text_is_not_read(other, expected):
    assert dropped(candidates([A, other], "ab", num_earlier=1), low=6, high=10) == expected


def test_what_an_earlier_run_kept_stays():
    assert dropped(candidates([A, A, A], "ab ac bc", num_earlier=2)) == "ca1.00"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [([], [], 0), ([1], [], 0), ([1, 2], [1, 2], 1), ([1, 2, 3], [2, 3, 4], 0.5), ([1], [2], 0)],
)
def test_jaccard(one, other, expected):
    assert clusters.jaccard(np.array(one, np.uint64), np.array(other, np.uint64)) == expected


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_roots_are_those_of_networkx(edges):
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(20))
    graph.add_edges_from(edges)
    expected = {item: min(part) for part in nx.connected_components(graph) for item in part}
    ones, others = np.array(edges, np.uint64).reshape(-1, 2).T.copy()
    assert clusters.roots(20, ones, others).tolist() == [expected[item] for item in range(20)]


def test_a_chain_of_a_million_needs_no_recursion_and_no_quadratic_time():
    items = np.arange(1_000_000, dtype=np.uint64)
    order = np.random.default_rng(0).permutation(len(items) - 1)
    assert not clusters.roots(len(items), items[:-1][order], items[1:][order]).any()


@given(st.lists(st.text("xy", min_size=8, max_size=8), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_the_laws(texts, chance):
    met = [pair for pair in combinations(range(len(texts)), 2) if chance.random() < 0.7]
    found = candidates(texts, " ".join(f"{chr(97 + one)}{chr(97 + other)}" for one, other in met))
    root = clusters.roots(len(texts), found.pairs >> np.uint64(32), found.pairs & np.uint64(0xFFFFFFFF))
    keepers, similarities, _ = clusters.decide(found, root, 0.75, 6, 6, False)
    alike = lambda one, other: np.mean(found.signatures[one] == found.signatures[other])  # noqa: E731
    for item, keeper in enumerate(keepers):
        if keeper != KEPT:
            assert keepers[keeper] == KEPT
            assert keeper < item
            assert similarities[item] == alike(item, keeper) >= 0.75
    for one, other in met:  # of two near items that met, one is dropped at least
        assert alike(one, other) < 0.75 or (keepers[one], keepers[other]) != (KEPT, KEPT)


def test_a_cluster_of_many_keepers_takes_time_for_its_pairs_only():
    """A hundred thousand items in one chain, where each is near its neighbours alone."""
    chance = random.Random(0)
    count = 100_000
    signatures = np.zeros((count, 16), np.uint64)
    signatures[0] = [chance.getrandbits(60) for _ in range(16)]
    for item in range(1, count):
        signatures[item] = signatures[item - 1]
        signatures[item, chance.randrange(16)] = chance.getrandbits(60)
    items = np.arange(count, dtype=np.uint64)
    found = candidates([])._replace(
        pairs=items[1:] << np.uint64(32) | items[:-1], groups=np.empty((0, count), np.int64), rows=np.arange(count),
        owners=np.zeros(count, np.int32), signatures=signatures, set_starts=np.zeros(count, np.int64),
        set_ends=np.zeros(count, np.int64))  # fmt: skip
    root = clusters.roots(count, items[1:], items[:-1])
    assert not root.any()
    keepers, _, _ = clusters.decide(found, root, 0.9, 15, 15, False)
    assert 0.3 < np.mean(keepers == KEPT) < 0.7
