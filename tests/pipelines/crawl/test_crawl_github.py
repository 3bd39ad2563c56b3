"""The github source against a server on this machine that behaves like GitHub, its limits and faults included."""

import hashlib
import json
import logging
import random
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from pipelines import config
from pipelines.crawl import files, retry
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import github, github_search
from pipelines.crawl.sources.github import GithubSource
from pipelines.crawl.sources.github_client import Client, GithubError, is_safe
from pipelines.crawl.stage import CrawlConfig
from tests.pipelines.crawl.github_server import NOON, Github, made, serving, tarball


@pytest.fixture
def serve():
    """Starts a server for a `Github`, and gives its address."""
    with ExitStack() as servers:
        yield lambda hub: servers.enter_context(serving(hub))


@pytest.fixture
def client(serve, tmp_path):
    def build(hub, **options):
        options = {"hosts": frozenset(), "cache_folder": str(tmp_path), "token": "secret"} | options
        return Client(serve(hub), sleep=hub.sleep, now=lambda: hub.now, **options)

    return build


@pytest.fixture
def source(serve, tmp_path, monkeypatch):
    """A source of a server, whose clients sleep by its clock."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")

    def build(hub, **options):
        def made_client(api, hosts, cache_folder, listing, token):
            return Client(api, hosts, cache_folder, listing, token, sleep=hub.sleep, now=lambda: hub.now)

        monkeypatch.setattr(github, "_client", made_client)
        options = {"created_before": "2023-02-01", "api": options.pop("api", None) or serve(hub)} | options
        return config.parse(GithubSource, options, "crawl.sources")

    return build


def listed(found, tmp_path):
    return list(found.repositories(str(tmp_path / "cache")))


def test_what_is_recorded_of_a_repository(source, tmp_path):
    hub = Github(made("a/one", stars=70), made("b/two", stars=90, spdx="GPL-3.0"), made("c/none", spdx=None),
                 made("d/other", spdx="NOASSERTION"), made("e/fork", fork=True))  # fmt: skip
    found = listed(source(hub), tmp_path)
    assert [(one.name, one.license, one.num_stars) for one in found] == [
        ("b/two", "GPL-3.0-only", 90), ("a/one", "MIT", 70), ("c/none", "", 50), ("d/other", "", 50),
    ]  # fmt: skip
    one = found[1]
    assert (one.default_branch, one.topics, one.created_at) == ("main", ("compiler",), "2020-05-17T10:00:00Z")
    assert one.revision == hashlib.sha1(b"a/one@main").hexdigest()
    assert one.reason is None


def test_what_is_going_on_is_said(source, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        listed(source(Github(made("a/one"), made("b/two")), max_repositories=1), tmp_path)
        listed(source(Github()), tmp_path)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "crawl: github: 2 match stars:10..*"),
        ("INFO", "crawl: github: listed those created before 2023-02-01; 1 requests, 1 answers were kept"),
        ("INFO", "crawl: github: 1 of 2 found"),
        ("INFO", "crawl: github: 0 match stars:10..*"),
        ("INFO", "crawl: github: listed those created before 2023-02-01; 1 requests, 1 answers were kept"),
        ("WARNING", "crawl: github: 0 of 0 found"),
    ]


def test_forks_come_where_they_are_asked_for_with_what_they_are_forks_of(source, tmp_path):
    found = listed(source(Github(made("a/one"), made("e/fork", fork=True)), forks=True), tmp_path)
    assert [(one.name, one.fork_of) for one in found] == [("a/one", ""), ("e/fork", "upstream/fork")]


SEARCHES = [
    ({}, ["stars:10..*"]),
    ({"min_stars": 5, "max_stars": 9, "forks": True}, ["stars:5..9 fork:true"]),
    ({"languages": ["C", "Jupyter Notebook"], "licenses": ["MIT", "GPL-3.0-only"]},
     ['stars:10..* language:"C" license:mit', 'stars:10..* language:"C" license:gpl-3.0',
      'stars:10..* language:"Jupyter Notebook" license:mit',
      'stars:10..* language:"Jupyter Notebook" license:gpl-3.0']),
    ({"query": "topic:compiler archived:false"}, ["topic:compiler archived:false stars:10..*"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), SEARCHES)
def test_what_is_searched_for(options, expected):
    assert list(GithubSource(created_before="2023-02-01", **options)._searches()) == expected


def test_the_snapshot_date_and_the_number(source, tmp_path):
    hub = Github(made("a/old", created="2007-10-29T14:37:16Z"), made("c/late", created="2023-02-01T00:00:00Z"),
                 made("b/last", created="2023-01-31T23:59:59Z", stars=60))  # fmt: skip
    assert [one.name for one in listed(source(hub), tmp_path)] == ["b/last", "a/old"]
    assert [one.name for one in listed(source(hub, max_repositories=1), tmp_path)] == ["b/last"]


def hourly(number):
    """So many repositories, made one an hour."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    return [made(f"a/r{hour}", stars=100 + hour % 7, created=f"{first + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}")
            for hour in range(number)]  # fmt: skip


