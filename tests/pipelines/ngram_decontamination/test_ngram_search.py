"""Shared n-grams against brute force over words, planted ones above all, and collisions of hashes forced by hand."""

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import contract
from pipelines.ngram_decontamination import index as indexing
from pipelines.ngram_decontamination.index import Index, build, normalize, window_keys
from pipelines.ngram_decontamination.search import Hit, annotate, search

ROOT = Path(__file__).parents[3]
WORD = re.compile("[\u2e80-\U0010ffff]|[0-9A-Za-z_\u0080-\u2e7f]+")


def index_of(*texts: str, gram_words: int = 10, min_words: int = 3) -> Index:
    """An index in which text i belongs to task `i` of the benchmark `b`."""
    return build([("b", str(number)) for number in range(len(texts))], texts, gram_words, min_words)


def look(index: Index, *texts: str) -> list[Hit | None]:
    return search(pa.array(texts, pa.large_string()), index)


def lower(text: str) -> list[str]:
    return [re.sub("[A-Z]", lambda match: match[0].lower(), word) for word in WORD.findall(text)]


def brute_force(texts: list[str], benchmark: list[str], gram_words: int = 10, min_words: int = 3) -> list[Hit | None]:
    grams: dict[tuple[str, ...], int] = {}
    for number, text in enumerate(benchmark):
        words = lower(text)
        size = min(gram_words, len(words))
        if size >= min_words:
            for first in range(len(words) - size + 1):
                grams.setdefault(tuple(words[first : first + size]), number)
    return [_first_hit(lower(text), grams, gram_words) for text in texts]


def _first_hit(words: list[str], grams: dict[tuple[str, ...], int], gram_words: int) -> Hit | None:
    for end in range(1, len(words) + 1):
        for size in range(1, min(gram_words, end) + 1):
            gram = tuple(words[end - size : end])
            if gram in grams:
                return Hit("b", str(grams[gram]), " ".join(gram))
    return None


TEN = "one two three four five six seven eight nine ten"
FIVE = "alpha beta gamma delta epsilon"
CHINESE = "写一个函数返回两数之和"  # eleven words

FOUND = [
    pytest.param(TEN, TEN, TEN, id="the whole text"),
    pytest.param(TEN, f"{TEN} and more", TEN, id="at the start"),
    pytest.param(TEN, f"before {TEN}", TEN, id="at the end"),
    pytest.param(TEN, TEN.replace(" ", "\n"), TEN, id="across lines"),
    pytest.param(TEN, TEN.replace(" ", "\r\n\t"), TEN, id="across CRLF and tabs"),
    pytest.param(TEN, "# " + TEN.replace(" four", "\n#  four"), TEN, id="across comments"),
    pytest.param(TEN, TEN.replace(" ", " , ("), TEN, id="with other punctuation"),
    pytest.param(TEN, TEN.upper(), TEN, id="in capitals"),
    pytest.param(TEN.upper(), TEN, TEN, id="the benchmark in capitals"),
    pytest.param(f"zero {TEN} eleven", f"x {TEN} y", TEN, id="ten words out of twelve"),
    pytest.param(TEN, " ".join([*TEN.split()[:9], TEN]), TEN, id="after a false start"),
    pytest.param(TEN, "\u00e9 \U0001f600 中" + TEN, TEN, id="behind characters of several bytes"),
    pytest.param("é " * 10, "É é " * 3 + "é " * 10, "é " * 9 + "é", id="words that are no ASCII"),
    pytest.param(CHINESE, f"def f(): # {CHINESE}", " ".join(CHINESE[:10]), id="Chinese, without spaces"),
    pytest.param(FIVE, f"x {FIVE} y", FIVE, id="a text of five words"),
    pytest.param("three words here", "THREE\twords(here)", "three words here", id="a text of three words"),
    pytest.param("x_1 = y[2]", "x_1 y 2", "x_1 y 2", id="names and numbers are words"),
]


@pytest.mark.parametrize(("benchmark", "text", "ngram"), FOUND)
def test_what_is_found(benchmark, text, ngram):
    assert look(index_of(benchmark), text) == [Hit("b", "0", ngram)] == brute_force([text], [benchmark])


