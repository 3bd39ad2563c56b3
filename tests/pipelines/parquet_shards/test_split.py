"""Train or validation: by repository or domain, and nothing else."""

import pytest

from pipelines.parquet_shards.split import split_of
from pipelines.parquet_shards.stage import ParquetShardsConfig, split_documents


@pytest.mark.parametrize(
    ("owner", "share", "seed", "expected"),
    [
        ("owner/name", 0.0, 0, "train"),
        ("owner/name", 1.0, 0, "validation"),
        ("owner/name", 0.5, 0, "train"),  # printf '0\\0owner/name' | b2sum --length 64 begins with ef
        ("owner/name", 0.5, 1, "validation"),  # 7f
        ("other/name", 0.5, 0, "train"),  # 88
        ("other/name", 0.54, 0, "validation"),
    ],
)
def test_the_side_of_an_owner_never_changes(owner, share, seed, expected):
    assert split_of(owner, share, seed) == expected


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_about_the_asked_share_of_owners_is_held_out(share):
    sides = [split_of(f"owner/{number}", share, seed=0) for number in range(10_000)]
    assert abs(sides.count("validation") / 10_000 - share) < 0.01


def test_a_larger_share_holds_out_the_same_ones_and_more():
    held = [{n for n in range(1000) if split_of(str(n), share, 0) == "validation"} for share in (0.1, 0.2)]
    assert held[0] < held[1]


def test_another_seed_holds_out_others():
    held = [{n for n in range(1000) if split_of(str(n), 0.1, seed) == "validation"} for seed in (0, 1)]
    assert len(held[0] & held[1]) < 30


def rows(count: int) -> list[dict]:
    """Two files of two samples for each of `count` repositories."""
    return [
        {"file_id": f"{n}{path}", "repository": f"owner/{n}", "revision": "", "path": path, "license": "",
         "content": f"{n}\n", "language": "Python", "sample": 2 * n + sample, "position": 0}
        for n in range(count) for sample, path in enumerate(("a.py", "b.py"))
    ]  # fmt: skip


def test_all_files_of_a_repository_are_on_one_side_and_none_is_lost():
    config = ParquetShardsConfig(validation_share=0.3)
    found = dict(split_documents(rows(100), True, config))
    owners = {split: set(table.column("origin").to_pylist()) for split, table in found.items()}
    assert list(found) == ["train", "validation"]
    assert not owners["train"] & owners["validation"]
    assert 15 < len(owners["validation"]) < 45
    assert sorted(n for table in found.values() for ids in table.column("file_ids").to_pylist() for n in ids) == sorted(
        row["file_id"] for row in rows(100)
    )


def test_pages_are_split_by_domain():
    pages = [
        {"page_id": f"{n}-{page}", "url": f"https://{n}.example/{page}", "domain": f"{n}.example", "fetched_at": "t",
         "content": f"{n} {page}", "topic": "code"}
        for n in range(50) for page in range(3)
    ]  # fmt: skip
    found = dict(split_documents(pages, False, ParquetShardsConfig(validation_share=0.3)))
    domains = {
        split: {url.split("/")[2] for url in table.column("origin").to_pylist()} for split, table in found.items()
    }
    assert not domains["train"] & domains["validation"]
    assert domains["validation"] == {
        f"{n}.example" for n in range(50) if split_of(f"{n}.example", 0.3, 0) == "validation"
    }
    assert sum(len(table) for table in found.values()) == 150


def test_a_side_without_documents_is_an_empty_table():
    found = dict(split_documents([], True, ParquetShardsConfig()))
    assert {split: len(table) for split, table in found.items()} == {"train": 0, "validation": 0}
