"""MinHash signatures against exact Jaccard similarity and against datasketch, and the law of their union."""

import math
import random
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from pipelines import words
from pipelines.repo_dedup import minhash

ROOT = Path(__file__).parents[3]
WORD = re.compile("[\u2e80-\U0010ffff]|[0-9A-Za-z_\u0080-\u2e7f]+")


def sign(texts: list[str], owners: list[int] | None = None, size: int = 5, count: int = 128, seed: int = 0):
    owners = list(range(len(texts))) if owners is None else owners
    column = pa.array(texts, pa.large_string())
    return minhash.signatures(column, np.array(owners, np.int64), max(owners) + 1, size, count, seed)


def shingles(text: str, size: int = 5) -> set[tuple[str, ...]]:
    found = WORD.findall(text)
    return {tuple(found[first : first + size]) for first in range(max(len(found) - size + 1, min(len(found), 1)))}


def jaccard(one: set, other: set) -> float:
    return len(one & other) / len(one | other)


@pytest.fixture(scope="module")
def edited() -> list[tuple[str, str]]:
    """Real files, each with a copy from which 1 to 60 % of the lines are gone."""
    chance = random.Random(1)
    texts = [path.read_text() for path in sorted(ROOT.glob("pipelines/*.py"))]
    return [
        (text, "\n".join(line for line in text.split("\n") if chance.random() > rate))
        for text in texts
        if len(text) > 2000
        for rate in (0.01, 0.05, 0.2, 0.6)
    ]


@pytest.mark.parametrize("count", [64, 128, 256])
def test_the_estimate_against_exact_similarity(edited, count):
    deviations = []
    for one, other in edited:
        exact = jaccard(shingles(one), shingles(other))
        signatures, _ = sign([one, other], count=count)
        sigma = math.sqrt(exact * (1 - exact) / count)
        deviations.append((minhash.similarity(*signatures) - exact) / max(sigma, 1e-9))
    assert len(deviations) >= 30
    assert np.abs(deviations).max() < 4
    assert abs(np.mean(deviations)) < 0.5  # no bias
    assert 0.6 < np.std(deviations) < 1.4  # as spread out as binomial chance


def test_datasketch_agrees_on_the_same_shingles(edited):
    for one, other in edited[::3]:
        theirs = []
        for text in (one, other):
            theirs.append(MinHash(num_perm=256, seed=3))
            theirs[-1].update_batch([" ".join(shingle).encode() for shingle in shingles(text)])
        expected = theirs[0].jaccard(theirs[1])
        found = minhash.similarity(*sign([one, other], count=256)[0])
        sigma = math.sqrt(2 * expected * (1 - expected) / 256)  # of a difference of two estimates
        assert abs(found - expected) <= 3 * sigma + 1 / 256


TEXTS = st.lists(st.text("ab _\n中", max_size=40), min_size=1, max_size=6)


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_signature_of_a_union_is_the_elementwise_minimum(texts, chance):
    apart, counts = sign(texts, count=16)
    owners = [chance.randrange(2) for _ in texts] + [1]
    together, summed = sign([*texts, ""], owners, count=16)
    for owner in range(2):
        mine = [number for number in range(len(texts)) if owners[number] == owner]
        expected = apart[mine].min(axis=0, initial=minhash.NO_SHINGLES)
        assert together[owner].tolist() == expected.tolist()
        assert summed[owner] == counts[mine].sum()


@given(st.text("ab 中", max_size=30), st.text("ab 中", max_size=30))
def test_equal_shingles_and_only_they_have_equal_signatures(one, other):
    signatures, _ = sign([one, other], count=32)
    assert (signatures[0].tolist() == signatures[1].tolist()) == (shingles(one) == shingles(other))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("... !\n", 0),
        ("a", 1),
        ("a b c d", 1),
        ("a b c d e", 1),
        ("a b c d e f", 2),
        ("中文字", 1),
        ("a " * 99, 95),
    ],
)
def test_the_number_of_shingles(text, count):
    signatures, counts = sign([text])
    assert counts.tolist() == [count]
    assert (signatures == minhash.NO_SHINGLES).all() == (count == 0)


