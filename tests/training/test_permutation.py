import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.permutation import permute


def permuted(size: int, key: bytes) -> list[int]:
    return permute(np.arange(size, dtype=np.uint64), size, key).tolist()


@settings(max_examples=50)
@given(st.integers(1, 3000), st.binary(max_size=8))
def test_every_number_comes_once(size, key):
    assert sorted(permuted(size, key)) == list(range(size))


@given(st.integers(1, 2**40), st.data())
def test_one_index_needs_no_others(size, data):
    index = data.draw(st.integers(0, size - 1))
    alone = permute(np.array([index], dtype=np.uint64), size, b"key")
    among = permute(np.array([0, index, size - 1], dtype=np.uint64), size, b"key")
    assert alone[0] == among[1] < size


def test_the_order_is_the_same_everywhere_and_for_ever():
    assert permuted(12, b"key") == [2, 10, 4, 8, 1, 7, 11, 9, 0, 3, 5, 6]


def test_another_key_gives_another_order():
    assert len({tuple(permuted(50, bytes([key]))) for key in range(100)}) == 100


def test_it_mixes():
    places = np.array(permuted(10_000, b"key"))
    correlation = np.corrcoef(places, np.arange(10_000))[0, 1]
    neighbours = np.abs(np.diff(places)).mean()
    assert abs(correlation) < 0.05
    assert abs(neighbours - 10_000 / 3) < 200  # what random numbers have
