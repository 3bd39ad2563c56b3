"""Domains, ids and the sameness of addresses, literal in, literal out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.web_crawl import urls


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.Docs.Example/a?b=1", "docs.example"),
        ("http://example.org:8080/", "example.org"),
        ("https://user:secret@example.org/x", "example.org"),
        ("https://example.org./x", "example.org"),
        ("https://[2001:db8::1]/x", "2001:db8::1"),
        ("https://[broken/", ""),
        ("https://example.org:port/", ""),
        ("http:///no-host", ""),
        ("ftp://example.org/file", ""),
        ("mailto:someone@example.org", ""),
        ("", ""),
    ],
)
def test_domain(url, domain):
    assert urls.domain(url) == domain


@pytest.mark.parametrize(
    ("what", "one", "other", "same"),
    [
        ("scheme", "http://a.example/x", "https://a.example/x", True),
        ("www", "https://www.a.example/x", "https://a.example/x", True),
        ("fragment", "https://a.example/x#top", "https://a.example/x", True),
        ("case of the host", "https://A.Example/x", "https://a.example/x", True),
        ("default port", "https://a.example:443/x", "https://a.example/x", True),
        ("empty path", "https://a.example", "https://a.example/", True),
        ("case of the path", "https://a.example/X", "https://a.example/x", False),
        ("query", "https://a.example/x?page=2", "https://a.example/x", False),
        ("another port", "https://a.example:8443/x", "https://a.example/x", False),
        ("another domain", "https://b.example/x", "https://a.example/x", False),
    ],
)
def test_same_page(what, one, other, same):
    assert (urls.same_page_key(one) == urls.same_page_key(other)) is same


def test_page_id_is_of_the_address_and_the_time():
    first = urls.page_id("https://a.example/x", "2026-03-01T00:00:00Z")
    assert first == "4ea2d3796ac68ca9ed73"
    assert urls.page_id("https://a.example/x", "2026-03-01T00:00:01Z") != first


@given(
    st.builds(
        "{}{}".format, st.sampled_from(["", "http://", "https://www.", "https://[", "http://a.example"]), st.text()
    )
)
def test_no_address_is_too_strange(url):
    domain = urls.domain(url)
    assert domain == domain.lower()
    assert urls.path(url).startswith("/")
    if domain:
        assert len(urls.same_page_key(url)) == 16