def names_of(client, begin=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2021, 1, 1, tzinfo=UTC)):
    return [row["name"] for row in github_search.repositories(client, "stars:1..*", begin, end)]


def test_a_search_of_many_results_is_listed_in_ranges_of_dates(client):
    hub = Github(*hourly(2600))
    assert sorted(names_of(client(hub))) == sorted(one["full_name"] for one in hub.repositories)
    assert len(hub.asked) < 90


def test_none_is_missed_whose_stars_change_while_the_list_is_made(client):
    hub, changes = Github(*hourly(500)), random.Random(0)

    def answer(path, answered=hub.answer):
        for one in hub.repositories:
            one["stargazers_count"] = changes.randrange(10, 999)
        return answered(path)

    hub.answer = answer
    assert sorted(names_of(client(hub))) == sorted(one["full_name"] for one in hub.repositories)


def test_1001_in_one_second_are_the_first_1000_and_said(client, caplog):
    hub = Github(*(made(f"a/r{number}") for number in range(1001)))
    begin = datetime(2020, 5, 17, 10, tzinfo=UTC)
    with caplog.at_level(logging.WARNING):
        found = names_of(client(hub), begin, begin + timedelta(seconds=1))
    assert len(found) == 1000
    assert caplog.messages == ["crawl: github: not all of 1001 repositories of 2020-05-17 10:00:00+00:00 are shown"]


LIMITS = [
    ("secondary limit, with its own wait", 403, {"Retry-After": "17"}, {"message": "secondary rate limit"}, [17]),
    ("secondary limit without", 403, {}, {"message": "You have exceeded a secondary rate limit."}, [60]),
    ("primary limit", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON) + 99)}, {}, [100]),
    ("too many requests", 429, {}, {}, [60]),
    ("primary limit by 429", 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON) + 9)}, {}, [10]),
    ("a limit that is over already", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, {}, [1]),
    ("server error", 502, {}, b"<html>", [1]),
    ("body cut off", 200, {"Content-Length": "5000"}, b'{"total', [1]),
    ("unchanged, where nothing was kept", 304, {}, b"", [1]),
    ("no JSON", 200, {}, b"<html>", [1]),
    ("an old server's limit", 403, {}, {"message": "You have triggered an abuse detection mechanism."}, [60]),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "slept"), [case[1:] for case in LIMITS],
                         ids=[case[0] for case in LIMITS])  # fmt: skip
def test_limits_are_waited_for_and_faults_tried_again(client, status, headers, body, slept):
    hub = Github(made("a/one"))
    hub.faults = [("/repos", status, headers, body)]
    assert client(hub).get("/repos/a/one")["full_name"] == "a/one"
    assert hub.slept == slept
    assert len(hub.asked) == 2


def test_waits_grow_and_end(client):
    hub = Github(made("a/one"))
    hub.faults = [("/repos", 503, {}, b"")] * 6
    with pytest.raises(GithubError, match=r"^503, 6 times$"):
        client(hub).get("/repos/a/one")
    assert hub.slept == [1, 2, 4, 8, 16]


def test_a_wait_of_days_is_not_waited_for(client):
    hub = Github(made("a/one"))
    hub.faults = [("/repos", 429, {"Retry-After": "200000"}, {"message": "no"})]
    with pytest.raises(GithubError, match=r"^429 no: asks to wait for 200,000 s$"):
        client(hub).get("/repos/a/one")
    assert hub.slept == []


