"""Tells which licences a text holds, by its shingles of four words, from the texts of the SPDX licence list.

A licence is found where four fifths of its shingles are in the text. Of several that share most of their words (BSD
with two, three and four clauses) the one counts that explains most of the text and asks for least that is not there.
What it explains is then taken away, and the rest looked at again: a file that holds several licences names all. What no
licence explains may be history or credits, but not long, and no word in it may speak of a restriction.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "spdx.npz"
SHINGLE_WORDS = 4
CODE_BITS = 16  # of a word: four fit into 64 bits, so shingles are compared exactly
MAX_CODE = (1 << CODE_BITS) - 1
MIN_SHARE = 0.8  # of a licence's shingles; SPDX's texts have optional sentences and names that others replace
ABSENT_WEIGHT = 0.5  # what a shingle of the licence that is not there takes from one that is
MIN_SHINGLES = 12  # a licence of fewer words is found in any text that quotes it
MAX_UNEXPLAINED = 250  # shingles that no licence explains, beside some that one does: who wrote it, and when
MAX_ALONE = 100  # shingles of a text that is no licence, and only says where to find it
# What no licence explains takes rights away where it has one of these: "for non-commercial use only", "may not sell".
RESTRICTING = frozenset([
    "commercial", "commercially", "compete", "competing", "competitive", "competitor", "competitors", "educational",
    "employees", "ethical", "evaluation", "forbidden", "harm", "hosted", "hosting", "managed", "military",
    "noncommercial", "nonprofit", "production", "prohibited", "prohibits", "resale", "research", "resell", "revenue",
    "sale", "sell", "selling", "sells", "train", "training", "weapons",
])  # fmt: skip
MAX_CHARS = 200_000  # of a text that is looked at: the longest licence has 100,000
NOTICE = re.compile(
    r"^[^a-z0-9\n]*(copyright\s*(\(c\)|©|\d|<|\[|by )|\(c\)\s|©|all rights reserved)[^\n]*", re.MULTILINE
)
WORD = re.compile(r"[^\W_]{2,}")


def normalized(text: str) -> str:
    """What is compared of a licence: its words in lower case, without notices of copyright and numbers of items."""
    lowered = text.lower().replace("licence", "license")
    return " ".join(WORD.findall(NOTICE.sub(" ", lowered)))


@dataclass(frozen=True)
class Known:
    """The texts of the list: each is all or a part of a licence, or of what may stand beside one (no identifier)."""

    identifiers: list[str]
    codes: dict[str, int]  # of every word of the texts, and of RESTRICTING
    num_shingles: np.ndarray  # int64[texts]
    shingles: np.ndarray  # uint64, sorted: every shingle of every text
    owners: np.ndarray  # int32: the text that each is from

    def places(self, shingles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(shingle, text) for every pair of one of `shingles` and a text that has it, both as numbers."""
        begins, ends = (np.searchsorted(self.shingles, shingles, side) for side in ("left", "right"))
        counts = ends - begins
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(np.arange(len(shingles)), counts), self.owners[np.repeat(begins, counts) + inside]

    def shingles_of(self, text: str) -> np.ndarray:
        """uint64: the different shingles of a normalized text, sorted. Words of no licence get codes of their own."""
        codes = dict(self.codes)
        found = np.array([min(codes.setdefault(word, len(codes)), MAX_CODE) for word in text.split()], np.uint16)
        return np.unique(_runs(found))


@cache
def known() -> Known:
    """Reads the list: 0.1 s and 30 MB, for the first text that is asked about."""
    with np.load(DATA, allow_pickle=False) as stored:
        identifiers, vocabulary, codes, lengths = (
            stored[name] for name in ("identifiers", "words", "codes", "lengths")
        )
    starts = np.cumsum(lengths) - lengths
    shingles, owners = _runs(codes), np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)[: 1 - SHINGLE_WORDS]
    is_inside = np.arange(len(shingles)) - starts[owners] <= lengths[owners] - SHINGLE_WORDS  # of one text
    shingles, owners = shingles[is_inside], owners[is_inside]
    order = np.argsort(shingles, kind="stable")
    shingles, owners = shingles[order], owners[order]
    is_new = np.append(True, (shingles[1:] != shingles[:-1]) | (owners[1:] != owners[:-1]))
    known_words = dict.fromkeys([*vocabulary.tolist(), *sorted(RESTRICTING)])
    return Known(
        identifiers.tolist(),
        {word: code for code, word in enumerate(known_words)},
        np.bincount(owners[is_new], minlength=len(lengths)),
        shingles[is_new],
        owners[is_new],
    )


def store(listed: Iterable[tuple[str, str]]) -> None:
    """Writes the list, from (identifier, normalized text)."""
    chosen = [(name, found) for name, text in listed if _num_shingles(found := text.split()) >= MIN_SHINGLES]
    counted = Counter(word for _, found in chosen for word in found)
    codes = {word: code for code, (word, _) in enumerate(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))}
    np.savez_compressed(
        DATA,
        identifiers=np.array([name for name, _ in chosen]),
        words=np.array([*codes]),
        codes=np.array([codes[word] for _, found in chosen for word in found], np.uint16),
        lengths=np.array([len(found) for _, found in chosen]),
    )


def _num_shingles(found: list[str]) -> int:
    return len({tuple(found[first : first + SHINGLE_WORDS]) for first in range(len(found) - SHINGLE_WORDS + 1)})


def detect(text: str) -> list[str] | None:
    """The SPDX identifiers of the licences that `text` holds, sorted; None where it holds more than these say."""
    listed = known()
    left = listed.shingles_of(normalized(text[:MAX_CHARS]))
    found = set()
    while (best := _best(listed, left)) is not None:
        found.add(listed.identifiers[best])
        places, owners = listed.places(left)
        left = np.delete(left, places[owners == best])
    is_more = len(left) > (MAX_UNEXPLAINED if found else MAX_ALONE) or _restricts(listed, left)
    return None if is_more else sorted(found - {""})


def _restricts(listed: Known, shingles: np.ndarray) -> bool:
    """Whether one of them has a word of RESTRICTING."""
    codes = np.array([listed.codes[word] for word in RESTRICTING], np.uint64)
    places = np.arange(SHINGLE_WORDS, dtype=np.uint64) * np.uint64(CODE_BITS)
    return bool(np.isin(shingles[:, None] >> places & np.uint64(MAX_CODE), codes).any())


def _best(listed: Known, shingles: np.ndarray) -> int | None:
    """The text of the list that explains most of `shingles`; None where none of it is there."""
    _, owners = listed.places(shingles)
    present = np.bincount(owners, minlength=len(listed.identifiers))
    absent = listed.num_shingles - present
    score = np.where(present >= MIN_SHARE * listed.num_shingles, present - ABSENT_WEIGHT * absent, 0)
    best = int(score.argmax())
    return best if score[best] > 0 else None


def _runs(codes: np.ndarray) -> np.ndarray:
    """uint64: every run of SHINGLE_WORDS words, from the uint16 codes of the words."""
    count = max(len(codes) - SHINGLE_WORDS + 1, 0)
    found = np.zeros(count, np.uint64)
    for first in range(SHINGLE_WORDS):
        found = (found << np.uint64(CODE_BITS)) | codes[first : first + count]
    return found
