"""Each reason to drop a page, with the smallest response that triggers it; and the URL law over several files."""

import gzip

import pyarrow as pa
import pytest

from pipelines import contract
from pipelines.web_crawl import pages, warc

LIMITS = pages.Limits(max_page_bytes=1000, min_text_chars=10)
GOOD = b"<p>A page with some text.</p>"


def rows(path):
    return list(pages.rows(warc.responses(path, LIMITS.max_page_bytes + 1), set(), set(), LIMITS))


CASES = [
    ("kept", "https://a.example/", {}, GOOD, None, ""),
    ("XHTML", "https://a.example/", {"kind": "application/xhtml+xml"}, GOOD, None, ""),
    ("as large as allowed", "https://a.example/", {}, GOOD + b" " * (1000 - len(GOOD)), None, ""),
    ("as short as allowed", "https://a.example/", {}, b"<p>0123456789", None, ""),
    ("no host", "http:///x", {}, GOOD, "url", "no address of a web page"),
    ("moved", "https://a.example/", {"status": "301 Moved"}, GOOD, "status", "301"),
    ("not found", "https://a.example/", {"status": "404 Not Found"}, GOOD, "status", "404"),
    ("a picture", "https://a.example/", {"kind": "image/png"}, b"\x89PNG", "not_html", "image/png"),
    ("no type", "https://a.example/", {"kind": ""}, GOOD, "not_html", "no Content-Type"),
    ("one byte too large", "https://a.example/", {}, b"x" * 1001, "page_size", "1001 > 1000"),
    ("too large unpacked", "https://a.example/", {"more": "Content-Encoding: gzip\r\n"},
     gzip.compress(b"x" * 1001, mtime=0), "page_size", "unpacked > 1000"),
    ("NUL", "https://a.example/", {}, GOOD + b"\0", "encoding", "utf-8"),
    ("broken gzip", "https://a.example/", {"more": "Content-Encoding: gzip\r\n"}, GOOD, "encoding", "gzip utf-8"),
    ("too deep", "https://a.example/", {}, b"<b>" * 300, "nesting", "> 200"),
    ("too short", "https://a.example/", {}, b"<p>012345678", "text_size", "9 < 10"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "url", "header", "body", "reason", "detail"), CASES, ids=[case[0] for case in CASES])
def test_reasons(write_warc, web, what, url, header, body, reason, detail):
    [row] = rows(write_warc([(url, web.http_response(body, **header))]))
    assert (row["reason"], row["detail"]) == (reason, detail)
    assert (row["content"] == "") is (reason is not None)
    assert row["size_bytes"] == len(body)


def test_the_second_fetch_of_a_page_is_a_duplicate(write_warc, web):
    page, lost = web.http_response(GOOD), web.http_response(GOOD, "404 Not Found")
    addresses = ["https://a.example/x", "http://www.a.example/x#part", "https://a.example/y"]
    found = rows(write_warc([(addresses[0], lost), *((url, page) for url in addresses)]))
    # A fetch that failed does not count: the page that came later is kept.
    assert [row["reason"] for row in found] == ["status", None, "duplicate_url", None]


def test_every_declared_reason_is_tested():
    assert {case[4] for case in CASES} - {None} | {"duplicate_url"} == set(pages.REASONS)


def test_tables_are_cut_by_bytes_and_fit_the_contract(write_warc, web):
    path = write_warc([(f"https://a.example/{number}", web.http_response(GOOD)) for number in range(10)])
    tables = list(pages.tables(rows(path), target_bytes=100))
    assert [len(table) for table in tables] == [3, 3, 3, 1]
    assert not list(contract.mismatches(tables[0].schema, contract.PAGE))
    assert pa.concat_tables(tables).column("url").to_pylist() == [f"https://a.example/{number}" for number in range(10)]
