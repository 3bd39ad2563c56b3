"""From the files of whole repositories to one signature each, and the buckets in which they meet."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.repo_dedup import buckets, minhash, signatures


def table(*rows: tuple[str, int, int, str]) -> pa.Table:
    """Files as (repository, stars, size, content)."""
    names = ("repository", "num_stars", "size_bytes", "content")
    kinds = (pa.string(), pa.int32(), pa.int64(), pa.large_string())
    columns = zip(*rows, strict=True) if rows else [()] * 4
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names)


def test_one_row_for_each_repository_in_the_order_of_its_files():
    files = table(("b", 3, 10, "a b c d e f"), ("b", 3, 20, "x"), ("a", 0, 5, "..."), ("c", 1, 7, "a b c d e f x"))
    found = signatures.sign(files, 5, 16, 0)
    assert found.schema == signatures.schema(16)
    assert found.select(["repository", "num_stars", "size_bytes", "num_shingles"]).to_pylist() == [
        {"repository": "b", "num_stars": 3, "size_bytes": 30, "num_shingles": 3},
        {"repository": "a", "num_stars": 0, "size_bytes": 5, "num_shingles": 0},
        {"repository": "c", "num_stars": 1, "size_bytes": 7, "num_shingles": 3},
    ]
    candidates = list(signatures.candidates([found]))
    assert [candidate.preference for candidate in candidates] == [(-3, -30, "b"), (0, -5, "a"), (-1, -7, "c")]
    expected, _ = minhash.signatures(files.column("content").combine_chunks(), np.array([0, 0, 1, 2]), 3, 5, 16, 0)
    assert [candidate.signature.tolist() for candidate in candidates] == expected.tolist()


def test_the_cut_between_files_makes_no_shingle():
    one = signatures.sign(table(("a", 0, 1, "1 2 3 4 5"), ("a", 0, 1, "6 7 8 9 0")), 5, 16, 0)
    assert one.column("num_shingles").to_pylist() == [2]


def test_the_order_of_files_and_where_text_lies_among_them_do_not_matter():
    one = signatures.sign(table(("a", 0, 1, "1 2 3 4 5"), ("a", 0, 1, "6 7 8 9 0")), 5, 16, 0)
    other = signatures.sign(table(("a", 0, 1, "6 7 8 9 0"), ("a", 0, 1, "1 2 3 4 5")), 5, 16, 0)
    assert one == other


def test_no_file_is_no_repository():
    assert len(signatures.sign(table(), 5, 16, 0)) == 0


def keys(*contents: str, threshold: float = 0.85) -> dict[str, set[int]]:
    """Repository (named by number) -> the keys of its buckets."""
    files = table(*((str(number), 0, 1, content) for number, content in enumerate(contents)))
    found: dict[str, set[int]] = {str(number): set() for number in range(len(contents))}
    for key, name in buckets.keys(signatures.sign(files, 5, 128, 0), threshold):
        found[name].add(key)
    return found


LONG = " ".join(str(number) for number in range(1000))


def test_equal_repositories_meet_in_every_bucket_and_others_in_none():
    found = keys(LONG, LONG, LONG.replace(" ", " x "))
    assert len(found["0"]) == 14
    assert found["0"] == found["1"]
    assert not found["0"] & found["2"]


def test_near_repositories_meet_in_some_bucket():
    found = keys(LONG, LONG + " more" * 40 + LONG[:100])
    assert 0 < len(found["0"] & found["1"]) < 14


def test_repositories_without_a_word_meet_nobody():
    assert keys("...", "!!!", "") == {"0": set(), "1": set(), "2": set()}


@pytest.mark.parametrize(
    ("names", "most", "expected"),
    [
        ([], 2, []),
        (["a"], 2, []),
        (["b", "a"], 2, [("a", "b")]),
        (["b", "a", "b"], 2, [("a", "b")]),
        (["c", "a", "b"], 3, [("a", "b"), ("a", "c"), ("b", "c")]),
        (["c", "a", "b"], 2, [("a", "b"), ("a", "c")]),
    ],
)
def test_the_pairs_of_a_bucket(names, most, expected):
    assert list(buckets.pairs(names, most)) == expected


def test_a_hot_bucket_costs_no_more_than_its_members():
    names = [f"{number:06}" for number in range(100_000)]
    assert sum(1 for _ in buckets.pairs(reversed(names), 64)) == 99_999
