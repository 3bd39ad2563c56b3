"""From a recorded response to a row of the PAGE table: identity, text, and what is dropped already here."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pydantic import Field

from pipelines import contract
from pipelines.config import StageConfig
from pipelines.web_crawl import extract, urls, warc
from pipelines.web_crawl.warc import Response

REASONS = ("url", "status", "not_html", "duplicate_url", "page_size", "encoding", "nesting", "text_size")
HTML_TYPES = {"text/html", "application/xhtml+xml"}


class Limits(StageConfig):
    max_page_bytes: int = Field(2_000_000, gt=0)  # of HTML, unpacked
    min_text_chars: int = Field(100, ge=0)
    main_content: bool = True  # without navigation, menus, footers


Verdict = tuple[str, str | None, str]  # text, reason, detail


def header_reason(response: Response) -> tuple[str, str] | None:
    """(reason, detail), where the address or the header alone rules the page out."""
    if not urls.domain(response.url):
        return "url", "no address of a web page"
    if response.status != 200:
        return "status", str(response.status or "no HTTP answer")
    if response.content_type not in HTML_TYPES:
        return "not_html", response.content_type or "no Content-Type"
    return None


def rows(
    responses: Iterable[Response], copies: Collection[int], fetched: set[bytes], limits: Limits
) -> Iterator[dict[str, Any]]:
    """The rows of one WARC file, in its order.

    `copies` are the numbers of the responses whose page an earlier file has; `fetched`, which grows, holds the keys
    of the pages that this file has brought so far.
    """
    for response in responses:
        text, reason, detail = _content(response, copies, fetched, limits)
        yield {
            "page_id": urls.page_id(response.url, response.fetched_at),
            "url": response.url,
            "domain": urls.domain(response.url),
            "fetched_at": response.fetched_at,
            "size_bytes": response.size_bytes,
            "content": text,
            "reason": reason,
            "detail": detail,
        }


def _content(response: Response, copies: Collection[int], fetched: set[bytes], limits: Limits) -> Verdict:
    ruled_out = header_reason(response)
    if ruled_out:
        return "", *ruled_out
    key = urls.same_page_key(response.url)
    if response.number in copies or key in fetched:
        return "", "duplicate_url", "fetched before"
    fetched.add(key)
    return _text(response, limits)


def _text(response: Response, limits: Limits) -> Verdict:
    if response.size_bytes > limits.max_page_bytes:
        return "", "page_size", f"{response.size_bytes} > {limits.max_page_bytes}"
    body = warc.unpacked(response, limits.max_page_bytes + 1)
    if body is not None and len(body) > limits.max_page_bytes:
        return "", "page_size", f"unpacked > {limits.max_page_bytes}"
    html = extract.decode(body, response.charset) if body is not None else None
    if html is None:
        return "", "encoding", " ".join((*response.encodings, response.charset)) or "none declared"
    tree = extract.parse(html)
    if tree is None:
        return "", "nesting", f"> {extract.MAX_DEPTH}"
    text = extract.visible_text(tree, limits.main_content)
    if len(text) < limits.min_text_chars:
        return "", "text_size", f"{len(text)} < {limits.min_text_chars}"
    return text, None, ""


def tables(pages: Iterable[dict[str, Any]], target_bytes: int) -> Iterator[pa.Table]:
    """Tables of about `target_bytes` of text each."""
    waiting: list[dict[str, Any]] = []
    waiting_bytes = 0
    for page in pages:
        waiting.append(page)
        waiting_bytes += len(page["content"].encode()) + len(page["url"])
        if waiting_bytes >= target_bytes:
            yield pa.Table.from_pylist(waiting, contract.PAGE)
            waiting, waiting_bytes = [], 0
    if waiting:
        yield pa.Table.from_pylist(waiting, contract.PAGE)
