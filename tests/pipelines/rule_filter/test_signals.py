"""The signals of a column of texts against their definition in plain Python, on arbitrary Unicode."""

import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rule_filter.signals import measure


class Defined(NamedTuple):
    num_chars: int
    num_lines: int
    line_length_max: int
    line_length_mean: float
    alphabetic_share: float


def define(text: str) -> Defined:
    lines = re.split("\r\n|\r|\n", text)
    if not lines[-1]:
        lines.pop()  # what follows the last line's end is no line
    lengths = [len(line) for line in lines]
    mean = sum(lengths) / len(lines) if lines else 0.0
    letters = sum(character.isalpha() for character in text)
    return Defined(len(text), len(lines), max(lengths, default=0), mean, letters / len(text) if text else 0.0)


def measured(texts: list[str]) -> list[Defined]:
    found = measure(pa.array(texts, pa.large_string()))
    columns = (found.num_chars, found.num_lines, found.line_length_max, found.line_length_mean, found.alphabetic_share)
    return [Defined(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


CASES = [
    ("", (0, 0, 0, 0.0, 0.0)),
    ("\n", (1, 1, 0, 0.0, 0.0)),
    ("\r\n", (2, 1, 0, 0.0, 0.0)),
    ("\n\r", (2, 2, 0, 0.0, 0.0)),
    ("ab", (2, 1, 2, 2.0, 1.0)),
    ("ab\n", (3, 1, 2, 2.0, 2 / 3)),
    ("ab\n\nabcd", (8, 3, 4, 2.0, 0.75)),
    ("a\rb\r\nc\nd", (8, 4, 1, 1.0, 0.5)),
    ("1é中😀_", (5, 1, 5, 5.0, 0.4)),
    ("e\u0301", (2, 1, 2, 2.0, 0.5)),  # a combining mark is a character, and no letter
    ("a\u2028b\x0cc\x85", (6, 1, 6, 6.0, 0.5)),  # no other character ends a line
    ("𝔘\n", (2, 1, 1, 1.0, 0.5)),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_signals(text, expected):
    assert measured([text]) == [expected]
    assert define(text) == expected


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n\t aé中😀\u0301\u2028\x00"))


@given(st.lists(ANY_TEXT, max_size=5))
def test_the_law(texts):
    assert measured(texts) == [define(text) for text in texts]


def test_a_slice_of_a_column_is_measured_alike():
    column = pa.array([text for text, _ in CASES], pa.large_string()).slice(3, 4)
    assert measure(column).num_chars.tolist() == [len(text) for text, _ in CASES[3:7]]


def test_real_files():
    sources = sorted(Path(__file__).parents[3].glob("pipelines/**/*.py"))
    texts = [path.read_text() for path in sources]
    assert len(texts) > 30
    assert measured(texts) == [define(text) for text in texts]
