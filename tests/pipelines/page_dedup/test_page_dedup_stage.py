"""The stage through Beam: pages of one address, of one text, and of nearly one text; then against an earlier run."""

import random
from pathlib import Path

import pyarrow.parquet as pq


def sentences(seed: int, count: int = 60) -> list[str]:
    chance = random.Random(seed)
    return [f"Here {' '.join(f'word{chance.randrange(500)}' for _ in range(10))} ends." for _ in range(count)]


GUIDE, OTHER = sentences(1), sentences(2)
PAGES = {
    "https://a.example/guide": GUIDE,
    "https://a.example/guide?utm_source=mail": OTHER[:30],  # another text, and a shorter one
    "https://a.example/guide/index.html": GUIDE[:59],
    "https://b.example/copy": GUIDE,
    "https://c.example/near": GUIDE[:30] + GUIDE[31:],
    "https://d.example/half": GUIDE[:30] + sentences(3, 30),
    "https://e.example/other": sentences(4),
}


def verdicts(run_folder: str, done) -> dict[str, tuple[str | None, str]]:
    """URL -> (reason, detail)."""
    found = {}
    for shard in done.shards:
        pages = pq.read_table(Path(run_folder, "web_crawl", shard)).to_pylist()
        rows = pq.read_table(Path(run_folder, "page_dedup", shard)).to_pylist()
        for page, row in zip(pages, rows, strict=True):
            found[page["url"]] = row["reason"], row["detail"]
    return found


def test_each_kind_of_duplicate_goes_in_favour_of_the_largest_page(judge, run_folder):
    found = verdicts(run_folder, judge(PAGES))
    similar = found.pop("https://c.example/near")
    assert found == {
        "https://a.example/guide": (None, ""),
        "https://a.example/guide?utm_source=mail": ("duplicate_url", "the same as https://a.example/guide"),
        "https://a.example/guide/index.html": ("duplicate_url", "the same as https://a.example/guide"),
        "https://b.example/copy": ("duplicate_page", "the same as https://a.example/guide"),
        "https://d.example/half": (None, ""),
        "https://e.example/other": (None, ""),
    }
    assert similar[0] == "near_duplicate_page"
    assert similar[1].endswith(" similar to https://a.example/guide")


def test_a_page_that_an_earlier_run_kept_is_preferred_to_a_larger_one(judge, run_folder):
    judge({url: PAGES[url] for url in ("https://a.example/guide", "https://b.example/copy")})
    earlier = Path(run_folder).with_name("earlier")
    Path(run_folder).rename(earlier)
    pages = {
        "https://f.example/longer": [*GUIDE, *sentences(5, 2)],
        "https://b.example/copy": [*OTHER, "One more."],  # the earlier run dropped this address: it is free again
        "https://www.a.example/guide?sid=7": OTHER,
        "https://g.example/new": sentences(6),
    }
    found = verdicts(run_folder, judge(pages, earlier=[str(earlier)]))
    longer = found.pop("https://f.example/longer")
    assert longer[0] == "near_duplicate_page"
    assert longer[1].endswith(" similar to https://a.example/guide")
    assert found == {
        "https://b.example/copy": (None, ""),
        "https://www.a.example/guide?sid=7": ("duplicate_url", "the same as https://a.example/guide"),
        "https://g.example/new": (None, ""),
    }


def test_one_and_two_workers_write_the_same_bytes(judge, run_folder):
    judge(PAGES)
    folder = Path(run_folder, "page_dedup")
    data = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in {".arrow", ".parquet"}}
    assert len(data) > 10
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    judge(PAGES, flags=("--direct_num_workers=2",))
    assert {path: path.read_bytes() for path in data} == data