CLEAN = [
    pytest.param(TEN, "", id="nothing"),
    pytest.param(TEN, " ".join(TEN.split()[:9]), id="nine words out of ten"),
    pytest.param(TEN, TEN.replace("five", "FIVE_"), id="one word differs"),
    pytest.param(TEN, TEN.replace("five ", ""), id="one word is missing"),
    pytest.param(TEN, TEN.replace("five", "five five"), id="one word too many"),
    pytest.param(TEN, " ".join(reversed(TEN.split())), id="in another order"),
    pytest.param(FIVE, "alpha beta gamma delta", id="four words out of five"),
    pytest.param(FIVE, "alpha beta gamma x delta epsilon", id="five words torn apart"),
    pytest.param("two words", "two words two words", id="a text of two words is not looked for"),
    pytest.param("", "anything", id="an empty text is not looked for"),
    pytest.param("é " * 10, "É " * 10, id="only ASCII is folded"),
]


@pytest.mark.parametrize(("benchmark", "text"), CLEAN)
def test_what_is_clean(benchmark, text):
    assert look(index_of(benchmark), text) == [None] == brute_force([text], [benchmark])


def test_a_gram_does_not_reach_from_one_row_into_the_next():
    first, second = TEN.split()[:5], TEN.split()[5:]
    assert look(index_of(TEN), " ".join(first), " ".join(second), TEN) == [None, None, Hit("b", "0", TEN)]


def test_the_first_gram_is_named_the_shorter_one_first_and_of_equal_ones_the_first_task():
    index = index_of(TEN, "nine ten eleven", "eight nine ten", TEN)
    assert look(index, f"{TEN} eleven", TEN.replace("seven", "x") + " eleven") == [
        Hit("b", "2", "eight nine ten"),
        Hit("b", "2", "eight nine ten"),
    ]
    assert look(index_of("x", TEN, TEN), TEN) == [Hit("b", "1", TEN)]


def test_an_index_without_grams_finds_nothing():
    assert look(index_of("", "too short"), TEN, "") == [None, None]
    assert look(index_of(), TEN) == [None]
    assert look(index_of(TEN)) == []


FEW_WORDS = st.sampled_from(["a", "b", "c", "dd", "e", "E", "中", "é"])


@given(
    st.lists(FEW_WORDS, max_size=60),
    st.lists(st.lists(FEW_WORDS, max_size=14), max_size=4),
    st.sampled_from([" ", "\n", "(", ", "]),
)
def test_the_law(text, benchmark, between):
    texts, tasks = [between.join(text)], [" ".join(words) for words in benchmark]
    assert look(index_of(*tasks, gram_words=5, min_words=2), *texts) == brute_force(texts, tasks, 5, 2)


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SEPARATOR = st.text(" \n\t.,()#'\"=+-*/<>", min_size=1, max_size=4)


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), min_size=10, max_size=10),
       st.lists(SEPARATOR, min_size=9, max_size=9), ANY_TEXT, ANY_TEXT)  # fmt: skip
def test_a_planted_gram_is_always_found(gram, separators, before, after):
    planted = gram[0] + "".join(between + word for between, word in zip(separators, gram[1:], strict=True))
    [hit] = look(index_of(" ".join(gram)), f"{before} {planted} {after}")
    assert hit == Hit("b", "0", " ".join(gram))


def test_brute_force_agrees_on_real_files_with_planted_grams():
    chance = random.Random(0)
    files = [path.read_text() for path in sorted(ROOT.glob("pipelines/**/*.py"))]
    benchmark = ["".join(chance.choices("abcdefgh ", k=80)) for _ in range(50)]
    for size in [*range(2, 15)] * 3:
        words = chance.choice(files).split()
        first = chance.randrange(len(words) - size)
        benchmark.append(" ".join(words[first : first + size]))
    for number in range(0, len(files), 3):
        lines = files[number].split("\n")
        lines.insert(chance.randrange(len(lines)), f"# {chance.choice(benchmark[:50])}")
        files[number] = "\n".join(lines)
    expected = brute_force(files, benchmark)
    assert sum(hit is not None for hit in expected) > 20
    assert sum(hit is None for hit in expected) > 5
    assert look(index_of(*benchmark), *files) == expected


def key_of(text: str) -> int:
    hashes = indexing._word_hashes(text)
    [key] = window_keys(hashes, len(hashes))
    return int(key)


