"""Rows are found by id, a column at a time; an id that is not there, or is alike only by hash, is not found."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.near_duplicates import lookup
from pipelines.near_duplicates.lookup import Lookup


@given(
    st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=20),
    st.lists(st.text("ab", max_size=4)),
)
def test_the_law(tmp_path_factory, ids, others):
    url = str(tmp_path_factory.mktemp("lookup") / "table.arrow")
    known = sorted(ids)
    lookup.write(url, pa.table({"id": pa.array(known, pa.string()), "number": np.arange(len(known))}))
    found = Lookup(url)
    asked = [*known, *others]
    rows = found.find(pa.chunked_array([pa.array(asked, pa.string())]))
    numbers = found.table.column("number").to_pylist()
    expected = [known.index(one) if one in ids else None for one in asked]
    assert [numbers[row] if row >= 0 else None for row in rows] == expected


def test_another_id_of_the_same_hash_is_not_found(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "hashes", lambda ids: np.zeros(len(ids), np.uint64))
    url = str(tmp_path / "table.arrow")
    lookup.write(url, pa.table({"id": ["a"]}))
    assert Lookup(url).find(pa.chunked_array([["a", "b"]])).tolist() == [0, -1]
    with pytest.raises(AssertionError, match="same 64-bit hash"):
        lookup.write(url, pa.table({"id": ["a", "b"]}))


def test_the_hash_is_fnv_and_splitmix():
    from pipelines import words

    expected = 0xCBF29CE484222325
    for byte in "né".encode():
        expected = (expected ^ byte) * 0x100000001B3 % 2**64
    assert (
        lookup.hashes(pa.array(["né", ""], pa.large_string()))[0] == words.mix_all(np.array([expected], np.uint64))[0]
    )
