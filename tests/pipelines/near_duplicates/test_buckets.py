"""Who meets whom: bands, digests, hot buckets, and that neither the order of blocks nor their number matters."""

import random
import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.near_duplicates import buckets, minhash


def entries(*rows: tuple[int, int, int], kind: int = buckets.NEAR) -> np.ndarray:
    """Entries of (key, order, item)."""
    return np.array([(*row, kind) for row in rows], buckets.ENTRY)


def pairs(found: np.ndarray, num_neighbours: int = 8) -> set[tuple[int, int]]:
    edges, _ = buckets.edges([found.tobytes()], num_neighbours)
    return {(int(edge) >> 32, int(edge) & 0xFFFFFFFF) for edge in edges}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], set(), id="nothing"),
        pytest.param([(7, 0, 1)], set(), id="alone in its bucket"),
        pytest.param([(7, 0, 1), (8, 0, 2)], set(), id="two buckets"),
        pytest.param([(7, 0, 2), (7, 0, 1)], {(1, 2)}, id="the smaller one first"),
        pytest.param([(7, 3, 1), (7, 2, 5), (7, 1, 9)], {(1, 5), (1, 9), (5, 9)}, id="the first and neighbours"),
        pytest.param([(7, 0, 1), (7, 0, 2), (9, 0, 2), (9, 0, 1)], {(1, 2)}, id="twice is once"),
    ],
)
def test_pairs(rows, expected):
    assert pairs(entries(*rows)) == expected


def test_neighbours_are_those_in_the_order_of_the_rows_that_follow_the_band():
    found = entries(*((7, order, item) for item, order in enumerate([50, 10, 30, 11, 31])))
    assert pairs(found, 1) == {(0, 1), (0, 2), (0, 3), (0, 4), (1, 3), (2, 3), (2, 4)}


BUCKETS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)),
    max_size=30,
    unique_by=lambda row: (row[0], row[2]),
)


@given(BUCKETS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_laws(rows, num_neighbours, chance):
    found = pairs(entries(*rows), num_neighbours)
    members = [[item for key, _, item in rows if key == wanted] for wanted in range(4)]
    together = {pair for bucket in members for pair in combinations(sorted(bucket), 2)}
    assert found <= together
    assert found >= {(min(bucket), item) for bucket in members for item in bucket if item != min(bucket)}
    small = [bucket for bucket in members if len(bucket) <= num_neighbours + 1]
    assert found >= {pair for bucket in small for pair in combinations(sorted(bucket), 2)}
    chance.shuffle(rows)
    blocks = [entries(row).tobytes() for row in rows]
    edges, _ = buckets.edges(blocks, num_neighbours)
    assert {(int(edge) >> 32, int(edge) & 0xFFFFFFFF) for edge in edges} == found


def test_a_bucket_of_100_000_members_costs_no_more_than_them():
    chance = np.random.default_rng(0)
    found = np.zeros(100_000, buckets.ENTRY)
    found["kind"], found["order"], found["item"] = buckets.NEAR, chance.integers(0, 2**63, 100_000), np.arange(100_000)
    buckets.edges([found[:2].tobytes()], 8)  # compiles
    started = time.process_time()
    edges, _ = buckets.edges([found.tobytes()], 8)
    assert 99_999 <= len(edges) <= 9 * 100_000
    assert time.process_time() - started < 3


def test_a_digest_joins_its_whole_group_to_the_first():
    found = np.concatenate([
        entries((5, 6, 4), (5, 6, 2), (5, 7, 1), (8, 8, 3), kind=0),
        entries((5, 6, 1), (5, 6, 9), kind=1),
    ])  # fmt: skip
    _, groups = buckets.edges([found.tobytes()], 8)
    assert groups.tolist() == [[0, 2, 2], [0, 4, 2], [1, 1, 1], [1, 9, 1]]
    assert buckets.edges([], 8)[1].shape == (0, 3)


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_the_parts_are_the_whole_and_a_key_lies_in_one(parts):
    chance = np.random.default_rng(0)
    found = np.zeros(500, buckets.ENTRY)
    found["key"], found["item"] = chance.integers(0, 40, 500), np.arange(500)
    split = {part: np.frombuffer(block, buckets.ENTRY) for part, block in buckets.split(found, parts)}
    assert sorted(item for block in split.values() for item in block["item"]) == list(range(500))
    keys = [set(block["key"].tolist()) for block in split.values()]
    assert sum(map(len, keys)) == 40


@pytest.mark.parametrize(("num_entries", "parts"), [(0, 1), (1, 1), (4_000_000, 1), (4_000_001, 2)])
def test_the_number_of_parts(num_entries, parts):
    assert buckets.num_parts(num_entries) == parts


def signature(seed: int, size: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**63, size, dtype=np.uint64)


def of(*signatures: np.ndarray, bands: int, rows: int) -> np.ndarray:
    return buckets.of_signatures(np.stack(signatures), np.arange(len(signatures)), bands, rows)


def test_keys_agree_where_the_whole_band_does():
    one = signature(0)
    other = one.copy()
    other[5] += np.uint64(1)  # in the second of three bands of four rows
    found = of(one, other, bands=3, rows=4)
    keys = found["key"].reshape(2, 3)
    assert (keys[0] == keys[1]).tolist() == [True, False, True]
    assert found["item"].tolist() == [0, 0, 0, 1, 1, 1]
    assert of(one[:11], bands=2, rows=4)["key"].tolist() == keys[0, :2].tolist()  # rows left over are in no key


def test_equal_bands_at_another_place_do_not_meet():
    assert len(set(of(np.zeros(12, np.uint64), bands=3, rows=4)["key"].tolist())) == 3


def test_the_order_has_a_byte_of_each_row_after_the_band():
    one = signature(0, 16)
    other = one.copy()
    other[4 + 5] += np.uint64(1)  # the sixth row after the first band, and no row after the second but by going round
    orders = of(one, other, bands=1, rows=4)["order"]
    differing = int(orders[0]) ^ int(orders[1])
    assert differing >> 24 == 0
    assert differing >> 16 != 0


def hot_family(num_pairs: int, chance: random.Random) -> list[list[int]]:
    """Pairs of near texts that all share most of their shingles, so that unlike texts fill the buckets."""
    core = [chance.getrandbits(64) for _ in range(240)]
    found = []
    for _ in range(num_pairs):
        own = core + [chance.getrandbits(64) for _ in range(20)]
        found += [own, own[13:] + [chance.getrandbits(64) for _ in range(13)]]  # 247 of 273 shingles
    return found


def test_near_pairs_are_found_in_buckets_full_of_others():
    """Similarity of pairs 0.9, of all others 0.8; the first member of a bucket is unlike nearly everyone."""
    texts = hot_family(2000, random.Random(3))
    factors, summands = minhash.permutations(128, 0)
    signatures = np.full((len(texts), 128), minhash.NO_SHINGLES)
    for row, text in zip(signatures, texts, strict=True):
        minhash._lower(row, np.array(text, np.uint64), 1, factors, summands)
    bands, rows = minhash.bands_and_rows(0.85, 128)
    found = buckets.of_signatures(signatures, np.arange(len(texts)), bands, rows)
    sizes = np.unique(found["key"], return_counts=True)[1]
    assert sizes.max() > 1000  # hot
    recall = {
        count: np.mean([(item, item + 1) in met for item in range(0, len(texts), 2)])
        for count in (0, 8)
        for met in [pairs(found, count)]
    }
    assert recall[8] >= 0.99
    assert recall[0] < recall[8]  # with the first member alone