def test_white_space_and_punctuation_do_not_count_but_case_does():
    signatures, _ = sign(["a b(c) d; e", "a, b\n\tc d\r\ne", "A b c d e"])
    assert minhash.similarity(signatures[0], signatures[1]) == 1
    assert minhash.similarity(signatures[0], signatures[2]) < 0.1


def test_another_seed_gives_other_hash_functions():
    assert minhash.similarity(sign(["a b c d e f"], seed=0)[0], sign(["a b c d e f"], seed=1)[0]) == 0


def test_the_definition():
    text = "def add(a, b):\n    return a + b\n"
    factors, summands = (array.tolist() for array in minhash.permutations(16, 0))
    hashes = []
    for shingle in shingles(text):
        hashes.append(0)
        for word in shingle:
            hashes[-1] = hashes[-1] * 0x9E3779B97F4A7C15 + hash_word(word)
    expected = [min((a * x + b) % 2**64 for x in hashes) for a, b in zip(factors, summands, strict=True)]
    assert sign([text], count=16)[0].tolist() == [expected]


def hash_word(word: str) -> int:
    values = np.frombuffer(word.encode(), np.uint8)
    hashes, starts, ends = np.empty(len(values), np.uint64), *np.empty((2, len(values)), np.int64)
    assert words.hash_words(values, 0, len(values), words.SAME, hashes, starts, ends) == 1
    return int(hashes[0])


def test_signatures_never_change():
    signatures, _ = sign(["def add(a, b):\n    return a + b\n"], count=16)
    assert [f"{number:016x}" for number in signatures[0, :3].tolist()] == [
        "0e2d5b5bc6986db3",
        "050c53c1bb481676",
        "16e24745a35a4240",
    ]


def test_a_million_identical_lines():
    signatures, counts = sign(["x = 1\n" * 1_000_000, "x = 1\n" * 10], count=16)
    assert counts.tolist() == [1_999_996, 16]
    assert minhash.similarity(*signatures) == 1


@pytest.mark.parametrize(("threshold", "count"), [(0.85, 128), (0.7, 128), (0.85, 256)])
def test_bands_and_rows_are_those_of_datasketch(threshold, count):
    lsh = MinHashLSH(threshold=threshold, num_perm=count, weights=(0.02, 0.98))
    assert minhash.bands_and_rows(threshold, count) == (lsh.b, lsh.r)


@pytest.mark.parametrize(("similarity", "least"), [(0.85, 0.97), (0.90, 0.99), (0.95, 0.9999)])
def test_what_is_near_is_proposed(similarity, least):
    """The chance that two repositories of that similarity share a band: what is not proposed is never found."""
    bands, rows = minhash.bands_and_rows(0.85, 128)
    assert 1 - (1 - similarity**rows) ** bands > least


def test_band_keys_agree_where_the_whole_band_does():
    one = np.arange(12, dtype=np.uint64)
    other = one.copy()
    other[5] += np.uint64(1)  # in the second of three bands of four rows
    keys, others = minhash.band_keys(one, 3, 4), minhash.band_keys(other, 3, 4)
    assert keys.dtype == np.int64
    assert (keys == others).tolist() == [True, False, True]
    assert minhash.band_keys(one[:11], 2, 4).tolist() == keys[:2].tolist()  # rows left over take no part


def test_equal_bands_at_another_place_do_not_meet():
    keys = minhash.band_keys(np.zeros(12, np.uint64), 3, 4)
    assert len(set(keys.tolist())) == 3


@pytest.mark.parametrize(
    ("one", "other", "expected"), [([1, 2], [1, 2], 1.0), ([1, 2], [1, 3], 0.5), ([1, 2], [2, 1], 0.0)]
)
def test_similarity(one, other, expected):
    assert minhash.similarity(np.array(one, np.uint64), np.array(other, np.uint64)) == expected
