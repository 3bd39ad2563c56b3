"""The stage end to end: the bundled pages, several files and shards, and what it says of files that are not there."""

import gzip
import re
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import contract
from pipelines.web_crawl.stage import STAGE

GOOD = b"<p>A page with some text, which is long enough to be kept by the crawl. " + b"It goes on. " * 10


def read(run_folder, number=0, of=1):
    return pq.read_table(f"{run_folder}/web_crawl/pages-{number:05}-of-{of:05}.parquet")


def test_the_bundled_file_is_what_its_script_makes(web):
    assert gzip.decompress(web.OUTPUT.read_bytes()) == gzip.decompress(web.build())
    assert web.OUTPUT.stat().st_size < 300_000


def test_the_readme_counts_the_pages_of_every_domain(web):
    pages = web.read_sites()
    own = Counter(
        page.domain for page in pages if page.kind != "other" or page.domain in {p.domain for p in web.filler(pages)}
    )
    lines = [line.split("|") for line in (web.HERE / "README.md").read_text().splitlines() if ".example |" in line]
    stated = {line[1].strip(): int(re.match(r"\d+", line[3].strip())[0]) for line in lines}
    assert stated == own


def test_the_bundled_pages(web, run_stages, run_folder):
    found = run_stages("web_crawl", web_crawl={"warcs": [str(web.OUTPUT)]})["web_crawl"]
    table = read(run_folder)
    assert not list(contract.mismatches(table.schema, contract.PAGE))
    written = web.read_sites()
    kept = {row["url"]: row for row in table.to_pylist() if row["reason"] is None}
    assert set(kept) == {page.url for page in written + web.filler(written)}
    dropped = {row["url"]: row["reason"] for row in table.to_pylist() if row["reason"]}
    assert dropped == {url: reason for reason, url, _ in web.misfits(written)}
    assert set(dropped.values()) == set(STAGE.reasons)
    assert found.counts.rows == found.counts.kept + found.counts.dropped_rows == len(kept) + len(dropped)
    for (
        page
    ) in written:  # in UTF-8, in GBK, or compressed: nothing of the text is lost, and nothing of the menu is in it
        text = kept[page.url]["content"]
        assert page.title in text
        assert "All rights reserved" not in text
        for block in page.text.split("```")[1::2]:
            assert block.strip("\n") in text


def test_pages_go_to_the_shard_of_their_file_and_are_deduplicated_across_shards(
    web, write_warc, run_stages, run_folder
):
    page = web.http_response(GOOD)
    paths = [
        write_warc([("https://a.example/1", page), ("https://a.example/2", page)], "0.warc.gz"),
        write_warc([("https://b.example/1", page), ("http://www.a.example/2#x", page)], "1.warc"),
        write_warc([("https://a.example/1", page), ("https://c.example/1", page)], "2.warc.gz"),
    ]
    run_stages("web_crawl", web_crawl={"warcs": paths, "num_shards": 2})
    rows = [[(row["url"], row["reason"]) for row in read(run_folder, number, 2).to_pylist()] for number in range(2)]
    assert rows == [
        [("https://a.example/1", None), ("https://a.example/2", None),
         ("https://a.example/1", "duplicate_url"), ("https://c.example/1", None)],
        [("https://b.example/1", None), ("http://www.a.example/2#x", "duplicate_url")],
    ]  # fmt: skip


def test_row_groups_are_cut_by_bytes(web, write_warc, run_stages, run_folder):
    path = write_warc([(f"https://a.example/{number}", web.http_response(GOOD)) for number in range(10)])
    run_stages("web_crawl", web_crawl={"warcs": [path], "row_group_bytes": 600})
    assert pq.ParquetFile(f"{run_folder}/web_crawl/pages-00000-of-00001.parquet").num_row_groups == 4


def test_a_run_without_web_pages(run_stages, run_folder):
    found = run_stages("web_crawl")["web_crawl"]
    assert (found.counts.rows, read(run_folder).num_rows) == (0, 0)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(web, write_warc, run_stages):
    pages = [("https://a.example/1", web.http_response(GOOD))]
    settings = {"warcs": [write_warc(pages)]}
    first = run_stages("web_crawl", web_crawl=settings)["web_crawl"]
    assert run_stages("web_crawl", web_crawl=settings)["web_crawl"] == first
    write_warc([*pages, ("https://a.example/2", web.http_response(GOOD))])
    second = run_stages("web_crawl", web_crawl=settings)["web_crawl"]
    assert second.recipe != first.recipe
    assert second.counts.rows == 2


def test_a_missing_file_is_an_error_before_anything_runs(run_stages, run_folder):
    with pytest.raises(ValueError, match=r"got 'no/such\.warc\.gz', where there is no file"):
        run_stages("web_crawl", web_crawl={"warcs": ["no/such.warc.gz"]})
    assert not Path(run_folder).exists()


def test_a_damaged_file_leaves_no_shard(web, write_warc, run_stages, run_folder):
    path = Path(write_warc([("https://a.example/1", web.http_response(GOOD))]))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(Exception, match="not a whole WARC file"):
        run_stages("web_crawl", web_crawl={"warcs": [str(path)]})
    assert not list(Path(run_folder).rglob("*.parquet"))
    assert not list(Path(run_folder).rglob("manifest.json"))
