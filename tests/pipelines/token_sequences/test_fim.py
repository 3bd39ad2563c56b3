"""Fill in the middle: reversible, decided by (seed, epoch, document) alone, at the asked rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.token_sequences import fim
from pipelines.token_sequences.fim import Parts


@given(st.text(min_size=3), st.text(), st.integers(), st.integers(0, 9))
def test_the_parts_are_the_document(text, document_id, seed, epoch):
    parts = fim.split(text, document_id, 1.0, seed, epoch)
    assert parts is not None
    assert parts.prefix + parts.middle + parts.suffix == text
    assert "".join(parts).encode()  # no character is cut in two


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_rate_is_that_of_documents(rate):
    cut = sum(fim.split("text", str(number), rate, seed=0) is not None for number in range(4000))
    assert abs(cut / 4000 - rate) < 0.03
    assert cut == 4000 * rate or 0 < rate < 1


def test_a_higher_rate_cuts_the_same_documents_and_more_at_the_same_places():
    low, high = ({n: fim.split("a" * 50, str(n), rate, 0) for n in range(500)} for rate in (0.3, 0.6))
    assert all(high[n] == parts for n, parts in low.items() if parts)
    assert sum(parts is not None for parts in high.values()) > sum(parts is not None for parts in low.values())


GOLDEN = [
    (("0123456789", "doc", 1.0, 0, 0), Parts("01", "234567", "89")),
    (("0123456789", "doc", 1.0, 0, 1), Parts("", "0123456", "789")),
    (("0123456789", "doc", 1.0, 1, 0), Parts("0123456", "", "789")),
    (("0123456789", "cod", 1.0, 0, 0), Parts("01234", "56", "789")),
    (("中文é😀", "doc", 1.0, 0, 0), Parts("中", "文é", "😀")),
]


@pytest.mark.parametrize(("arguments", "parts"), GOLDEN)
def test_a_cut_never_changes(arguments, parts):
    assert fim.split(*arguments) == parts


@pytest.mark.parametrize(("text", "is_cut"), [("", False), ("ab", False), ("abc", True)])
def test_a_text_of_less_than_three_characters_stays_whole(text, is_cut):
    assert (fim.split(text, "doc", 1.0, 0) is not None) == is_cut


def test_cuts_fall_everywhere_alike():
    parts = [fim.split("0123456789", str(number), 1.0, 0) for number in range(4000)]
    starts = [len(part.prefix) for part in parts] + [len(part.prefix + part.middle) for part in parts]
    counts = [starts.count(place) for place in range(11)]
    assert all(abs(count / 8000 - 1 / 11) < 0.015 for count in counts)