def test_nor_is_one_for_a_limit_that_opens_in_days(client):
    hub = Github(made("a/one"))
    hub.faults = [("/repos", 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON) + 9**9)}, {})]
    asking = client(hub)
    asking.get("/repos/a/one")
    with pytest.raises(GithubError, match="the rate limit is used up for 387,"):
        asking.get("/repos/a/two")
    assert hub.slept == []


def test_a_limit_that_is_used_up_is_waited_for_before_the_next_request_of_its_kind(client, caplog):
    hub, used_up = Github(made("a/one")), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON) + 40)}
    hub.faults = [("/repos", 200, used_up, {"x": 1})]
    asking = client(hub, token="")
    asking.get("/repos/a/one")
    asking.get("/search/repositories?q=stars:1..*+created:2020..2021&page=1&per_page=100")
    assert hub.slept == []
    with caplog.at_level(logging.INFO):
        asking.get("/repos/a/one/commits/main", bytes.decode, "sha")
    assert hub.slept == [41]
    assert caplog.messages == [
        "crawl: github: the rate limit, which a token would raise, is used up, waiting for 41 s (2 requests so far)"
    ]


GONE = [
    ("deleted", 404, {"message": "Not Found"}, "unreadable_repository", "404 Not Found"),
    ("blocked", 451, {"message": "Repository access blocked"}, "unreadable_repository",
     "451 Repository access blocked"),
    ("empty", 409, {"message": "Git Repository is empty."}, "empty_repository", "409 Git Repository is empty."),
    ("forbidden", 403, {"message": "Resource not accessible"}, "unreadable_repository", "403 Resource not accessible"),
    ("no branch", 422, {"message": "No commit found for SHA: main"}, "unreadable_repository",
     "422 No commit found for SHA: main"),
    ("no commit", 200, b"<html>", "unreadable_repository", "expected a commit, got '<html>'"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "reason", "detail"), [case[1:] for case in GONE],
                         ids=[case[0] for case in GONE])  # fmt: skip
def test_a_bad_repository_is_recorded_and_the_others_go_on(source, tmp_path, status, body, reason, detail):
    hub = Github(made("a/bad", stars=99), made("b/good"))
    hub.faults = [("/repos/a/bad/commits", status, {}, body)]
    found = source(hub)
    assert [(one.name, one.reason, one.detail) for one in listed(found, tmp_path)] == [
        ("a/bad", reason, detail), ("b/good", None, ""),
    ]  # fmt: skip
    asked = len(hub.asked)
    again = listed(found, tmp_path)  # the next crawl: what was had is not asked again, what was not is
    assert [one.reason for one in again] == [None, None]
    assert [path for path, _ in hub.asked[asked:]] == ["/repos/a/bad/commits/main"]


class KilledError(BaseException):
    """What nothing catches."""


def killing(monkeypatch, moment):
    """The next listing is killed as it comes to that moment: before a request, or when its answer is not kept yet."""
    moments, request = count(), Client.request

    def pass_one():
        if next(moments) == moment:
            raise KilledError

    def watched(self, *arguments):
        pass_one()
        answer = request(self, *arguments)
        pass_one()
        return answer

    monkeypatch.setattr(Client, "request", watched)


