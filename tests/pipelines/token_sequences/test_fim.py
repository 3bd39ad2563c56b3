"""Fill in the middle: reversible, decided by (seed, epoch, document) alone, at the asked rate."""

from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.token_sequences.fim import Shares, cut

PSM, SPM, MSP = Shares(1.0), Shares(1.0, spm=1.0), Shares(1.0, msp=1.0)
SHARES = st.builds(lambda rate, spm, msp: Shares(rate, spm, msp * (1 - spm)), *[st.floats(0, 1)] * 3)


def spans(text: str, document_id: str, shares: Shares, seed: int = 0, epoch: int = 0) -> list[str]:
    return spans_of({document_id: text}, shares, seed, epoch)[document_id]


def spans_of(texts: dict[str, str], shares: Shares, seed: int = 0, epoch: int = 0) -> dict[str, list[str]]:
    """Raises where a character is cut in two. The texts lie in the middle of an Arrow array."""
    column = pa.array(["é before", *texts.values(), "after"], pa.large_string())[1:-1]
    found = cut(column, list(texts), shares, seed, epoch)
    pieces = [found.data[start:end].tobytes().decode() for start, end in pairwise(found.offsets)]
    return {name: pieces[slice(*bounds)] for name, bounds in zip(texts, pairwise(found.firsts), strict=True)}


@given(st.lists(st.text() | st.text("aé中😀", max_size=9)), SHARES, st.integers(), st.integers(0, 9))
@example(["é" * 9, "", "abc", "中"], MSP, 0, 0)
def test_the_spans_are_the_documents(texts, shares, seed, epoch):
    named = {str(number): text for number, text in enumerate(texts)}
    found = spans_of(named, shares, seed, epoch)
    assert {name: "".join(pieces) for name, pieces in found.items()} == named
    assert all(found[name] == spans(text, name, shares, seed, epoch) for name, text in named.items()), "each on its own"


GOLDEN = [
    (("0123456789", "doc", PSM, 0, 0), ["0123", "456", "789"]),
    (("0123456789", "doc", SPM, 0, 0), ["", "0123456", "789"]),
    (("0123456789", "doc", MSP, 0, 0), ["", "012", "3", "456", "7", "8", "9"]),
    (("0123456789", "doc", PSM, 0, 1), ["0123", "45678", "9"]),
    (("0123456789", "doc", PSM, 1, 0), ["0123", "45", "6789"]),
    (("0123456789", "cod", PSM, 0, 0), ["012", "345", "6789"]),
    (("中文é😀", "doc", PSM, 0, 0), ["中文", "é", "😀"]),
    (("0123456789", "doc", Shares(0.0), 0, 0), ["0123456789"]),
]


@pytest.mark.parametrize(("arguments", "expected"), GOLDEN)
def test_a_cut_never_changes(arguments, expected):
    assert spans(*arguments) == expected


def kind(pieces: list[str]) -> str:
    return {1: "whole", 3: "PSM" if pieces[0] else "SPM", 7: "MSP"}[len(pieces)]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        (Shares(0.0, 0.5, 0.5), {"whole": 1.0}),
        (Shares(0.5), {"whole": 0.5, "PSM": 0.5}),
        (Shares(1.0), {"PSM": 1.0}),
        (Shares(0.9, spm=0.5), {"whole": 0.1, "PSM": 0.45, "SPM": 0.45}),
        (Shares(0.5, spm=0.2, msp=0.3), {"whole": 0.5, "PSM": 0.25, "SPM": 0.1, "MSP": 0.15}),
        (Shares(1.0, msp=1.0), {"MSP": 1.0}),
    ],
)
def test_shares_are_those_of_documents(shares, expected):
    texts = dict.fromkeys(map(str, range(4000)), "text" * 500)
    found = Counter(map(kind, spans_of(texts, shares).values()))
    assert all(abs(found[name] / 4000 - expected.get(name, 0)) < 0.03 for name in {*found, *expected})
    assert found["whole"] == 0 or expected["whole"] > 0


def test_a_higher_rate_cuts_the_same_documents_and_more_at_the_same_places():
    texts = dict.fromkeys(map(str, range(500)), "a" * 50)
    low, high = (spans_of(texts, Shares(rate)) for rate in (0.3, 0.6))
    assert all(high[name] == pieces for name, pieces in low.items() if len(pieces) > 1)
    assert sum(len(pieces) > 1 for pieces in high.values()) > sum(len(pieces) > 1 for pieces in low.values())


@pytest.mark.parametrize(
    ("text", "is_cut"), [("", False), ("ab", False), ("中é", False), ("abc", True), ("中é😀", True)]
)
def test_a_text_of_less_than_three_characters_stays_whole(text, is_cut):
    assert (len(spans(text, "doc", PSM)) > 1) == is_cut


@pytest.mark.parametrize("shares", [PSM, MSP])
def test_characters_are_counted_not_bytes(shares):
    long, plain = ("é中a😀\n" * 500, "12345" * 500)
    for number in range(20):
        lengths = [[len(piece) for piece in spans(text, str(number), shares)] for text in (long, plain)]
        assert lengths[0] == lengths[1]


@pytest.mark.parametrize("text", ["0123456789", "é中23😀5678é"])
def test_cuts_fall_everywhere_alike(text):
    found = spans_of(dict.fromkeys(map(str, range(4000)), text), PSM).values()
    ends = [place for prefix, _, suffix in found for place in (len(prefix), 10 - len(suffix))]
    counts = [ends.count(place) for place in range(11)]
    assert all(abs(count / 8000 - 1 / 11) < 0.015 for count in counts)
