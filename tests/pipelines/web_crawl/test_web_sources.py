"""Which files `warcs` names, and what tells that one has changed."""

import pytest

from pipelines.web_crawl import sources


@pytest.fixture
def folder(tmp_path):
    for name in ("b.warc.gz", "a.warc.gz", "c.warc", "notes.txt"):
        (tmp_path / name).write_text(name)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["c.warc"], ["c.warc"]),
        (["*.warc.gz"], ["a.warc.gz", "b.warc.gz"]),
        (["c.warc", "*.warc*"], ["c.warc", "a.warc.gz", "b.warc.gz"]),
        (["[ab].warc.gz"], ["a.warc.gz", "b.warc.gz"]),
        ([], []),
    ],
)
def test_expand(folder, given, found):
    assert sources.expand([f"{folder}/{name}" for name in given]) == [f"{folder}/{name}" for name in found]


@pytest.mark.parametrize("given", ["missing.warc.gz", "*.warc.zst", "", "no/such/folder/*.warc"])
def test_nothing_found(folder, given):
    with pytest.raises(ValueError, match=r"\[web_crawl\] warcs: got .* where there is no file; expected paths"):
        sources.expand([f"{folder}/{given}"])


def test_a_changed_file_has_another_fingerprint(folder, monkeypatch, tmp_path):
    before = sources.fingerprint(f"{folder}/c.warc")
    digest = "027845dedbd8e0c06710c47428bcd44e63329e0862dcb43a9dafd5dd553aedaf"
    assert before == {"warc": f"{folder}/c.warc", "size_bytes": 6, "sha256": digest}
    (tmp_path / "c.warc").write_text("d.warc")
    assert sources.fingerprint(f"{folder}/c.warc")["sha256"] != digest
    monkeypatch.setattr(sources, "HASHED_BYTES", 3)
    assert set(sources.fingerprint(f"{folder}/c.warc")) == {"warc", "size_bytes", "changed_at_ns"}
