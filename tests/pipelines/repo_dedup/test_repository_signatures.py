"""From the files of whole repositories to what is compared: repositories, and files that count by themselves."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.near_duplicates import items, minhash
from pipelines.near_duplicates.level import Verdict
from pipelines.repo_dedup import signatures, verdict
from pipelines.repo_dedup.signatures import RepoDedupConfig

CONFIG = RepoDedupConfig(num_permutations=16, min_file_bytes=10, linked_languages=("Python",))
COLUMNS = {
    "repository": pa.string(), "path": pa.string(), "language": pa.string(), "num_stars": pa.int32(),
    "size_bytes": pa.int64(), "content": pa.large_string(),
}  # fmt: skip


def sign(*rows: tuple[str, str, str, int, int, str]) -> tuple[list[dict], list[dict]]:
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, COLUMNS.values(), strict=True)]
    files = pa.table(arrays, list(COLUMNS)).append_column("file_id", pa.array([str(n) for n in range(len(rows))]))
    found = signatures.sign(files.cast(files.schema), CONFIG)
    assert all(table.schema == items.ITEM for table in found)
    return found[0].to_pylist(), found[1].to_pylist()


def signature(*texts: str) -> list[int]:
    found, _ = minhash.signatures(pa.array(texts, pa.large_string()), np.zeros(len(texts), np.int64), 1, 5, 16, 0)
    return found[0].tolist()


FILES = (
    ("b", "x.py", "Python", 3, 10, "a b c d e f"),
    ("b", "y.yaml", "YAML", 3, 20, "1 2 3 4 5 6 7"),
    ("a", "z.py", "Python", 0, 5, "..."),
)


def test_a_row_for_each_repository_in_the_order_of_its_files():
    repositories, _ = sign(*FILES)
    names = ("id", "name", "owner", "num_stars", "size_bytes", "num_shingles", "digests")
    assert [[row[name] for name in names] for row in repositories] == [
        ["b", "b", "", 3, 30, 5, []],
        ["a", "a", "", 0, 5, 0, []],
    ]
    assert repositories[0]["signature"] == signature("a b c d e f", "1 2 3 4 5 6 7")


def test_a_row_for_each_file_that_may_be_dropped_by_itself():
    _, files = sign(*FILES)
    assert [(row["id"], row["name"], row["owner"], row["num_shingles"]) for row in files] == [
        ("0", "b/x.py", "b", 0),
        ("1", "b/y.yaml", "b", 3),
    ]
    assert [row["signature"] for row in files] == [[], signature("1 2 3 4 5 6 7")]
    assert files[0]["digests"] == list(items.digest(b"a b c d e f"))


def test_the_cut_between_files_makes_no_shingle_and_their_order_does_not_matter():
    one, other = ("a", "1", "Python", 0, 1, "1 2 3 4 5"), ("a", "2", "Python", 0, 1, "6 7 8 9 0")
    assert sign(one, other)[0][0]["num_shingles"] == 2
    assert sign(one, other)[0] == sign(other, one)[0]


def test_no_file_is_no_repository():
    assert sign() == ([], [])


COPY = Verdict("duplicate_file", "k", "other/k", 1.0)
WHOLE = Verdict("near_duplicate_repository", "r", "r", 0.9)


@pytest.mark.parametrize(
    ("dependencies", "copies", "dropped"),
    [
        pytest.param([[], [], []], [1], [1], id="nobody needs it"),
        pytest.param([[11], [], []], [1], [], id="a kept file needs it"),
        pytest.param([[11], [12], []], [1, 2], [], id="needed by way of another"),
        pytest.param([[], [12], []], [1, 2], [1, 2], id="only a dropped file needs it"),
        pytest.param([[99], [], []], [1], [1], id="a dependency that an earlier stage dropped"),
        pytest.param([[11], [12], [11]], [1, 2], [], id="a cycle"),
    ],
)
def test_a_copy_stays_where_a_kept_file_needs_it(dependencies, copies, dropped):
    files = pa.table(
        {"row": pa.array([10, 11, 12], pa.int32()), "dependencies": pa.array(dependencies, pa.list_(pa.int32()))}
    )
    of_file = [COPY if place in copies else None for place in range(3)]
    found = verdict.of_files(files, [None] * 3, of_file, keep_dependencies=True)
    assert [place for place, one in enumerate(found) if one] == dropped
    assert verdict.of_files(files, [None] * 3, of_file, keep_dependencies=False) == of_file
    assert verdict.of_files(files, [WHOLE] * 3, of_file, keep_dependencies=True) == [WHOLE] * 3
