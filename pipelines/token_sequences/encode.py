"""From documents to token ids: BOS, the text or its fill-in-the-middle form, EOS."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numba import njit
from tokenizers import Tokenizer

from pipelines.token_sequences.fim import Spans
from pipelines.token_sequences.packing import Documents
from pipelines.token_sequences.tokenizer import BOS, EOS, FIM_BEGIN, FIM_END, FIM_HOLE, PAD

if TYPE_CHECKING:
    import gigatoken

Library = Literal["gigatoken", "tokenizers"]
REFERENCE_BYTES = 4_000_000  # bounds the memory that `tokenizers` takes for the ids as Python objects
CHECKED_BYTES = 1000  # of each batch's first span are encoded by `tokenizers` too
Ids = tuple[np.ndarray, np.ndarray]  # of all texts, int32, one after the other; where each begins, and the end of all


class Encoder:
    """A tokenizer with its special ids. A special token that is spelled out in a text is text: no file can end a
    document or open a gap.

    `tokenizers` is what defines the ids. `gigatoken` finds the same ones faster, and every batch checks that it does.
    """

    def __init__(
        self, tokenizer: Tokenizer, library: Library = "gigatoken", token_id: type[np.integer[Any]] = np.int32
    ) -> None:
        tokenizer.encode_special_tokens = True
        self.tokenizer, self.token_id = tokenizer, token_id
        self.bos, self.eos, self.pad = (_id(tokenizer, name) for name in (BOS, EOS, PAD))
        self._marks = tuple(_id(tokenizer, name) for name in (FIM_BEGIN, FIM_HOLE, FIM_END))
        self._fast = gigatoken_ids(tokenizer) if library == "gigatoken" else None

    def encode(self, spans: Spans) -> Documents:
        """The documents as they are trained on, in order."""
        ids, starts = self.ids(spans.data, spans.offsets)
        ends = np.zeros(len(spans.firsts), np.int64)
        num_spans = np.diff(spans.firsts)
        np.cumsum(np.diff(starts[spans.firsts]) + 2 + num_marks(num_spans), out=ends[1:])
        tokens = np.empty(ends[-1], self.token_id)
        _assemble(ids, starts, spans.firsts, self.bos, self.eos, self._marks, tokens)
        return Documents(tokens, ends)

    def ids(self, data: np.ndarray, offsets: np.ndarray) -> Ids:
        """The ids of the texts data[offsets[i] : offsets[i + 1]], UTF-8, with no special token among them. ValueError
        where the two libraries disagree."""
        if self._fast is None or len(offsets) < 2:
            return self._reference(data, offsets)
        self._check(data[offsets[0] : offsets[1]][:CHECKED_BYTES])
        return self._fast(data, offsets)

    def _check(self, data: np.ndarray) -> None:
        assert self._fast is not None
        text = data.tobytes().decode("utf-8", "ignore")  # a character may be cut at the end
        data, whole = np.frombuffer(text.encode(), np.uint8), np.array([0, len(text.encode())])
        if not np.array_equal(self._fast(data, whole)[0], self._reference(data, whole)[0]):
            raise ValueError(
                'gigatoken gives other ids than tokenizers; set library = "tokenizers" in [token_sequences], and tell '
                f"gigatoken's authors: {text!r}"
            )

    def _reference(self, data: np.ndarray, offsets: np.ndarray) -> Ids:
        found, lengths = [np.empty(0, np.int32)], [0]
        first = 0
        while first < len(offsets) - 1:
            end = max(int(np.searchsorted(offsets, offsets[first] + REFERENCE_BYTES)), first + 1)
            texts = [data[start:end].tobytes().decode() for start, end in pairwise(offsets[first : end + 1])]
            encoded = [one.ids for one in self.tokenizer.encode_batch_fast(texts)]
            found += [np.array(ids, np.int32) for ids in encoded]
            lengths += map(len, encoded)
            first = end
        return np.concatenate(found), np.cumsum(lengths)


def num_marks(num_spans: np.ndarray) -> np.ndarray:
    """How many of FIM's tokens a document of so many spans has: one before each, none in a document that is whole."""
    return np.where(num_spans > 1, num_spans, 0)


def gigatoken_ids(tokenizer: Tokenizer) -> Callable[[np.ndarray, np.ndarray], Ids]:
    """What `Encoder.ids` does, by another library."""
    import gigatoken

    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []  # or their spelling in a text would become their id
    return ids_of(gigatoken.Tokenizer.from_json(json.dumps(described)))


def ids_of(tokenizer: "gigatoken.Tokenizer") -> Callable[[np.ndarray, np.ndarray], Ids]:
    """No text is copied. On one thread: how many run at a time is for the runner to say."""
    import awkward  # type: ignore[import-untyped]
    from awkward.contents import ListOffsetArray, NumpyArray  # type: ignore[import-untyped]
    from awkward.index import Index64  # type: ignore[import-untyped]

    def ids(data: np.ndarray, offsets: np.ndarray) -> Ids:
        chars = NumpyArray(data, parameters={"__array__": "char"})
        texts = awkward.Array(ListOffsetArray(Index64(offsets), chars, parameters={"__array__": "string"}))
        layout: Any = tokenizer.encode_batch(texts, parallel=False).layout
        starts = np.asarray(layout.offsets.data)
        return np.asarray(layout.content.data)[starts[0] : starts[-1]].view(np.int32), starts - starts[0]

    return ids


@njit(cache=True, nogil=True)
def _assemble(ids, starts, firsts, bos, eos, marks, tokens):  # type: ignore[no-untyped-def]
    """Writes the documents into `tokens`. Document d has the spans firsts[d] to firsts[d + 1]: every other one, which
    is shown, and then the rest, which fill the holes. The ids of span s begin at starts[s]."""
    begin, hole, end = marks
    at = 0
    for document in range(len(firsts) - 1):
        tokens[at] = bos
        at += 1
        first, last = firsts[document], firsts[document + 1]
        for is_filling in range(2):
            for span in range(first + is_filling, last, 2):
                if last - first > 1:
                    tokens[at] = begin if span == first else end if span == first + 1 else hole
                    at += 1
                size = starts[span + 1] - starts[span]
                tokens[at : at + size] = ids[starts[span] : starts[span + 1]]
                at += size
        tokens[at] = eos
        at += 1


def _id(tokenizer: Tokenizer, name: str) -> int:
    found: int | None = tokenizer.token_to_id(name)
    if found is None:
        raise ValueError(f"tokenizer: has no token {name!r}; expected one made by the stage token_sequences")
    return found
