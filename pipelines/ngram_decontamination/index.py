"""The n-grams of every benchmark text, in tables that all workers map into memory.

The unit of a gram is a word (see `pipelines.words`), with ASCII letters in lower case. Grams are found by hash and
confirmed word by word, so no collision of hashes ever drops a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import words

FILTER_BITS_PER_KEY = 64  # so that one word in 64 is looked up in vain
MIN_FILTER_BITS, MAX_FILTER_BITS = 2**16, 2**30
FACTOR = np.uint64(0x9E3779B97F4A7C15)
ARRAYS = ("keys", "texts", "first_words", "sizes", "prefixes")


@dataclass(frozen=True)
class Index:
    """Every gram of the full length, and every short text as one gram, sorted by hash.

    A hash is that of `window_keys`. Equal hashes stand in the order of the texts.
    """

    keys: np.ndarray  # uint64[grams], ascending
    texts: np.ndarray  # int32[grams]: the number of the text that the gram is from
    first_words: np.ndarray  # int32[grams]: the word of that text that it begins at
    sizes: np.ndarray  # int32[grams]: how many words it has
    prefixes: np.ndarray  # uint8[power of two]: one bit for each start of a hash, set where some hash has it
    labels: list[tuple[str, str]]  # (benchmark, task_id) of each text
    normalized: list[list[str]]  # the words of each text

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        rows = [
            {"benchmark": b, "task_id": t, "words": w} for (b, t), w in zip(self.labels, self.normalized, strict=True)
        ]
        pq.write_table(pa.Table.from_pylist(rows, TEXT), folder / "texts.parquet")

    @classmethod
    def load(cls, folder: Path) -> "Index":
        """Maps the arrays into memory: all workers of a machine share one copy."""
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS}
        rows = pq.read_table(folder / "texts.parquet").to_pylist()
        labels = [(row["benchmark"], row["task_id"]) for row in rows]
        return cls(**arrays, labels=labels, normalized=[row["words"] for row in rows])


TEXT = pa.schema([("benchmark", pa.string()), ("task_id", pa.string()), ("words", pa.list_(pa.string()))])


def build(labels: Sequence[tuple[str, str]], texts: Sequence[str], gram_words: int, min_words: int) -> Index:
    """Indexes every gram of `gram_words` words, and as a whole each text of `min_words` to `gram_words - 1` words."""
    normalized = [normalize(text) for text in texts]
    keys, grams = [np.empty(0, np.uint64)], [np.empty((0, 3), np.int32)]
    for number, text in enumerate(texts):
        hashes = _word_hashes(text)
        size = min(gram_words, len(hashes))
        if size >= min_words:
            keys.append(window_keys(hashes, size))
            grams.append(np.array([(number, first, size) for first in range(len(keys[-1]))], np.int32))
    flat = np.concatenate(keys)
    order = np.argsort(flat, kind="stable")
    columns = np.concatenate(grams)[order].T.copy()
    return Index(
        keys=flat[order],
        texts=columns[0],
        first_words=columns[1],
        sizes=columns[2],
        prefixes=_prefixes(flat),
        labels=list(labels),
        normalized=normalized,
    )


def _prefixes(keys: np.ndarray) -> np.ndarray:
    """A bit map of the leading bits of `keys`, sized to lie in a cache where there are few of them."""
    wanted = min(max(len(keys) * FILTER_BITS_PER_KEY, MIN_FILTER_BITS), MAX_FILTER_BITS)
    num_bits = (wanted - 1).bit_length()
    is_prefix = np.zeros(1 << num_bits, np.bool_)
    is_prefix[keys >> np.uint64(64 - num_bits)] = True
    return np.packbits(is_prefix, bitorder="little")


def normalize(text: str) -> list[str]:
    """The words of `text`, ASCII letters in lower case."""
    content = text.encode()
    _, bounds = _split(content)
    return [content[start:end].decode().translate(ASCII_LOWER) for start, end in bounds.T]


ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _word_hashes(text: str) -> np.ndarray:
    return _split(text.encode())[0]


def _split(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The hash of each word (uint64[words]), and where it begins and ends in `content` (int64[2, words])."""
    values = np.frombuffer(content, np.uint8)
    hashes, bounds = np.empty(len(values), np.uint64), np.empty((2, len(values)), np.int64)
    n = words.hash_words(values, 0, len(values), words.LOWER, hashes, bounds[0], bounds[1])
    return hashes[:n], bounds[:, :n]


def window_keys(hashes: np.ndarray, size: int) -> np.ndarray:
    """The hash of every run of `size` words: the polynomial sum of hashes[i + j] * FACTOR^(size - 1 - j)."""
    keys = np.zeros(len(hashes) - size + 1, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(size):
            keys = keys * FACTOR + hashes[place : place + len(keys)]
    return keys