@pytest.mark.parametrize("seed", range(8))
def test_a_listing_that_was_killed_goes_on_with_what_is_missing(source, serve, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(github_search, "PAGE_ROWS", 4)
    hub = Github(*hourly(9), *(made(f"b/s{year}", spdx="ISC", created=f"{year}-01-01T00:00:00Z")
                               for year in range(2010, 2020)))  # fmt: skip
    settings = {"api": serve(hub), "licenses": ["MIT", "ISC"]}
    undisturbed = list(source(hub, **settings).repositories(str(tmp_path / "undisturbed")))
    asked = hub.paths()
    hub.asked.clear()
    last = sum("/search" in path for path in asked) if seed % 2 else len(asked)
    moment = random.Random(seed).randrange(2 * last)
    with monkeypatch.context() as patched:
        killing(patched, moment)
        with pytest.raises(KilledError):
            listed(source(hub, **settings), tmp_path)
    assert listed(source(hub, **settings), tmp_path) == undisturbed
    lost = [asked[moment // 2]] if moment % 2 else []  # what was answered, and not kept
    assert sorted(hub.paths()) == sorted([*asked, *lost])


def test_a_listing_goes_on_where_github_failed(source, tmp_path):
    hub = Github(*hourly(150))
    hub.faults = [("2020-", 500, {}, b"")] * 6
    found = source(hub)
    with pytest.raises(ValueError, match="the search stopped: 500, 6 times; what is listed is kept, so run again"):
        listed(found, tmp_path)
    before = hub.paths()
    assert len(listed(found, tmp_path)) == 150
    again = hub.paths()[len(before) :]
    assert again[0] == before[-1]
    assert not {*again[1:]} & {*before}


def test_a_new_listing_asks_with_etags_and_the_same_one_not_at_all(source, serve, tmp_path):
    hub = Github(made("a/one"), made("b/two"))
    api = serve(hub)
    first = listed(source(hub, api=api, as_of="monday"), tmp_path)
    assert len(hub.asked) == 3
    assert listed(source(hub, api=api, as_of="monday"), tmp_path) == first
    assert len(hub.asked) == 3
    for damaged in (tmp_path / "cache").rglob("*.json"):
        if "/repos/a/one" in damaged.read_text():
            damaged.write_bytes(b"")
    assert listed(source(hub, api=api, as_of="monday"), tmp_path) == first
    assert [path for path, _ in hub.asked[3:]] == ["/repos/a/one/commits/main"]
    hub.asked.pop()
    assert listed(source(hub, api=api, as_of="tuesday"), tmp_path) == first
    assert ["If-None-Match" in headers for _, headers in hub.asked] == [False] * 3 + [True] * 3


def test_an_unchanged_answer_is_asked_for_with_its_etag(client):
    hub = Github(made("a/one"))
    asking = client(hub, listing="monday")
    first = asking.get("/repos/a/one")
    asking.listing = "tuesday"
    assert asking.get("/repos/a/one") == first
    assert "If-None-Match" not in hub.asked[0][1]
    assert hub.asked[1][1]["If-None-Match"]
    assert asking.num_kept == 1
    hub.repositories[0]["stargazers_count"] = 51
    asking.listing = "wednesday"
    assert asking.get("/repos/a/one")["stargazers_count"] == 51
    assert asking.num_kept == 1


def rows(found, tmp_path, **limits):
    """(path, content, reason, detail) of every file."""
    cache = str(tmp_path / "cache")
    [repository] = found.repositories(cache)
    made_of = Limits(**limits)
    batches = files.batches(repository, lambda: found.entries(repository, made_of, cache), made_of)
    return [(row["path"], row["content"], row["reason"], row["detail"]) for one in batches for row in one.to_pylist()]


def test_a_repository_is_fetched_as_a_tarball_that_leaves_nothing_behind(source, tmp_path):
    hub = Github(made("a/one"))
    assert rows(source(hub), tmp_path) == [("LICENSE", "x\n", None, ""), ("a.py", "name = 'one'\n", None, "")]
    commit = hashlib.sha1(b"a/one@main").hexdigest()
    assert hub.paths("ball") + hub.paths("codeload") == [f"/repos/a/one/tarball/{commit}", "/codeload/a/one"]
    assert list((tmp_path / "cache").rglob("*.tmp")) == []


BODIES = [
    ("cut off once", [(200, {"Content-Length": "99999"}, b"\x1f\x8b")], None, ""),
    ("cut off every time", [(200, {"Content-Length": "99999"}, b"\x1f\x8b")] * 6, "unreadable_repository",
     "Connection broken: IncompleteRead(2 bytes read, 99997 more expected), 6 times"),
    ("cut off at the server", [(200, {}, tarball("a/one", {"a.py": "a"})[:-9])], "unreadable_repository", "tarball: "),
    ("gone meanwhile", [(404, {}, b"{}")], "unreadable_repository", "404"),
    ("too large", [(200, {}, bytes(3000))], "unreadable_repository", "an answer of more than 2,000 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "reason", "detail"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_a_body_that_is_not_whole_costs_that_repository(source, tmp_path, faults, reason, detail):
    hub = Github(made("a/one"))
    hub.faults = [("codeload", *fault) for fault in faults]
    found = rows(source(hub, max_download_bytes=2000), tmp_path)
    assert {row[2] for row in found} == {reason}
    assert found[0][3].startswith(detail)


def test_a_limit_of_the_crawl_is_no_fault_of_the_body(source, tmp_path):
    hub = Github(made("a/one"))
    assert rows(source(hub), tmp_path, max_entries=1) == [(".", "", "repository_entries", "more than 1 entries")]


def test_a_renamed_repository_is_followed(client):
    hub = Github(made("new/name"))
    hub.faults = [("/repos/old/name", 301, {"Location": "/repos/new/name"}, b"")]
    assert client(hub).get("/repos/old/name")["full_name"] == "new/name"


def test_the_token_goes_to_the_api_alone(client, serve):
    hub, store, stranger = Github(), Github(made("a/one")), Github(made("a/one"))
    allowed, other = serve(store), serve(stranger)
    asking = client(hub, hosts=frozenset([urlsplit(allowed).netloc]))
    hub.faults = [("/repos", 302, {"Location": f"{allowed}/repos/a/one"}, b"")]
    assert asking.get("/repos/a/one")["full_name"] == "a/one"
    assert hub.asked[0][1]["Authorization"] == "Bearer secret"
    assert "Authorization" not in store.asked[0][1]
    hub.faults = [("/repos", 302, {"Location": f"{other}/repos/a/one"}, b"")]
    with pytest.raises(GithubError, match=r"redirects to 127\.0\.0\.1:\d+, which is not among the allowed hosts"):
        asking.get("/repos/a/two")
    assert stranger.asked == []
    for location in ("http://[", "file:///etc/passwd", "http://api.github.com/x"):
        hub.faults = [("/repos", 302, {"Location": location}, b"")]
        with pytest.raises(GithubError, match="redirects to"):
            asking.get("/repos/a/two")
    hub.faults = [("/repos", 302, {"Location": "/repos/a/three"}, b"")] * 9
    with pytest.raises(GithubError, match="redirects more than 5 times"):
        asking.get("/repos/a/three")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.github.com/x", True), ("http://127.0.0.1:9/x", True), ("http://localhost/x", True),
        ("http://[::1]:9/", True), ("http://api.github.com/x", False), ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/x", False), ("http://127.0.0.1.example.org/", False), ("http://10.0.0.1/", False),
        ("", False),
    ],
)  # fmt: skip
def test_what_is_sent_nobody_else_reads(url, expected):
    assert is_safe(url) is expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "created_before: got {'kind': 'github'}; Field required"),
        ({"created_before": "soon"}, "created_before: got 'soon'; Input should be a valid date"),
        ({"created_before": "2023-02-01", "stars": 9}, "stars: unknown key"),
        ({"created_before": "2023-02-01", "api": "http://github.example.org"},
         "api: got 'http://github.example.org'; expected https://HOST, such as https://api.github.com"),
        ({"created_before": "2023-02-01", "fetch": "zip"}, "Input should be 'tarball' or 'clone'"),
        ({"created_before": "2023-02-01", "licenses": ["apache2"]}, "'apache2' is no identifier of the SPDX list"),
        ({"created_before": "2007-01-01"}, "created_before (2007-01-01) must be after created_from (2007-10-01)"),
        ({"created_before": "2023-02-01", "languages": ['C" x']}, "a name may not be empty or hold a"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=r"config table \[crawl\]:") as refused:
        config.parse(CrawlConfig, {"sources": [{"kind": "github"} | settings]}, "crawl")
    assert message in str(refused.value)


def test_a_token_that_is_named_must_be_there(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    found = GithubSource(created_before="2023-02-01", token_variable="WORK_TOKEN")
    with pytest.raises(ValueError, match="token_variable: the environment has no WORK_TOKEN; export a token there"):
        listed(found, tmp_path)


def test_a_token_is_never_shown(tmp_path, monkeypatch):
    assert "secret" not in repr(Client("https://api.github.com", frozenset(), "", token="secret"))
    monkeypatch.setenv("GITHUB_TOKEN", "secret\nsecret")
    with pytest.raises(ValueError, match="what GITHUB_TOKEN holds is no token") as refused:
        listed(GithubSource(created_before="2023-02-01"), tmp_path)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("answer", [b"[]", b'{"total_count": 1}', b'{"total_count": "many"}', b"[" * 100_000])
def test_an_answer_of_another_shape_is_asked_for_again(source, tmp_path, answer):
    hub = Github(made("a/one"))
    hub.faults = [("/search", 200, {}, answer)]
    assert [one.name for one in listed(source(hub), tmp_path)] == ["a/one"]


def test_a_search_that_github_breaks_off_is_asked_in_halves(client):
    hub = Github(made("a/one"))
    hub.faults = [("/search", 200, {}, {"total_count": 0, "incomplete_results": True, "items": []})]
    assert names_of(client(hub)) == ["a/one"]


def test_a_search_that_github_always_breaks_off_has_an_end(client, caplog):
    hub = Github(*hourly(30))

    def answer(path, answered=hub.answer):
        status, headers, body = answered(path)
        return status, headers, body | {"incomplete_results": True}

    hub.answer = answer
    found = names_of(client(hub), end=datetime(2020, 1, 9, tzinfo=UTC))
    assert sorted(found) == sorted(one["full_name"] for one in hub.repositories)
    assert len(hub.asked) == 15
    assert len(caplog.messages) == 8


def test_names_that_are_none_are_left_out(client):
    hub = Github(*(made(name) for name in ("a/one", "a/..", "../../etc", "a/b/c", "a/b?x", "a/é")))
    assert names_of(client(hub)) == ["a/one"]


def test_a_repository_is_fetched_as_a_clone(source, tmp_path, monkeypatch):
    folder = tmp_path / "web" / "a" / "one.git"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("one = 1\n")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "m"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    commit = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True
    ).stdout.strip()
    hub = Github(made("a/one"))
    hub.faults = [("/commits", 200, {}, commit)]
    monkeypatch.setattr(GithubSource, "_web", lambda self: f"file://{tmp_path}/web")
    assert rows(source(hub, fetch="clone"), tmp_path) == [("a.py", "one = 1\n", None, "")]
    assert hub.paths("tarball") == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "the token is refused: make a new one; GitHub says: 401 Bad credentials"),
        (422, "the search is refused: see its settings; GitHub says: 422 Bad credentials"),
    ],
)
def test_what_the_user_must_mend_stops_the_crawl(source, tmp_path, status, message):
    hub = Github(made("a/one"))
    hub.faults = [("/search", status, {}, {"message": "Bad credentials"})]
    with pytest.raises(ValueError, match=message):
        listed(source(hub), tmp_path)


