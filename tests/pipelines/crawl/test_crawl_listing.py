"""The list of repositories: shards, names, and what could not be read."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import config, contract
from pipelines.crawl import listing
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.source import Entry, Repository
from pipelines.crawl.stage import CrawlConfig


class Listed:
    """A source with the given repositories."""

    ROW_SETTINGS = ()

    def __init__(self, *repositories: Repository) -> None:
        self.found = repositories

    def fingerprint(self) -> str:
        return "listed"

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        return iter(self.found)

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        return iter(())


def repository(name: str, reason: str | None = None) -> Repository:
    return Repository(name, "1", "MIT", 3, f"/at/{name}", reason, "why" if reason else "")


@pytest.mark.parametrize(
    ("name", "num_shards", "shard"),
    [("owner/name", 16, 9), ("owner/name", 4, 1), ("owner/name", 1, 0), ("other/name", 16, 9), ("", 16, 4)],  # b2sum
)
def test_the_shard_of_a_name_never_changes(name, num_shards, shard):
    assert listing.shard_of(name, num_shards) == shard


def test_names_spread_evenly_over_shards():
    counts = Counter(listing.shard_of(f"owner/{number}", 8) for number in range(8000))
    assert sorted(counts) == list(range(8))
    assert max(counts.values()) < 1150


def test_what_is_written_is_what_is_read(tmp_path):
    url = str(tmp_path / "repositories.parquet")
    one, two = Listed(repository("b"), repository("c")), Listed(repository("a"), repository("d", "empty_repository"))
    listing.write(url, [one, two], "unused", 2, "code")
    table = pq.read_table(url)
    assert not list(contract.mismatches(table.schema, contract.REPOSITORY))
    assert table.column("repository").to_pylist() == ["a", "b", "c", "d"]
    read = [pair for shard in range(2) for pair in listing.read(url, shard)]
    assert [(found, number) for found, number, _ in sorted(read, key=lambda one: one[0].name)] == [
        (repository("a"), 1),
        (repository("b"), 0),
        (repository("c"), 0),
        (repository("d", "empty_repository"), 1),
    ]
    assert all(listing.shard_of(found.name, 2) == 0 for found, *_ in listing.read(url, 0))


KEYS = [
    ({}, {}, "code", True),
    ({"location": "elsewhere"}, {}, "code", True),  # where it lies does not decide what is in it
    ({"revision": "2"}, {}, "code", False),
    ({"digest": "x"}, {}, "code", False),
    ({"name": "other"}, {}, "code", False),
    ({"license": "ISC"}, {}, "code", False),
    ({"num_stars": 4}, {}, "code", True),
    ({}, {"depth": 2}, "code", False),
    ({}, {}, "other code or limits", False),
]


@pytest.mark.parametrize(("changed", "settings", "made_by", "is_same"), KEYS)
def test_what_the_key_of_a_repository_stands_for(changed, settings, made_by, is_same):
    class Deep(Listed):
        ROW_SETTINGS = ("depth",)
        depth = 1

    before = listing.key(repository("a"), Deep(), "code")
    source = Deep()
    vars(source).update(settings)
    assert (listing.key(replace(repository("a"), **changed), source, made_by) == before) is is_same


def test_what_has_no_revision_or_could_not_be_read_has_no_key():
    assert listing.key(replace(repository("a"), revision=""), Listed(), "code") == ""
    assert listing.key(repository("a", "unreadable_repository"), Listed(), "code") == ""


def test_what_cannot_be_read_is_recorded_and_said(tmp_path, caplog):
    url = str(tmp_path / "repositories.parquet")
    with caplog.at_level(logging.WARNING):
        listing.write(url, [Listed(repository("a", "unreadable_repository"))], "unused", 1, "code")
    assert caplog.messages == ["crawl: a: unreadable_repository why"]
    [row] = pq.read_table(url).to_pylist()
    assert (row["reason"], row["detail"]) == ("unreadable_repository", "why")


@pytest.mark.parametrize(
    ("changed", "both"), [({"location": "/b"}, "/at/a 1 and /b 1"), ({"revision": "2"}, "/at/a 1 and /at/a 2")]
)
def test_two_repositories_of_one_name_are_refused(tmp_path, changed, both):
    url, other = str(tmp_path / "repositories.parquet"), replace(repository("a"), **changed)
    with pytest.raises(
        ValueError, match=rf"^crawl: two repositories are named 'a', {both}; a name is that of one: leave"
    ):
        listing.write(url, [Listed(repository("a"), repository("b")), Listed(other)], "unused", 1, "code")
    assert not Path(url).exists()


def test_of_one_repository_in_two_sources_the_first_counts(tmp_path, caplog):
    url = str(tmp_path / "repositories.parquet")
    sources = [Listed(repository("b")), Listed(repository("a"), replace(repository("b"), num_stars=9))]
    with caplog.at_level(logging.INFO):
        listing.write(url, sources, "unused", 1, "code")
    found = [(one.repository.name, one.repository.num_stars, one.source) for one in listing.read_all(url)]
    assert found == [("a", 3, 1), ("b", 3, 0)]
    assert caplog.messages == ["crawl: 1 repositories are in the list already, by an earlier source, which counts"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sources": []}, "sources: got []; Tuple should have at least 1 item"),
        ({}, "sources: got {}; Field required"),
        ({"sources": [{"kind": "svn", "path": "x"}]}, "Input tag 'svn' found using 'kind' does not match any of the"),
        ({"sources": [{"kind": "directory", "path": "x", "depth": 1}]}, "sources.0.directory.depth: unknown key"),
        ({"sources": [{"kind": "git"}]}, "sources.0.git.url: got {'kind': 'git'}; Field required"),
        ({"sources": [{"url": "/x"}]}, "one has no `kind`; expected, for example, kind ="),
        ({"sources": {"kind": "git", "url": "/x"}}, "expected a list of tables: write [[crawl.sources]], with two"),
        (
            {"sources": [{"kind": "git", "url": "/x", "license": "BSD 3"}]},
            "sources.0.git.license: got 'BSD 3'; no SPDX expression, such as `MIT`, `Apache-2.0 OR MIT`",
        ),
        ({"sources": [{"kind": "git", "url": "/x", "num_stars": -1}]}, "sources.0.git.num_stars: got -1"),
        ({"sources": [{"kind": "installed"}], "num_shards": 0}, "num_shards: got 0; Input should be greater than 0"),
    ],
)
def test_a_bad_setting_is_refused_by_name(table, message):
    with pytest.raises(ValueError, match=r"config table \[crawl\]:") as refused:
        config.parse(CrawlConfig, table, "crawl")
    assert message in str(refused.value)
