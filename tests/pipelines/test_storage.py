"""A file appears whole or not at all."""

import pytest

from pipelines import storage


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    url = str(tmp_path / "a" / "manifest.json")
    storage.write_json(url, {"version": 1})

    def interrupted() -> None:
        with storage.replacing(url) as stream:
            stream.write(b"half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert storage.read_json(url) == {"version": 1}
    assert storage.names(str(tmp_path / "a")) == ["manifest.json"]


def test_a_file_is_not_there_until_it_is_whole(tmp_path):
    url = str(tmp_path / "shard.parquet")
    with storage.replacing(url) as stream:
        stream.write(b"half")
        assert not storage.exists(url)
    assert (tmp_path / "shard.parquet").stat().st_size == 4


@pytest.mark.parametrize("scheme", ["", "memory://"])
def test_any_file_system_serves(scheme, tmp_path):
    folder = scheme + str(tmp_path / "data")
    assert storage.names(folder) == []
    storage.write_json(storage.join(folder, "b.json"), [1])
    storage.write_json(storage.join(folder, "a.json"), [2])
    assert storage.names(folder) == ["a.json", "b.json"]
    assert storage.read_json(storage.join(folder, "a.json")) == [2]
    storage.remove(storage.join(folder, "a.json"))
    storage.remove(storage.join(folder, "never.json"))
    assert storage.names(folder) == ["b.json"]
