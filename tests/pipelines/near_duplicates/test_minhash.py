"""MinHash signatures and exact sets against shingles made by a regular expression, against theory and datasketch."""

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
from pipelines.near_duplicates import minhash

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


def hash_shingle(shingle: tuple[str, ...]) -> int:
    found = 0
    for word in shingle:
        found = (found * 0x9E3779B97F4A7C15 + hash_word(word)) % 2**64
    found = ((found ^ found >> 32) * 0xD6E8FEB86659FD93) % 2**64
    return found ^ found >> 32


@pytest.mark.parametrize("num_words", range(1, 14))  # shingles are hashed four at a time, and what is left over
def test_the_definition(num_words):
    text = " ".join(f"word{number}" for number in range(num_words))
    factors, summands = (array.tolist() for array in minhash.permutations(16, 0))
    hashes = [hash_shingle(shingle) for shingle in shingles(text)]
    expected = [min((a * x + b) % 2**64 for x in hashes) for a, b in zip(factors, summands, strict=True)]
    assert sign([text], count=16)[0].tolist() == [expected]


@given(TEXTS)
def test_the_set_of_shingles_of_several_texts(texts):
    expected = {hash_shingle(shingle) for text in texts for shingle in shingles(text)}
    found = minhash.shingles(pa.array(texts, pa.large_string()), 5)
    assert found.dtype == np.uint64
    assert found.tolist() == sorted(expected)


def hash_word(word: str) -> int:
    values = np.frombuffer(word.encode(), np.uint8)
    hashes, starts, ends = np.empty(len(values), np.uint64), *np.empty((2, len(values)), np.int64)
    assert words.hash_words(values, 0, len(values), words.SAME, hashes, starts, ends) == 1
    return int(hashes[0])


def test_signatures_never_change():
    signatures, _ = sign(["def add(a, b):\n    return a + b\n"], count=16)
    assert [f"{number:016x}" for number in signatures[0, :3].tolist()] == [
        "a51aaf2e3b45de37",
        "447edc19597f3214",
        "023eee2783c64271",
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


@pytest.mark.parametrize(
    ("threshold", "count", "expected"),
    [
        (0.85, 128, (90, 125)),
        (0.85, 256, (191, 241)),
        (0.5, 128, (40, 89)),
        (0.95, 128, (109, 129)),  # no estimate is enough
        (1.0, 128, (128, 129)),  # only equal signatures, and even they prove nothing
    ],
)
def test_the_bounds_of_doubt(threshold, count, expected):
    assert minhash.bounds(threshold, count) == expected


@pytest.mark.parametrize("count", [128, 256])
def test_an_estimate_beyond_the_bounds_is_as_rare_as_said(count):
    low, high = minhash.bounds(0.85, count)
    equal = np.random.default_rng(0).binomial(count, 0.85, 2_000_000)
    assert np.mean(equal < low) < 2 * minhash.ERROR
    assert np.mean(equal >= high) < 2 * minhash.ERROR
    assert np.mean(equal < low + 2) > minhash.ERROR  # and the bounds are no wider than that
    assert np.mean(equal >= high - 2) > minhash.ERROR


def test_arithmetic_sequences_of_shingles_are_no_worse_than_random_ones():
    """Hashes x -> a x + b of such a sequence are far from independent; mixed shingles never form one."""
    chance = np.random.default_rng(0)
    deviations = []
    for _ in range(400):
        start, step = chance.integers(0, 2**62, 2, dtype=np.uint64)
        hashes = start + step * np.arange(20, dtype=np.uint64)
        factors, summands = minhash.permutations(128, 0)
        one, other = np.full((2, 128), minhash.NO_SHINGLES)
        minhash._lower(one, hashes[:17], 1, factors, summands)
        minhash._lower(other, hashes[3:], 1, factors, summands)
        deviations.append(minhash.similarity(one, other) - 0.7)
    assert abs(np.mean(deviations)) < 0.01
    assert np.std(deviations) / math.sqrt(0.7 * 0.3 / 128) < 1.12


def test_similarities_are_those_to_each_row():
    matrix = np.array([[1, 2], [1, 3], [2, 1]], np.uint64)
    assert minhash.similarities(matrix, matrix[0]).tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("one", "other", "expected"), [([1, 2], [1, 2], 1.0), ([1, 2], [1, 3], 0.5), ([1, 2], [2, 1], 0.0)]
)
def test_similarity(one, other, expected):
    assert minhash.similarity(np.array(one, np.uint64), np.array(other, np.uint64)) == expected
