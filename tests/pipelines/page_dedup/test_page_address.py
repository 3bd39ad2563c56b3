"""Which addresses mean one page."""

import pytest

from pipelines.page_dedup.address import normalize


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://www.A.example/", "a.example/"),
        ("https://a.example", "a.example/"),
        ("https://a.example:443/b/#top", "a.example/b"),
        ("https://a.example:8080/b", "a.example:8080/b"),
        ("https://a.example/b/index.html", "a.example/b"),
        ("https://a.example//b///c", "a.example/b/c"),
        ("https://a.example/b;jsessionid=1F?x=1", "a.example/b?x=1"),
        ("https://a.example/b?utm_source=m&x=1&fbclid=9", "a.example/b?x=1"),
        ("https://a.example/b?y=2&x=1", "a.example/b?x=1&y=2"),
        ("https://a.example/b?PHPSESSID=1", "a.example/b"),
        ("https://a.example/%7eb/%e4%b8%ad", "a.example/~b/%E4%B8%AD"),
        ("https://a.example/~b/中", "a.example/~b/%E4%B8%AD"),
        ("https://a.example/%ff", "a.example/%FF"),
        ("https://a.example/b?x=", "a.example/b?x="),
        ("https://a.example/b?id=1", "a.example/b?id=1"),
        ("no address", "no address"),
    ],
)
def test_normalize(url, expected):
    assert normalize(url) == expected


@pytest.mark.parametrize(
    "other", ["https://a.example/b?id=2", "https://a.example/c", "https://b.example/b?id=1", "https://a.example/B?id=1"]
)
def test_other_pages_stay_others(other):
    assert normalize(other) != normalize("https://a.example/b?id=1")


def test_a_hostile_address_takes_linear_time():
    assert len(normalize("https://a.example/" + "/" * 200_000 + ";sid=" * 50_000)) < 600_000
