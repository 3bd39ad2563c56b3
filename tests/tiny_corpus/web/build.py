"""Makes pages.warc.gz from the texts in pages/: `python tests/tiny_corpus/web/build.py`. Same texts, same records.

Each text file is one web site; `read_sites` gives the pages with the kind (code, math or other) that a reader
would give them. No part of the pipelines reads the kinds: they are there to measure the recall.
"""

import gzip
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = HERE / "pages.warc.gz"
FILLER_PAGES = 12  # per site that has nothing but other pages
PARAGRAPHS_BESIDE = {
    "forum": "Hot today: how to ask a good question. Log in or sign up to vote. 12 users online.",
    "docs": "Search. Version selector. Edit this page. Previous. Next.",
    "article": "Subscribe to our newsletter. Share this. Follow us.",
    "news": "Most read. Advertisement. Subscribe for one coin a week.",
    "shop": "Cart (0). Wish list. Sign in. Free delivery on large orders.",
}


@dataclass(frozen=True)
class Page:
    domain: str
    path: str
    kind: str  # code, math or other
    language: str  # en or zh
    site: str
    layout: str
    title: str
    text: str  # the Markdown below the title

    @property
    def url(self) -> str:
        return f"https://{self.domain}{self.path}"


def read_sites(folder: Path = HERE / "pages") -> list[Page]:
    return [page for file in sorted(folder.glob("*.md")) for page in _read_site(file)]


def _read_site(file: Path) -> Iterator[Page]:
    head, *parts = re.split(r"^=== ", file.read_text(encoding="utf-8"), flags=re.M)
    site = dict(line.split(": ", 1) for line in head.strip().splitlines())
    for part in parts:
        address, title, text = part.split("\n", 2)
        path, _, kind = address.partition(" ")
        kind = kind or site["kind"]
        about_site = site["language"], site["name"], site["layout"]
        yield Page(file.stem, path, kind, *about_site, title.removeprefix("# "), text.strip())


def filler(pages: list[Page]) -> list[Page]:
    """Pages that are neither code nor mathematics, as most of the web: sentences of one site's pages, drawn anew."""
    found = []
    for domain in sorted({page.domain for page in pages}):
        others = [page for page in pages if page.domain == domain and page.kind == "other"]
        if len(others) < 4:
            continue
        sentences = [part for page in others for part in re.split(r"(?<=[.。!?！？]) *", page.text) if part]
        for number in range(FILLER_PAGES):
            drawn = sorted(sentences, key=lambda sentence: _digest(f"{domain} {number} {sentence}"))
            first, text = others[number % len(others)], (" " if others[0].language == "en" else "").join(drawn[:8])
            path = f"/archive/{number + 1}"
            found.append(Page(domain, path, "other", first.language, first.site, first.layout, first.title, text))
    return found


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def to_html(page: Page, charset: str = "utf-8") -> str:
    """The page as its site would show it: with navigation, an aside and a footer around the text."""
    sections = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("home", "latest", "tags", "help"))
    return f"""<!DOCTYPE html>
<html lang="{page.language}"><head><meta charset="{charset}"><title>{html.escape(page.title)} - {page.site}</title>
<style>body {{ margin: 0 }} .{page.layout} {{ color: #222 }}</style>
<script>window.track = function () {{ return "{page.domain}"; }};</script></head>
<body><header><div class="logo">{page.site}</div><nav class="navigation"><ul>{sections}</ul></nav></header>
<main class="{page.layout}"><article><div class="text">
<h1>{html.escape(page.title)}</h1>
{_blocks(page.text)}
</div></article></main>
<aside class="sidebar"><p>{PARAGRAPHS_BESIDE[page.layout]}</p></aside>
<footer class="footer"><p>{page.site}. All rights reserved. Imprint. Privacy. Cookies.</p></footer>
</body></html>
"""


