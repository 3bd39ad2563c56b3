"""From documents to token ids: BOS, the text or its fill-in-the-middle form, EOS."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from pipelines.token_sequences import fim
from pipelines.token_sequences.tokenizer import BOS, EOS, FIM_BEGIN, FIM_END, FIM_HOLE, PAD

BATCH_CHARS = 4_000_000  # bounds the memory that the ids of a batch take as Python lists


def batches(documents: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Runs of documents of about BATCH_CHARS characters, in order."""
    waiting: list[Mapping[str, Any]] = []
    num_chars = 0
    for document in documents:
        waiting.append(document)
        num_chars += len(document["text"])
        if num_chars >= BATCH_CHARS:
            yield waiting
            waiting, num_chars = [], 0
    if waiting:
        yield waiting


class Encoder:
    """A tokenizer with its special ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        # A special token that is spelled out in a text is text: no file can end a document or open a gap.
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.bos, self.eos, self.pad = (_id(tokenizer, name) for name in (BOS, EOS, PAD))
        self.begin, self.hole, self.end = (_id(tokenizer, name) for name in (FIM_BEGIN, FIM_HOLE, FIM_END))

    def encode(self, documents: Sequence[Mapping[str, Any]], fim_rate: float, seed: int) -> Iterator[np.ndarray]:
        """The int32 ids of each document."""
        cuts = [fim.split(row["text"], row["document_id"], fim_rate, seed) for row in documents]
        pieces = [
            [cut.prefix, cut.suffix, cut.middle] if cut else [row["text"]]
            for cut, row in zip(cuts, documents, strict=True)
        ]
        encoded = iter(self.tokenizer.encode_batch_fast([piece for group in pieces for piece in group]))
        for group in pieces:
            yield self._document([next(encoded).ids for _ in group])

    def _document(self, pieces: list[list[int]]) -> np.ndarray:
        if len(pieces) == 1:
            return np.array([self.bos, *pieces[0], self.eos], np.int32)
        prefix, suffix, middle = pieces
        ids = [self.bos, self.begin, *prefix, self.hole, *suffix, self.end, *middle, self.eos]
        return np.array(ids, np.int32)


def _id(tokenizer: Tokenizer, name: str) -> int:
    found: int | None = tokenizer.token_to_id(name)
    if found is None:
        raise ValueError(f"tokenizer: has no token {name!r}; expected one made by the stage token_sequences")
    return found
