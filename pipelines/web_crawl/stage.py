"""Wires the web crawl: find the addresses that several WARC files hold, then write shard by shard."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from pipelines import contract, rows, storage
from pipelines.stage import Output, Shuffle, Stage, StageRun, Write
from pipelines.web_crawl import pages, sources, urls, warc

COPIES = "copies"
COPY = pa.schema([("warc", pa.int32()), ("number", pa.int32())])


class WebCrawlConfig(pages.Limits):
    warcs: tuple[str, ...] = ()  # paths, or patterns such as `crawl/*.warc.gz`; empty for a run without web pages
    num_shards: int = Field(1, gt=0)  # a shard is best at 128 to 256 MB of text
    row_group_bytes: int = Field(32_000_000, gt=0)


def _external(config: WebCrawlConfig, run_folder: str) -> dict[str, Any]:
    return {"warcs": [sources.fingerprint(url) for url in sources.expand(config.warcs)]}


def _build_copies(pipeline: Any, run: StageRun[WebCrawlConfig]) -> None:
    import apache_beam as beam

    files = sources.expand(run.config.warcs)
    if len(files) < 2:  # a file finds its own copies
        return
    _ = (
        pipeline
        | "WARC files" >> beam.Create(list(enumerate(files)))
        | "spread over workers" >> beam.Reshuffle()
        | "addresses" >> beam.FlatMap(_addresses)
        | "one page" >> beam.GroupByKey()
        | "later fetches" >> beam.FlatMap(_all_but_first)
        | "rows" >> beam.Map(lambda place: dict(zip(COPY.names, place, strict=True)))
        | "write" >> beam.io.WriteToParquet(run.path(COPIES, COPIES), COPY)
    )


def _addresses(warc_file: tuple[int, str]) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The first fetch of each page in one file: (key, (number of the file, number of the response))."""
    index, url = warc_file
    seen: set[bytes] = set()
    for response in warc.responses(url, max_body_bytes=0):
        if pages.header_reason(response) is None:
            key = urls.same_page_key(response.url)
            if key not in seen:
                seen.add(key)
                yield key, (index, response.number)


def _all_but_first(fetches: tuple[bytes, Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
    return sorted(fetches[1])[1:]


def _schema(config: WebCrawlConfig) -> pa.Schema:
    return contract.PAGE


def _shards(run: StageRun[WebCrawlConfig]) -> list[str]:
    count = run.config.num_shards
    return [f"pages-{number:05}-of-{count:05}.parquet" for number in range(count)]


def _tables(run: StageRun[WebCrawlConfig]) -> Callable[[str], Iterator[Output]]:
    config = run.config
    files = list(enumerate(sources.expand(config.warcs)))

    def tables(shard: str) -> Iterator[Output]:
        mine = files[int(shard.split("-")[1]) :: config.num_shards]
        found = (page for index, url in mine for page in _pages(run, index, url))
        return (("", table) for table in pages.tables(found, config.row_group_bytes))

    return tables


def _pages(run: StageRun[WebCrawlConfig], index: int, url: str) -> Iterable[dict[str, Any]]:
    written = [run.path(COPIES, name) for name in storage.names(run.path(COPIES))]
    found = (table.filter(pc.field("warc") == index) for part in written for table in rows.tables(part, COPY.names))
    copies = {number for table in found for number in table.column("number").to_pylist()}
    return pages.rows(warc.responses(url, run.config.max_page_bytes + 1), copies, set(), run.config)


STAGE = Stage(
    name="web_crawl",
    reads={},
    writes=contract.PAGE,
    reasons=pages.REASONS,
    config=WebCrawlConfig,
    steps=(Shuffle("copies", COPIES, _build_copies), Write("pages", _schema, _shards, _tables)),
    packages=("fastwarc", "resiliparse"),
    external=_external,
)
