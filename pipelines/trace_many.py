"""More than one file: all of a repository, why a URL is missing, what the rows dropped for a reason look like."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from pipelines import fates
from pipelines.web_crawl import urls

EXCERPT_CHARS = 240


def repository(run_folder: str, name: str) -> Iterator[str]:
    """The files of a repository, each with its fate; nothing where there is no such repository."""
    for shard, table in fates.tables(run_folder):
        if not shard.startswith("files"):
            continue
        found = table.filter(pc.starts_with(table.column("name"), f"{name}/")).to_pylist()
        if found:
            yield from _files(name, found)


def _files(name: str, found: list[dict[str, Any]]) -> Iterator[str]:
    kept = [row for row in found if not row["stage"]]
    size = sum(row["size_bytes"] for row in kept)
    yield f"{name}: {len(found):,} files, {len(kept):,} kept ({size:,} bytes)"
    why = Counter((row["stage"], row["reason"]) for row in found if row["stage"])
    yield from (f"    {stage} {reason}: {count:,}" for (stage, reason), count in why.most_common())
    yield from (f"{row['name'].removeprefix(name + '/'):<60} {_fate(row)}" for row in found)


def _fate(row: dict[str, Any]) -> str:
    return f"DROPPED {row['stage']} {row['reason']}: {row['detail']}" if row["stage"] else "kept"


def of_a_dropped_repository(run_folder: str, wanted: str) -> Iterator[str]:
    """Why there is no file `repository/path`, where all of the repository was dropped, in one row of path `.`."""
    for shard, table in fates.tables(run_folder):
        whole = table.filter(pc.ends_with(table.column("name"), "/.")).to_pylist() if shard.startswith("files") else ()
        for row in whole:
            if wanted.startswith(row["name"].removesuffix(".")):
                yield f"{row['name'].removesuffix('/.')}, as a whole: {_fate(row)}"


def missing_page(run_folder: str, url: str) -> Iterator[str]:
    """Why no row has exactly this URL: the same page under another address, or how its domain fares."""
    domain, asked = urls.domain(url), urls.same_page_key(url) if urls.domain(url) else b""
    others: Counter[str] = Counter()
    for shard, table in fates.tables(run_folder):
        for row in table.to_pylist() if shard.startswith("pages") else ():
            if urls.domain(row["name"]) != domain or not domain:
                continue
            others[_fate(row).partition(":")[0]] += 1
            if urls.same_page_key(row["name"]) == asked:
                yield f"{url} is the page {row['name']}: {_fate(row)}"
                return
    yield f"{url}: no record of the crawled WARC files has this address"
    if others:
        yield f"    {others.total():,} other pages of {domain}:"
        yield from (f"        {count:,} {fate}" for fate, count in others.most_common())
    else:
        yield f"    nor any other page of {domain or 'its domain, for it is no address of a web page'}"


def dropped(run_folder: str, reason: str, count: int) -> Iterator[str]:
    """`count` rows that were dropped for `reason`, chosen by a hash of their ids: what was measured, and how they
    begin. ValueError where no row was.
    """
    total, chosen, known = 0, list[tuple[int, str, dict[str, Any]]](), set[str]()
    for _, table in fates.tables(run_folder, "content"):
        known |= set(pc.unique(pc.binary_join_element_wise(table["stage"], table["reason"], " ")).to_pylist())
        found = table.filter(pc.equal(table.column("reason"), reason))
        total += len(found)
        ranked = [(_rank(row["id"]), row["id"], row) for row in found.to_pylist()]
        chosen = heapq.nsmallest(count, [*chosen, *ranked], key=lambda item: item[:2])
    if not total:
        raise ValueError(
            f"trace: got the reason {reason!r}, for which nothing was dropped; expected the second word of one of: "
            + ", ".join(sorted(known - {" "}))
        )
    yield f"{reason}: {total:,} rows; {len(chosen)} of them:"
    for _, _, row in chosen:
        yield from ("", f"{row['name']}  {row['stage']}: {row['detail']}")
        yield from (f"    | {line}" for line in row["content"][:EXCERPT_CHARS].splitlines())


def _rank(row_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=8).digest(), "big")