def _blocks(text: str) -> str:
    """The few kinds of Markdown block that the texts use: fenced code, sub-heading, list, paragraph."""
    parts = []
    for index, block in enumerate(re.split(r"^```\n?", text, flags=re.M)):
        if index % 2:
            parts.append(f"<pre><code>{html.escape(block)}</code></pre>")
        else:
            parts += [_paragraph(paragraph) for paragraph in re.split(r"\n\s*\n", block.strip()) if paragraph]
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    if text.startswith("### "):
        return f"<h3>{html.escape(text[4:])}</h3>"
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    if text.startswith("- "):
        items = re.split(r"^- ", escaped, flags=re.M)[1:]
        return "<ul>" + "".join(f"<li>{item.strip()}</li>" for item in items) + "</ul>"
    return f"<p>{escaped}</p>"


def http_response(body: bytes, status: str = "200 OK", kind: str = "text/html; charset=utf-8", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n".encode() + body


def warc_record(kind: str, url: str, block: bytes, number: int) -> bytes:
    """One record, numbered so that its id and its time are its own."""
    made_of = _digest(f"{kind} {url} {number}").hex()
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{made_of[:8]}-{made_of[8:12]}-4{made_of[13:16]}-8{made_of[17:20]}-{made_of[20:]}>",
        f"WARC-Date: 2026-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        *([f"WARC-Target-URI: {url}"] if url else []),
        f"Content-Type: application/http; msgtype={kind}" if url else "Content-Type: application/warc-fields",
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def _respond(page: Page) -> bytes:
    """Sites differ in how they send a page: one in GBK, one compressed, the others plainly."""
    if page.domain == "xinwen-bao.example":
        return http_response(to_html(page, "gbk").encode("gbk"), kind="text/html")
    if page.domain == "cozyhome.example":
        packed = gzip.compress(to_html(page).encode(), mtime=0)
        return http_response(packed, more="Content-Encoding: gzip\r\n")
    return http_response(to_html(page).encode())


def misfits(pages: list[Page]) -> list[tuple[str, str, bytes]]:
    """One record for each reason to drop a page: (reason, URL, HTTP response)."""
    first = next(page for page in pages if page.domain == "stackcraft.example")
    long_text = "<p>" + "All work and no play makes a very long page. " * 50_000
    moved = http_response(b"", "301 Moved Permanently", more=f"Location: {first.url}\r\n")
    lost = http_response(b"<p>There is nothing here but the sound of the sea.</p>" * 20, "404 Not Found")
    return [
        ("status", "https://stackcraft.example/q/1001", moved),
        ("status", "https://roamfar.example/lost", lost),
        ("not_html", "https://mathquorum.example/notes.pdf", http_response(b"%PDF-1.7 ...", kind="application/pdf")),
        ("not_html", "https://cozyhome.example/mug.png", http_response(b"\x89PNG\r\n\x1a\n", kind="image/png")),
        ("duplicate_url", f"http://www.stackcraft.example{first.path}#answer-2", _respond(first)),
        ("text_size", "https://goalpost.example/login", http_response(b"<h1>Log in</h1><form><input></form>")),
        ("page_size", "https://dailyharbor.example/archive/all", http_response(long_text.encode())),
        ("encoding", "https://roamfar.example/broken", http_response(b"<p>\xff\xfe\x00\x81" * 400)),
        ("nesting", "https://goalpost.example/deep", http_response(b"<div>" * 5000 + b"deep text " * 50)),
        ("url", "http://[roamfar.example/", http_response(b"<p>A fine page at an impossible address.</p>" * 20)),
    ]


def build() -> bytes:
    written = read_sites()
    pages = written + filler(written)
    responses = [(page.url, _respond(page)) for page in pages] + [(url, body) for _, url, body in misfits(written)]
    responses.sort(key=lambda item: (item[0].startswith("http:"), _digest(item[0])))
    about_file = b"software: tests/tiny_corpus/web/build.py\r\nformat: WARC File Format 1.1\r\n"
    records = [warc_record("warcinfo", "", about_file, 0)]
    for number, (url, response) in enumerate(responses, 1):
        records.append(warc_record("request", url, b"GET / HTTP/1.1\r\nHost: example\r\n\r\n", number))
        records.append(warc_record("response", url, response, number))
    return b"".join(gzip.compress(record, mtime=0) for record in records)


if __name__ == "__main__":
    OUTPUT.write_bytes(build())
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes")
