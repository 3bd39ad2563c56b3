"""WARC files: whole ones are read, damaged ones are refused, and bodies stay within bounds."""

import gzip
import zlib

import pytest

from pipelines.web_crawl import warc
from pipelines.web_crawl.warc import DamagedWarcError

HTML = b"<p>" + b"A sentence. " * 20


@pytest.fixture
def two(web):
    """Two records, plain."""
    first = web.warc_record("response", "https://a.example/1", web.http_response(HTML), 1)
    second = web.warc_record("response", "https://a.example/2", web.http_response(HTML * 2), 2)
    return first, second


def urls_in(path):
    return [response.url for response in warc.responses(str(path), 10_000)]


def packings(records):
    return {
        "plain": b"".join(records),
        "one member per record": b"".join(map(gzip.compress, records)),
        "one member": gzip.compress(b"".join(records), mtime=0),
    }


@pytest.mark.parametrize("packing", ["plain", "one member per record", "one member"])
def test_every_prefix_of_a_file_is_read_whole_or_refused(two, packing, tmp_path):
    """Cut anywhere, a file gives an error; only a cut between two records leaves a shorter, but whole file."""
    data = packings(two)[packing]
    whole = {"plain": [len(two[0])], "one member per record": [len(gzip.compress(two[0], mtime=0))], "one member": []}[
        packing
    ]
    path = tmp_path / "cut.warc"
    for length in range(0, len(data), 7 if packing == "plain" else 1):
        path.write_bytes(data[:length])
        if length in whole:
            continue
        with pytest.raises(DamagedWarcError, match=r"cut\.warc: not a whole WARC file.*fetch the file again"):
            urls_in(path)
    for length, expected in [(n, ["https://a.example/1"]) for n in whole] + [(len(data), None)]:
        path.write_bytes(data[:length])
        assert urls_in(path) == (expected or ["https://a.example/1", "https://a.example/2"])


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("a web page", lambda data: b"<html><body>no WARC</body></html>"),
        ("a packed web page", lambda data: gzip.compress(b"<html>" * 100, mtime=0)),
        ("nothing", lambda data: b""),
        ("random bytes", lambda data: bytes(range(256)) * 10),
        ("garbage after the records", lambda data: data + b"garbage\r\n\r\n"),
        ("a flipped byte in gzip", lambda data: gzip.compress(data, mtime=0)[:60] + b"\0" + gzip.compress(data)[61:]),
        ("a wrong length", lambda data: data.replace(b"Content-Length: ", b"Content-Length: 9", 1)),
        ("no address", lambda data: data.replace(b"WARC-Target-URI", b"X-Target-URI")),
        ("no date", lambda data: data.replace(b"WARC-Date", b"X-Date")),
    ],
)
def test_damaged_files_are_refused(two, what, damage, tmp_path):
    path = tmp_path / "bad.warc"
    path.write_bytes(damage(b"".join(two)))
    with pytest.raises(DamagedWarcError, match=r"bad\.warc: not a whole WARC file"):
        urls_in(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        urls_in(tmp_path / "none.warc.gz")


def test_records_of_other_types_are_passed_over(web, two, tmp_path):
    others = [
        web.warc_record("warcinfo", "", b"software: x\r\n", 0),
        web.warc_record("request", "https://a.example/1", b"GET / HTTP/1.1\r\n\r\n", 0),
        web.warc_record("metadata", "https://a.example/1", b"fetchTimeMs: 3\r\n", 0),
        web.warc_record("revisit", "https://a.example/1", web.http_response(b""), 0),
        web.warc_record("response", "dns:a.example", b"20260301 a.example. 300 IN A 192.0.2.1", 0),
    ]
    path = tmp_path / "mixed.warc"
    path.write_bytes(b"".join([*others, *two]))
    assert [(response.number, response.url) for response in warc.responses(str(path), 10)] == [
        (0, "https://a.example/1"),
        (1, "https://a.example/2"),
    ]


def test_what_a_response_says(write_warc, web):
    block = web.http_response(
        b"<p>x", "203 Other", kind="Text/HTML; Charset=GBK", more="Content-Encoding: gzip, br\r\n"
    )
    [response] = warc.responses(write_warc([("https://a.example/x", block)]), 2)
    assert (response.status, response.content_type, response.charset) == (203, "text/html", "gbk")
    assert response.encodings == ("br", "gzip")
    assert (response.size_bytes, response.body) == (4, b"<p")
    assert response.fetched_at == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize("block", [b"", b"nonsense", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 abc\r\n\r\nx", b"\0\xff" * 50])
def test_an_answer_that_is_no_http_has_no_status(write_warc, block):
    [response] = warc.responses(write_warc([("https://a.example/x", block)]), 100)
    assert response.status is None


def deflate(data):
    return zlib.compress(data)


CHUNKED = b"4\r\n<p>h\r\n2\r\ni!\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("header", "body", "unpacked"),
    [
        ("", b"<p>hi!", b"<p>hi!"),
        ("Content-Encoding: identity\r\n", b"<p>hi!", b"<p>hi!"),
        ("Content-Encoding: gzip\r\n", gzip.compress(b"<p>hi!", mtime=0), b"<p>hi!"),
        ("Content-Encoding: deflate\r\n", deflate(b"<p>hi!"), b"<p>hi!"),
        ("Transfer-Encoding: chunked\r\n", CHUNKED, b"<p>hi!"),
        ("Content-Encoding: gzip\r\n", b"not gzip at all", None),
        ("Content-Encoding: br\r\n", b"not brotli", None),
        ("Content-Encoding: rot13\r\n", b"<c>uv", None),
        ("Transfer-Encoding: chunked\r\n", b"not chunked", None),
        (
            "Content-Encoding: gzip\r\n",
            gzip.compress(b"a" * 30_000_000, mtime=0),
            b"a" * 1000,
        ),  # a bomb: no more than asked for
    ],
)
def test_packed_bodies(write_warc, web, header, body, unpacked):
    path = write_warc([("https://a.example/1", web.http_response(body, more=header)), ("https://a.example/2", b"")])
    first, second = warc.responses(path, 100_000)
    assert warc.unpacked(first, 1000) == unpacked
    assert second.url == "https://a.example/2"  # one bad body does not spoil the next record


def test_a_bomb_in_the_file_itself_stays_within_the_limit(write_warc, web):
    path = write_warc([("https://a.example/1", web.http_response(b"a" * 50_000_000)), ("https://a.example/2", b"")])
    first, second = warc.responses(path, 1000)
    assert (first.size_bytes, len(first.body), second.number) == (50_000_000, 1000, 1)
