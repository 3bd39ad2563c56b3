"""From documents to ids: the order of FIM's parts, and special tokens that a text merely spells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from pipelines.token_sequences import encode, fim, tokenizer
from pipelines.token_sequences.encode import Encoder, batches
from pipelines.token_sequences.tokenizer import SPECIAL_TOKENS

BOS, EOS, PAD, BEGIN, HOLE, END, EOT = range(7)
A = 71  # without a merge a byte is an id: `!` is 7, `a` is 71


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(tokenizer.train([], 512))


def document(text: str, document_id: str = "doc") -> dict[str, str]:
    return {"text": text, "document_id": document_id}


def ids(encoder: Encoder, text: str, rate: float = 0.0, document_id: str = "doc") -> list[int]:
    [found] = encoder.encode([document(text, document_id)], rate, seed=0)
    assert found.dtype == "int32"
    return found.tolist()


@pytest.mark.parametrize(
    ("text", "expected"), [("", [BOS, EOS]), ("a", [BOS, A, EOS]), ("abc", [BOS, A, A + 1, A + 2, EOS])]
)
def test_a_whole_document_stands_between_bos_and_eos(encoder, text, expected):
    assert ids(encoder, text) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("a", "b", "c"), [BOS, BEGIN, A, HOLE, A + 2, END, A + 1, EOS]),
        (("", "ab", ""), [BOS, BEGIN, HOLE, END, A, A + 1, EOS]),
        (("ab", "", ""), [BOS, BEGIN, A, A + 1, HOLE, END, EOS]),
        (("", "", "ab"), [BOS, BEGIN, HOLE, A, A + 1, END, EOS]),
    ],
)
def test_a_cut_document_is_prefix_suffix_middle(encoder, monkeypatch, parts, expected):
    monkeypatch.setattr(fim, "split", lambda *arguments: fim.Parts(*parts))
    assert ids(encoder, "".join(parts), rate=1.0) == expected


@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_special_token_that_is_spelled_in_a_text_is_text(encoder, token, rate):
    found = ids(encoder, f"x {token} y", rate)
    special = [BOS, EOS] if rate == 0 else [BOS, BEGIN, HOLE, END, EOS]
    assert [number for number in found if number < 7] == special
    assert len(found) == len(special) + len(f"x {token} y".encode())


@given(st.lists(st.text(max_size=30), max_size=6))
def test_every_document_comes_back(encoder, texts):
    documents = [document(text, str(number)) for number, text in enumerate(texts)]
    found = [array.tolist() for array in encoder.encode(documents, 0.5, seed=3)]
    assert len(found) == len(texts)
    for text, numbers in zip(texts, found, strict=True):
        assert (numbers[0], numbers[-1]) == (BOS, EOS)
        assert decode(encoder, numbers) == text


def decode(encoder: Encoder, numbers: list[int]) -> str:
    """The text of one document, put together again where it was cut."""
    body = numbers[1:-1]
    if body[:1] == [BEGIN]:
        hole, end = body.index(HOLE), body.index(END)
        body = body[1:hole] + body[end + 1 :] + body[hole + 1 : end]
    return encoder.tokenizer.decode(body, skip_special_tokens=False)


def test_neighbours_and_batches_do_not_change_a_document(encoder):
    documents = [document(f"some text number {number}", str(number)) for number in range(20)]
    together = [array.tolist() for array in encoder.encode(documents, 0.5, seed=0)]
    alone = [array.tolist() for row in documents for array in encoder.encode([row], 0.5, seed=0)]
    assert together == alone
    assert {BEGIN in numbers for numbers in together} == {True, False}


def test_another_seed_cuts_elsewhere(encoder):
    documents = [document("some text", str(number)) for number in range(20)]
    seeds = [[array.tolist() for array in encoder.encode(documents, 0.5, seed)] for seed in (0, 1)]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("missing", SPECIAL_TOKENS[:6])
def test_a_foreign_tokenizer_is_refused(missing):
    vocabulary = {token: number for number, token in enumerate(SPECIAL_TOKENS) if token != missing}
    foreign = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    with pytest.raises(ValueError, match="expected one made by the stage token_sequences") as refused:
        Encoder(foreign)
    assert str(refused.value).startswith(f"tokenizer: has no token {missing!r}; ")


def test_batches_are_cut_behind_the_document_that_fills_them(monkeypatch):
    monkeypatch.setattr(encode, "BATCH_CHARS", 10)
    rows = [document("x" * length) for length in (4, 5, 1, 30, 2, 9, 9)]
    sizes = [[len(row["text"]) for row in batch] for batch in batches(rows)]
    assert sizes == [[4, 5, 1], [30], [2, 9], [9]]
    assert list(batches([])) == []