def with_false_entry(index: Index, text: str) -> Index:
    """The index with one more entry, under the hash of `text` but with the words of the index's first gram."""
    keys = np.insert(index.keys, 0, np.uint64(key_of(text)))
    order = np.argsort(keys, kind="stable")
    size = len(normalize(text))
    return replace(
        index,
        keys=keys[order],
        texts=np.insert(index.texts, 0, np.int32(0))[order],
        first_words=np.insert(index.first_words, 0, np.int32(0))[order],
        sizes=np.insert(index.sizes, 0, np.int32(size))[order],
        prefixes=indexing._prefixes(keys),
    )


CLEAN_TEN = "a b c d e f g h i j"


def test_a_collision_of_hashes_drops_nothing():
    index = with_false_entry(index_of(TEN), CLEAN_TEN)
    assert look(index, CLEAN_TEN) == [None]


def test_the_search_goes_on_behind_a_collision():
    index = with_false_entry(index_of(TEN), CLEAN_TEN)
    assert look(index, f"{CLEAN_TEN} {CLEAN_TEN} {TEN}") == [Hit("b", "0", TEN)]


def test_a_collision_hides_no_longer_gram_that_ends_at_the_same_word():
    index = with_false_entry(index_of(TEN), "eight nine ten")
    assert look(index, TEN, "x eight nine ten") == [Hit("b", "0", TEN), None]


def test_a_collision_hides_no_gram_with_the_same_hash():
    index = with_false_entry(index_of(FIVE, TEN), TEN)
    assert sorted(index.keys.tolist()).count(key_of(TEN)) == 2
    assert look(index, TEN) == [Hit("b", "1", TEN)]


def test_the_index_is_the_same_when_it_is_read_again(tmp_path):
    index = index_of(TEN, FIVE, CHINESE, "é É \U0001f600")
    index.save(tmp_path)
    loaded = Index.load(tmp_path)
    for name in indexing.ARRAYS:
        assert isinstance(getattr(loaded, name), np.memmap)
        assert getattr(loaded, name).tolist() == getattr(index, name).tolist()
    assert (loaded.labels, loaded.normalized) == (index.labels, index.normalized)
    texts = [f"x {TEN}", FIVE, "clean", CHINESE]
    assert look(loaded, *texts) == look(index, *texts)
    index_of().save(tmp_path / "empty")
    assert look(Index.load(tmp_path / "empty"), TEN) == [None]


def test_an_index_knows_where_each_gram_is_from():
    index = index_of("a b c d", "x", "b c d", gram_words=3, min_words=2)
    grams = [
        (index.normalized[text][first : first + size], int(text))
        for text, first, size in zip(index.texts, index.first_words, index.sizes, strict=True)
    ]
    assert sorted(grams) == [(["a", "b", "c"], 0), (["b", "c", "d"], 0), (["b", "c", "d"], 2)]
    assert index.keys.tolist() == sorted(key_of(" ".join(words)) for words, _ in grams)


@pytest.mark.parametrize("num_keys", [0, 1, 1023, 1025, 5000])
def test_the_filter_passes_every_key_and_few_others(num_keys):
    keys = np.random.default_rng(0).integers(0, 2**64, num_keys, dtype=np.uint64)
    prefixes = indexing._prefixes(keys)
    num_bits = 8 * len(prefixes)
    assert num_bits & (num_bits - 1) == 0
    bits = np.unpackbits(prefixes, bitorder="little")
    assert bits[keys // np.uint64(2**64 // num_bits)].all()
    assert bits.sum() <= num_keys <= num_bits / 64 + 1


def test_the_annotation():
    table = pa.table({"content": pa.array([f"# {TEN}", "clean"], pa.large_string())})
    found = annotate(table, index_of(TEN))
    assert found.to_pylist() == [
        {
            "reason": "benchmark_ngram",
            "detail": f"shares {TEN!r} with b 0",
            "benchmark": "b",
            "task_id": "0",
            "ngram": TEN,
        },
        {"reason": None, "detail": "", "benchmark": "", "task_id": "", "ngram": ""},
    ]
    own = [column.name for column in contract.NGRAM_DECONTAMINATION if column.name not in {"row_id", "measured"}]
    assert found.column_names == own
