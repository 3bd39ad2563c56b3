"""Prefixes, sections, and which domains are about a topic."""

import pyarrow as pa
import pytest

from pipelines.config import parse
from pipelines.fasttext_recall import domains
from pipelines.fasttext_recall.domains import Marks, Prefixes

SEEDS = Prefixes(
    code=("https://www.Answers.example/questions/", "docs.example"), math=("answers.example/questions/tagged/math",)
)


@pytest.mark.parametrize(
    ("url", "topic"),
    [
        ("https://answers.example/questions/1", "code"),
        ("http://www.answers.example/questions/1?page=2", "code"),
        ("https://answers.example/questions/tagged/mathematics", "math"),  # the longest prefix decides
        ("https://answers.example/jobs", ""),
        ("https://docs.example", "code"),
        ("https://docs.example/any/page", "code"),
        ("https://other.docs.example/", ""),
        ("https://docs.example.evil.example/", ""),
        ("not an address", ""),
    ],
)
def test_topic_of(url, topic):
    assert domains.topic_of(url, domains.urls.domain(url), SEEDS.by_domain()) == topic


def test_a_prefix_that_is_no_address_is_refused():
    with pytest.raises(ValueError, match=r"code: got .*'/questions/' is no address; expected one such as"):
        parse(Prefixes, {"code": ["/questions/"]}, "fasttext_recall.seeds")


@pytest.mark.parametrize(
    ("url", "section"),
    [
        ("https://a.example/questions/17/title", "questions"),
        ("https://a.example/questions/", "questions"),
        ("https://a.example/about", ""),
        ("https://a.example", ""),
        ("https://a.example//double/slash", "double"),
        ("https://a.example/x?next=/y/z", ""),
    ],
)
def test_section(url, section):
    assert domains.section(url) == section


def test_count():
    found = domains.count(["a", "a", "a", "b", "a"], ["q", "q", "", "q", "q"], ["code", "", "math", "math", "math"])
    assert found == {("a", "q"): (3, 1, 1), ("a", ""): (1, 0, 1), ("b", "q"): (1, 0, 1)}


def counted(*rows):
    return pa.Table.from_pylist([dict(zip(domains.COUNTED.names, row, strict=True)) for row in rows], domains.COUNTED)


@pytest.mark.parametrize(
    ("what", "rows", "found"),
    [
        ("10 % exactly is not enough", [("a", "q", 10, 1, 0)], []),
        ("more than 10 %", [("a", "q", 9, 1, 0)], [("code", "a", "q", False)]),
        ("a section of which more than half is collected", [("a", "q", 3, 0, 2)], [("math", "a", "q", True)]),
        ("half is not more than half", [("a", "q", 2, 0, 1)], [("math", "a", "q", False)]),
        ("the share is that of the whole domain", [("a", "q", 2, 2, 0), ("a", "x", 18, 0, 0)], []),
        ("every section of a related domain is listed", [("a", "x", 8, 0, 0), ("a", "q", 2, 2, 0)],
         [("code", "a", "q", True), ("code", "a", "x", False)]),
        ("both topics", [("a", "q", 4, 1, 1)], [("code", "a", "q", False), ("math", "a", "q", False)]),
        ("no pages", [], []),
    ],
)  # fmt: skip
def test_related(what, rows, found):
    table = domains.related(counted(*rows), related_share=0.1, section_share=0.5)
    assert [(row["topic"], row["domain"], row["section"], row["marked"]) for row in table.to_pylist()] == found


def test_marks_count_in_related_domains_only():
    rows = counted(("a.example", "q", 4, 3, 0), ("a.example", "x", 4, 1, 0), ("b.example", "q", 100, 1, 0))
    by_hand = Prefixes(code=("a.example/x/good", "b.example"), math=("a.example/x",))
    marks = Marks.of(by_hand, domains.related(rows, 0.1, 0.5))
    assert marks.topic("https://a.example/q/1", "a.example") == "code"  # more than half of /q was collected
    assert marks.topic("https://a.example/x/good/1", "a.example") == "code"  # marked by hand
    assert marks.topic("https://a.example/x/1", "a.example") == ""  # marked for math, but related to code
    assert marks.topic("https://b.example/q/1", "b.example") == ""  # marked by hand, but not related
