"""Tables of files, in the layouts of The Stack, as repositories."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import config
from pipelines.crawl import files
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import regroup
from pipelines.crawl.sources.source import each_path_once
from pipelines.crawl.sources.stack import StackSource
from pipelines.crawl.stage import STAGE, CrawlConfig


def v1(repository: str, path: str | None, content: str | None, **more) -> dict:
    row = {
        "hexsha": f"id of {content}", "size": len(content or ""), "ext": "py", "lang": "Python", "content": content,
        "max_stars_repo_path": path, "max_stars_repo_name": repository, "max_stars_repo_head_hexsha": "c1",
        "max_stars_repo_licenses": ["MIT"], "max_stars_count": 3.0,
    }  # fmt: skip
    return {**row, **more}


def v2(path: str, blob_id: str, **more) -> dict:
    row = {
        "blob_id": blob_id, "path": path, "repo_name": "r", "revision_id": "r1", "detected_licenses": ["MIT"],
        "star_events_count": 7, "src_encoding": "UTF-8", "length_bytes": 4,
    }  # fmt: skip
    return {**row, **more}


SCHEMA = pa.Table.from_pylist([v1("", "", "")]).schema


@pytest.fixture
def source(tmp_path):
    """A source of one table for each list of rows."""

    def write(*tables: list[dict], **options) -> StackSource:
        for number, rows in enumerate(tables):
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{number}.parquet", row_group_size=2)
        return StackSource(tables=str(tmp_path / "*.parquet"), **options)

    return write


@pytest.fixture
def crawl(tmp_path):
    """{repository: [(path, content or reason)]} of a source."""

    def read(found: StackSource, **changed: int) -> dict[str, list[tuple[str, str]]]:
        cache, limits = str(tmp_path / "cache"), Limits(**changed)
        listed = {}
        for repository in found.repositories(cache):
            rows = list(files.rows(each_path_once(found.entries(repository, limits, cache)), limits))
            assert {row.found.reason for row in rows} - {None} <= set(STAGE.reasons)
            listed[repository.name] = [(row.path, row.found.reason or row.found.content.decode()) for row in rows]
        return listed

    return read


def test_files_that_lie_scattered_come_together_by_path(source, crawl):
    one = [v1("o/a", "z.py", "z"), v1("o/b", "a.py", "b"), v1("o/a", "lib/y.py", "y")]
    other = [v1("o/b", "B.py", "B"), v1("o/a", "a.py", "é")]
    assert crawl(source(one, other)) == {
        "o/a": [("a.py", "é"), ("lib/y.py", "y"), ("z.py", "z")],
        "o/b": [("B.py", "B"), ("a.py", "b")],
    }


def test_what_is_said_of_a_repository(source, tmp_path):
    rows = [
        v1("o/a", "a", "a", max_stars_repo_licenses=["MIT", "Apache-2.0"]),
        v1("o/a", "b", "b", max_stars_count=None, max_stars_repo_licenses=["MIT"]),
        v1("o/b", "a", "a", max_stars_count=None, max_stars_repo_licenses=None),
    ]
    found = {one.name: one for one in source(rows).repositories(str(tmp_path / "cache"))}
    said = {name: (one.revision, one.license, one.num_stars) for name, one in found.items()}
    assert said == {"o/a": ("c1", "Apache-2.0 AND MIT", 3), "o/b": ("c1", "", 0)}


def test_a_repository_that_gained_a_file_has_another_digest_and_the_others_have_not(source, tmp_path):
    def digests(rows: list[dict]) -> dict[str, str]:
        return {one.name: one.digest for one in source(rows).repositories(str(tmp_path / "cache"))}

    rows = [v1("o/a", "a", "a"), v1("o/b", "a", "a")]
    before, after = digests(rows), digests([*rows, v1("o/b", "b", "b")])
    assert before["o/a"] == after["o/a"]
    assert before["o/b"] != after["o/b"]


HOSTILE = [
    (v1("r", "../a", "a"), ("../a", "unsafe_path")),
    (v1("r", "", "a"), ("", "unsafe_path")),
    (v1("r", None, "a"), ("", "unsafe_path")),
    (v1("r", "a", None), ("a", "empty")),
    (v1("r", "a", "a\0"), ("a", "binary")),
    (v1("r", "a", "x" * 20), ("a", "file_size")),
    (v1("r", "//etc/passwd", "a"), ("/etc/passwd", "unsafe_path")),
]


@pytest.mark.parametrize(("row", "outcome"), HOSTILE)
def test_what_no_repository_may_hold_is_dropped(source, crawl, row, outcome):
    assert crawl(source([row, v1("r", "z", "z")]), max_file_bytes=10) == {"r": [outcome, ("z", "z")]}


def test_of_rows_with_one_path_the_first_by_blob_id_counts(source, crawl):
    rows = [v1("r", "a", "two", hexsha="2"), v1("r", "a", "one", hexsha="1")]
    assert crawl(source(rows)) == {"r": [("a", "one"), ("a", "duplicate_path")]}


def from_nowhere(ids: list[str]) -> dict[str, bytes]:
    """Knows all but `unknown`, and raises where it is asked for `bad`."""
    if "bad" in ids:
        raise OSError("no access")
    return {one: f"text of {one}".encode() for one in ids if one != "unknown"}


def test_texts_come_from_a_function_and_one_that_fails_drops_one_file(source, crawl, tmp_path):
    rows = [v2("/a.py", "a"), v2("/b.py", "bad"), v2("/c.py", "unknown"), v2("/d.py", "d", length_bytes=99)]
    found = source(rows, layout="v2", resolver=f"{__name__}:from_nowhere")
    assert crawl(found, max_file_bytes=10) == {
        "r": [("a.py", "text of a"), ("b.py", "missing_blob"), ("c.py", "missing_blob"), ("d.py", "file_size")]
    }
    [repository] = found.repositories(str(tmp_path / "cache"))
    details = [entry.detail for entry in found.entries(repository, Limits(), str(tmp_path / "cache")) if entry.detail]
    assert details == ["OSError: no access", "the resolver has no such blob"]


def test_texts_come_from_a_folder_of_blobs(source, crawl, tmp_path):
    (tmp_path / "blobs" / "bb").mkdir(parents=True)
    (tmp_path / "blobs" / "aaaa").write_text("a")
    (tmp_path / "blobs" / "bb" / "bbbb.gz").write_bytes(gzip.compress("Müller".encode("latin-1")))
    (tmp_path / "blobs" / "cccc").symlink_to("/etc/passwd")
    (tmp_path / "blobs" / "dddd.gz").write_bytes(b"no gzip")
    ids = ["aaaa", "bbbb", "cccc", "dddd", "../aaaa"]
    rows = [v2(f"/{n}", one, src_encoding="ISO-8859-1") for n, one in enumerate(ids)]
    assert crawl(source(rows, layout="v2", blobs=str(tmp_path / "blobs"))) == {
        "r": [("0", "a"), ("1", "Müller"), *((str(n), "missing_blob") for n in (2, 3, 4))]
    }


def test_columns_of_other_names(source, crawl):
    rows = [{"repo": "r", "file": "a", "text": "a"}]
    columns = {"repository": "repo", "path": "file", "content": "text"}
    assert crawl(source(rows, columns=columns)) == {"r": [("a", "a")]}


REFUSED = [
    ({"columns": {"name": "x"}}, "columns: unknown name 'name'; known: repository, path, "),
    ({"layout": "v2"}, "expected one of: a column `content`, a `resolver`, a folder `blobs`"),
    ({"resolver": "m:f", "blobs": "b"}, "expected one of: a column `content`, a `resolver`, a folder `blobs`"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_a_bad_setting_is_refused(options, message):
    table = {"sources": [{"kind": "stack", "tables": "x", **options}]}
    with pytest.raises(ValueError, match=r"config table \[crawl\]:") as refused:
        config.parse(CrawlConfig, table, "crawl")
    assert message in str(refused.value)


WRONG = [
    ([v2("a", "a")], {"layout": "v2", "resolver": "no.such:f"}, "resolver: got 'no.such:f': No module named 'no'"),
    ([v2("a", "a")], {"layout": "v2", "blobs": "/no/such"}, "blobs: got '/no/such', which is no folder; expected one"),
    ([v1("r", "a", "a")], {"columns": {"path": "p"}}, r"columns: .*/0.parquet has no column 'p' for path; it has hex"),
]


@pytest.mark.parametrize(("rows", "options", "message"), WRONG)
def test_what_does_not_fit_the_tables_is_said(source, tmp_path, rows, options, message):
    with pytest.raises(ValueError, match=message):
        list(source(rows, **options).repositories(str(tmp_path / "cache")))
    assert not (tmp_path / "cache").exists()


def test_a_table_that_is_none_is_said_by_name(tmp_path):
    (tmp_path / "a.parquet").write_text("text")
    with pytest.raises(ValueError, match=r"^crawl source: tables: .*/a\.parquet is no Parquet file: Parquet "):
        StackSource(tables=str(tmp_path / "*.parquet")).fingerprint()


ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.text("xyé/", min_size=1, max_size=3), st.text(max_size=9)))
SIZES = st.tuples(st.integers(20, 200), st.integers(1, 200), st.integers(1, 30))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, sizes=SIZES)
def test_every_row_comes_out_once_whatever_the_sizes(tmp_path_factory, rows, sizes):
    folder = tmp_path_factory.mktemp("stack")
    pq.write_table(pa.Table.from_pylist([v1(*row) for row in rows], SCHEMA), folder / "t.parquet")
    source = StackSource(tables=str(folder / "t.parquet"))
    with pytest.MonkeyPatch.context() as patched:
        for name, size in zip(("PARTITION_BYTES", "BUFFER_BYTES", "BATCH_BYTES"), sizes, strict=True):
            patched.setattr(regroup, name, size)
        found = [
            (repository.name, entry.path)
            for repository in source.repositories(str(folder / "cache"))
            for entry in source.entries(repository, Limits(), str(folder / "cache"))
        ]
    assert sorted(found) == sorted((name, path.removeprefix("/")) for name, path, _ in rows)
