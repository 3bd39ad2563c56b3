"""Addresses and domains: which pages a list of URL prefixes means, and which domains are about a topic.

After a round, a domain of which more than 10 % of the pages were collected is related to the topic (DeepSeekMath
section 2.1). The paper's authors then marked URL paths in such domains by hand; here that is the configuration's
`marked`, and the share of a section (the first part of the path) stands in for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import field_validator

from pipelines.config import StageConfig
from pipelines.fasttext_recall.classifier import TOPICS
from pipelines.web_crawl import urls

Counts = tuple[int, int, int]  # pages, and of these collected as code, as math

COUNTED = pa.schema(
    [
        ("domain", pa.string()),
        ("section", pa.string()),
        ("num_pages", pa.int64()),
        ("num_code", pa.int64()),
        ("num_math", pa.int64()),
    ]
)
RELATED = pa.schema(
    [
        ("topic", pa.string()),
        ("domain", pa.string()),
        ("section", pa.string()),
        ("num_pages", pa.int64()),
        ("num_collected", pa.int64()),
        ("marked", pa.bool_()),
    ]
)


class Prefixes(StageConfig):
    """Addresses by topic, as `docs.python.org` (a whole domain) or `stackoverflow.com/questions/`."""

    code: tuple[str, ...] = ()
    math: tuple[str, ...] = ()

    @field_validator("code", "math")
    @classmethod
    def _have_a_domain(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in prefixes:
            if not urls.domain(_address(prefix)):
                raise ValueError(f"{prefix!r} is no address; expected one such as 'stackoverflow.com/questions/'")
        return prefixes

    def by_domain(self) -> dict[str, list[tuple[str, str]]]:
        """Domain -> (path prefix, topic), the longest prefix first."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for topic in TOPICS:
            for prefix in getattr(self, topic):
                url = _address(prefix)
                found[urls.domain(url)].append((urls.path(url), topic))
        return {domain: sorted(paths, key=lambda item: (-len(item[0]), item)) for domain, paths in found.items()}


def _address(prefix: str) -> str:
    return f"https://{prefix.removeprefix('https://').removeprefix('http://')}"


def topic_of(url: str, domain: str, prefixes: Mapping[str, list[tuple[str, str]]]) -> str:
    """The topic whose prefix the address has; empty where none."""
    path = urls.path(url) if domain in prefixes else ""
    return next((topic for prefix, topic in prefixes.get(domain, ()) if path.startswith(prefix)), "")


def section(url: str) -> str:
    """The first part of the path, where there is a second: `questions` of `/questions/17`; empty for `/about`."""
    first, slash, _ = urls.path(url)[1:].partition("/")
    return first if slash else ""


def count(domains: Iterable[str], sections: Iterable[str], topics: Iterable[str]) -> dict[tuple[str, str], Counts]:
    """(domain, section) -> how many pages there are, and how many were collected by topic."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for domain, part, topic in zip(domains, sections, topics, strict=True):
        counts = found[domain, part]
        counts[0] += 1
        if topic:
            counts[1 + TOPICS.index(topic)] += 1
    return {key: (counts[0], counts[1], counts[2]) for key, counts in found.items()}


def related(counted: pa.Table, related_share: float, section_share: float) -> pa.Table:
    """The sections of every related domain, sorted; `marked` where more than `section_share` of it was collected."""
    sums = counted.group_by("domain").aggregate([("num_pages", "sum"), *((f"num_{t}", "sum") for t in TOPICS)])
    joined = counted.join(sums, "domain")
    parts = []
    for topic in TOPICS:
        of_domain = pc.divide(_float(joined, f"num_{topic}_sum"), _float(joined, "num_pages_sum"))
        of_section = pc.divide(_float(joined, f"num_{topic}"), _float(joined, "num_pages"))
        columns = [
            pa.array(np.full(len(joined), topic)),
            *(joined.column(name) for name in ("domain", "section", "num_pages", f"num_{topic}")),
            pc.greater(of_section, section_share),
        ]
        parts.append(pa.Table.from_arrays(columns, schema=RELATED).filter(pc.greater(of_domain, related_share)))
    return pa.concat_tables(parts).sort_by([(name, "ascending") for name in ("topic", "domain", "section")])


def _float(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table.column(name).cast(pa.float64())


@dataclass(frozen=True)
class Marks:
    """Where a round's uncollected pages become seeds of the next round."""

    by_hand: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    related: frozenset[tuple[str, str]] = frozenset()  # (domain, topic)
    sections: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (domain, section) -> topic

    @classmethod
    def of(cls, prefixes: Prefixes, found: pa.Table) -> "Marks":
        rows = found.to_pylist()
        by_share = {(row["domain"], row["section"]): row["topic"] for row in rows if row["marked"]}
        return cls(prefixes.by_domain(), frozenset((row["domain"], row["topic"]) for row in rows), by_share)

    def topic(self, url: str, domain: str) -> str:
        """The topic of the mark that covers the page; empty where none."""
        by_hand = topic_of(url, domain, self.by_hand)
        if by_hand and (domain, by_hand) in self.related:
            return by_hand
        return self.sections.get((domain, section(url)), "")
