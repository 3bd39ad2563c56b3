"""Lists the repositories of a search, all of them: it is split by date of creation until each part is on one page."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from pipelines.crawl.licences.expressions import spelled
from pipelines.crawl.sources.github_client import Client

LOG = logging.getLogger("pipelines")
PAGE_ROWS = 100
MAX_RESULTS = 1000  # of one search
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,100}")


def repositories(client: Client, qualifiers: str, begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """What `_row` makes of every repository created from `begin` to before `end`, in whole seconds of UTC.

    Dates of creation never change, but stars do, by which GitHub sorts: of two pages that are asked one after the
    other, a repository can move from the second to the first, and be on neither. So ranges are halved until all of one
    is on one page. Only of a second that has more than a page are further ones asked. An answer that GitHub broke off
    is asked for in halves too, down to a day.
    """
    first = _page(client, qualifiers, begin, end, 1)
    too_many, incomplete = first["total_count"] > PAGE_ROWS, first["incomplete"]
    if (too_many and end - begin > SECOND) or (incomplete and end - begin > DAY):
        middle = begin + timedelta(seconds=(end - begin) // SECOND // 2)
        yield from repositories(client, qualifiers, begin, middle)
        yield from repositories(client, qualifiers, middle, end)
        return
    if first["total_count"] > MAX_RESULTS or incomplete:
        LOG.warning("crawl: github: not all of %d repositories of %s are shown", first["total_count"], begin)
    yield from first["rows"]
    for number in range(2, ceil(min(first["total_count"], MAX_RESULTS) / PAGE_ROWS) + 1):
        yield from _page(client, qualifiers, begin, end, number)["rows"]
    client.progress("listed those created before %s; %d requests, %d answers were kept",
                    f"{end:%F}", client.num_asked, client.num_kept)  # fmt: skip


def count(client: Client, qualifiers: str, begin: datetime, end: datetime) -> int:
    """How many GitHub says there are."""
    found: int = _page(client, qualifiers, begin, end, 1)["total_count"]
    return found


def _page(client: Client, qualifiers: str, begin: datetime, end: datetime, number: int) -> Any:
    created = f"created:{begin:%Y-%m-%dT%H:%M:%SZ}..{end - SECOND:%Y-%m-%dT%H:%M:%SZ}"
    query = {"q": f"{qualifiers} {created}".strip(), "sort": "stars", "order": "desc"}
    return client.get(f"/search/repositories?{urlencode({**query, 'per_page': PAGE_ROWS, 'page': number})}", _kept)


def _kept(body: bytes) -> dict[str, Any]:
    """What is kept of a page: a hundredth of it."""
    found = json.loads(body)
    return {
        "total_count": int(found["total_count"]),
        "incomplete": bool(found["incomplete_results"]),
        "rows": [_row(item) for item in found["items"] if NAME.fullmatch(item["full_name"])],
    }


def _row(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": int(item["id"]),
        "name": str(item["full_name"]),
        "license": spelled(str((item["license"] or {}).get("spdx_id") or "")),
        "num_stars": int(item["stargazers_count"]),
        "default_branch": str(item["default_branch"]),
        "is_fork": bool(item["fork"]),
        "topics": [str(topic) for topic in item.get("topics", ())],
        "created_at": str(item["created_at"]),
    }