def test_the_whole_crawl(source, serve, run_stages, run_folder, monkeypatch):
    hub = Github(made("a/one", spdx="MIT"), made("b/two", spdx="GPL-3.0"), made("c/gone", spdx="ISC"))
    hub.faults = [("/repos/c/gone/commits", 404, {}, {"message": "Not Found"})]
    api = serve(hub)
    source(hub, api=api)
    settings = {"sources": [{"kind": "github", "created_before": "2023-02-01", "api": api}],
                "licences": {"permissive_only": True}, "num_shards": 2}  # fmt: skip
    done = run_stages("crawl", crawl=settings)["crawl"]
    assert (done.counts.rows, done.counts.kept) == (4, 2)
    assert {reason: count for reason, [count, _] in done.counts.dropped.items()} == {
        "licence": 1, "unreadable_repository": 1,
    }  # fmt: skip
    table = pq.read_table(f"{run_folder}/crawl/repositories.parquet").to_pylist()
    assert [(row["repository"], row["topics"], row["reason"]) for row in table] == [
        ("a/one", ["compiler"], None), ("b/two", ["compiler"], None), ("c/gone", ["compiler"], "unreadable_repository"),
    ]  # fmt: skip
    assert hub.paths("/repos/b/two/tarball") == []
    assert "secret" not in json.dumps(done.config)
    assert retry.ask(run_folder) == 1
    done = run_stages("crawl", crawl=settings)["crawl"]
    assert (done.counts.rows, done.counts.kept) == (5, 4)
    assert len(hub.paths("/repos/c/gone/commits")) == 2
    hub.repositories[0]["stargazers_count"] = 51
    settings["sources"][0]["as_of"] = "later"
    shards = run_stages("crawl", crawl=settings)["crawl"].shards
    stars = [row for shard in shards for row in pq.read_table(f"{run_folder}/crawl/{shard}").to_pylist()]
    assert {row["num_stars"] for row in stars if row["repository"] == "a/one"} == {51}
    assert len(hub.paths("/repos/a/one/tarball")) == 1  # the commit is the same, so nothing is fetched again
