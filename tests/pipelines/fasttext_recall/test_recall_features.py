"""What the classifier reads: words without spaces, and nothing that means something to fastText."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.fasttext_recall import features
from pipelines.fasttext_recall.features import Featurizer

TEXTS = [
    "def load(path):\n    return open(path).read()\n" * 20,
    "编程语言有函数，也有变量。函数返回变量的值，变量改变函数。调用函数。声明变量。" * 20,
    "Cook the rice and stir the soup. " * 20,
]


@pytest.fixture(scope="module")
def tokenizer():
    return features.train_tokenizer(TEXTS, 600)


def test_the_same_texts_give_the_same_tokenizer(tokenizer):
    assert features.train_tokenizer(TEXTS, 600).to_str() == tokenizer.to_str()


def test_chinese_text_becomes_the_words_that_come_often(tokenizer):
    [line] = Featurizer(tokenizer, 1000).lines(["新函数改变量"])
    tokens = [tokenizer.decode([int(word)]) for word in line.split()]
    assert "函数" in tokens
    assert "变量" in tokens


@pytest.mark.parametrize(
    ("what", "one", "other"),
    [
        ("case", "DEF Load", "def load"),
        ("full-width letters", "ｄｅｆ", "def"),
        ("what comes after the limit", "a" * 100 + "b", "a" * 100 + "c"),
    ],
)
def test_what_makes_no_difference(tokenizer, what, one, other):
    first, second = Featurizer(tokenizer, 100).lines([one, other])
    assert first == second != ""


@pytest.mark.parametrize("text", ["", " ", "\n", "</s>", "__label__code x", "a\nb\r\u2028c\0d", "\U0010ffff", "𝕏"])
def test_a_line_holds_numbers_only(tokenizer, text):
    [line] = Featurizer(tokenizer, 100).lines([text])
    assert re.fullmatch(r"(\d+( \d+)*)?", line)


@given(st.text(max_size=60))
def test_no_text_is_lost(text):
    words = features._words(text)
    assert "".join(words) == features.unicodedata.normalize("NFKC", text).lower()
    assert all(len(word) <= 33 for word in words)


def test_what_was_seen_before_makes_no_difference(tokenizer, monkeypatch):
    expected = [Featurizer(tokenizer, 1000).lines([text])[0] for text in TEXTS]
    assert Featurizer(tokenizer, 1000).lines(TEXTS) == expected
    monkeypatch.setattr(features, "MAX_CACHED_WORDS", 3)
    assert Featurizer(tokenizer, 1000).lines(TEXTS + TEXTS) == expected + expected
