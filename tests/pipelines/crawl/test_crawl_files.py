"""From the bytes of an entry to a row: identity, decoding, limits, and where row groups are cut."""

import pytest

from pipelines.crawl import files
from pipelines.crawl.sources.source import Entry, Repository, no_content


def repository(name: str = "owner/name", revision: str = "abc") -> Repository:
    return Repository(name, revision, "MIT", 7, "anywhere")


def entry(path: str, content: bytes) -> Entry:
    return Entry(path, len(content), lambda: content)


def never_read() -> bytes:
    raise AssertionError("what the limits rule out is not read")


@pytest.mark.parametrize(
    ("identity", "file_id"),
    [
        # printf 'owner/name\0abc\0src/a.py' | b2sum --length 80
        (("owner/name", "abc", "src/a.py"), "28cd92f93cfb68c8377d"),
        (("owner/name", "", "src/a.py"), "3654f7d99aa78f97afef"),
        (("owner/name", "abc", "中/é.py"), "9d403e050db9e200dbba"),
    ],
)
def test_a_file_id_is_the_same_in_every_crawl(identity, file_id):
    assert files.file_id(*identity) == file_id


def test_the_parts_of_an_identity_do_not_run_together():
    assert files.file_id("a", "b", "c") != files.file_id("a", "", "bc") != files.file_id("ab", "", "c")


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        pytest.param(b"x = 1\n", ("x = 1\n", None, ""), id="ASCII"),
        pytest.param("é = '中😀'".encode(), ("é = '中😀'", None, ""), id="UTF-8"),
        pytest.param(b"\xef\xbb\xbfx\n", ("x\n", None, ""), id="a byte order mark is no text"),
        pytest.param(b"a\r\nb\rc\n", ("a\r\nb\rc\n", None, ""), id="line ends stay as they are"),
        pytest.param(b"MZ\x00\x01", ("", "binary", "NUL at byte 2"), id="NUL"),
        pytest.param("x".encode("utf-16"), ("", "binary", "NUL at byte 3"), id="UTF-16"),
        pytest.param("na\u00efve".encode("latin-1"), ("", "encoding", "no UTF-8 at byte 2"), id="Latin-1"),
        pytest.param(b"\xef\xbb\xbfab\xff", ("", "encoding", "no UTF-8 at byte 5"), id="after a byte order mark"),
        pytest.param(b"\xed\xa0\x80", ("", "encoding", "no UTF-8 at byte 0"), id="a surrogate"),
        pytest.param(b"ok\xe4\xb8", ("", "encoding", "no UTF-8 at byte 2"), id="cut off inside a character"),
        pytest.param(b"", ("", "empty", "0 bytes, all white space"), id="no byte"),
        pytest.param(b" \t\r\n\xc2\xa0", ("", "empty", "6 bytes, all white space"), id="white space"),
        pytest.param(b"\xef\xbb\xbf", ("", "empty", "3 bytes, all white space"), id="a byte order mark alone"),
    ],
)
def test_decode(content, outcome):
    assert files.decode(content) == outcome


def test_a_row_says_where_the_file_is_from():
    [row] = files.rows(repository(), [entry("src/a.py", b"x\n")], files.Limits())
    assert row == {
        "file_id": files.file_id("owner/name", "abc", "src/a.py"),
        "repository": "owner/name",
        "revision": "abc",
        "path": "src/a.py",
        "license": "MIT",
        "num_stars": 7,
        "size_bytes": 2,
        "content": "x\n",
        "reason": None,
        "detail": "",
    }


def test_the_limits_take_effect_one_byte_beyond():
    limits = files.Limits(max_file_bytes=4, max_repository_bytes=9)
    found = [
        entry("a", b"1234"),
        Entry("b", 5, never_read),
        entry("c", b"\0\0\0\0"),  # a dropped file takes nothing of the repository's limit
        entry("d", b"1234"),
        Entry("e", 2, never_read),
        entry("f", b"1"),
        Entry("g", 0, no_content, "symlink"),
    ]
    rows = list(files.rows(repository(), found, limits))
    assert [(row["path"], row["reason"], row["detail"]) for row in rows] == [
        ("a", None, ""),
        ("b", "file_size", "5 > 4"),
        ("c", "binary", "NUL at byte 0"),
        ("d", None, ""),
        ("e", "repository_size", "10 > 9"),
        ("f", None, ""),
        ("g", "symlink", ""),
    ]


def test_row_groups_are_cut_between_repositories_only():
    def of(name: str, *sizes: int) -> list[dict]:
        found = [entry(str(number), b"x" * size) for number, size in enumerate(sizes)]
        return list(files.rows(repository(name), found, files.Limits(max_file_bytes=100)))

    repositories = [of("a", 6, 6, 6), of("b", 3), of("c", 4), of("d", 3, 101), of("e", 1)]
    groups = [table.column("repository").to_pylist() for table in files.row_groups(repositories, target_bytes=10)]
    assert groups == [["a", "a", "a"], ["b", "c", "d", "d"], ["e"]]


def test_row_groups_are_measured_in_bytes_not_characters():
    repositories = [files.rows(repository(name), [entry("f", "中文".encode())], files.Limits()) for name in "abc"]
    assert [len(table) for table in files.row_groups(repositories, target_bytes=10)] == [2, 1]


def test_no_repository_is_no_row_group():
    assert list(files.row_groups([], target_bytes=10)) == []
