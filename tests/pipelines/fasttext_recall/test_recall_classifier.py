"""The classifier learns, is the same every time, and takes any text."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.fasttext_recall import classifier, features
from pipelines.fasttext_recall.classifier import Classifier, Hyperparameters

CONFIG = Hyperparameters(dim=16, learning_rate=0.5, epochs=50, min_count=1, bucket=1000, vocab_size=600)
TEXTS = [
    template.format(word)
    for word in "一二三四五六七八九十"
    for template in (
        "def {}(x): return x",
        "prove that {} is prime",
        "stir the {} soup",
        "{}：函数返回变量",
        "{}：求证数列收敛",
    )
]
LABELS = ["code", "math", "other", "code", "math"] * 10


def train(folder, **changed):
    config = Hyperparameters(**{**CONFIG.model_dump(), **changed})
    tokenizer = features.train_tokenizer(TEXTS, config.vocab_size)
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    classifier.train(TEXTS, LABELS, tokenizer, config, str(folder / "model.bin"))
    return folder / "model.bin"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return Classifier(str(train(folder)), str(folder / "tokenizer.json"), 1000)


def test_the_paper_s_values_are_the_defaults():
    defaults = Hyperparameters()
    assert (defaults.dim, defaults.learning_rate, defaults.word_ngrams) == (256, 0.1, 3)
    assert (defaults.min_count, defaults.epochs) == (3, 3)


def test_it_learns_both_topics_in_both_languages(model):
    found = model.scores(
        ["def g(y): return y", "prove that m is prime", "stir the salt", "百：函数返回变量", "百：求证数列收敛"]
    )
    assert found.shape == (5, 2)
    assert found.dtype == np.float32
    assert [classifier.TOPICS[row.argmax()] if row.max() > 0.5 else "other" for row in found] == [
        "code", "math", "other", "code", "math",
    ]  # fmt: skip


def test_scores_are_probabilities_whatever_the_text(model):
    texts = ["", "\n\n", "\0", "</s>", "__label__code " * 100, "\U0010ffff" * 50, "a" * 5000, "x\r\ny\u2028z"]
    found = model.scores(texts)
    assert found.shape == (len(texts), 2)
    assert (found >= 0).all()
    assert (found.sum(axis=1) <= 1.0001).all()
    assert model.scores([]).shape == (0, 2)
    # One text's score does not depend on those beside it.
    assert np.array_equal(found[4:5], model.scores(texts[4:5]))


AGAIN = """
import sys, pathlib
sys.path.insert(0, {here!r})
import test_recall_classifier as test
test.train(pathlib.Path({folder!r}))
"""


def test_two_trainings_give_the_same_bytes_and_another_seed_does_not(tmp_path):
    folders = [tmp_path / name for name in ("one", "other", "seed")]
    for folder in folders:
        folder.mkdir()
    first = train(folders[0]).read_bytes()
    code = AGAIN.format(here=str(Path(__file__).parent), folder=str(folders[1]))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    assert (folders[1] / "model.bin").read_bytes() == first
    assert (folders[1] / "tokenizer.json").read_bytes() == (folders[0] / "tokenizer.json").read_bytes()
    assert train(folders[2], random_seed=1).read_bytes() != first


def test_the_size_of_a_model_is_set_by_bucket(tmp_path):
    assert train(tmp_path).stat().st_size < 200_000
    assert train(tmp_path, bucket=10_000).stat().st_size > 9000 * 16 * 4
