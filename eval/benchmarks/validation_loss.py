"""Bits per byte on held-out documents: how well the model predicts code it has not seen."""

from collections.abc import Iterator
from typing import Any

from eval.checkpoint import BOS, Checkpoint
from eval.documents import HeldOut
from eval.generate import Backend
from eval.progress import Progress
from eval.score import bits_per_byte

NUM_PARTS = 32  # of the byte limit: no document takes more than one
DOCUMENTS_PER_STEP = 64


def protocol(context_tokens: int, max_bytes: int) -> str:
    return (
        f"documents by id up to {max_bytes} bytes, of each the first {max_bytes // NUM_PARTS}; <bos> + text in windows "
        f"of {context_tokens} tokens that advance by half: a window scores the tokens that no earlier one did"
    )


def choose(held_out: HeldOut, max_bytes: int) -> list[dict[str, Any]]:
    """The documents to measure: index rows with `text`, cut to a part of `max_bytes`, until the bytes are used up."""
    chosen, used = [], 0
    for row in held_out.index:
        if used >= max_bytes:
            break
        if row["size_bytes"] > 0:
            chosen.append(row)
            used += min(row["size_bytes"], max_bytes // NUM_PARTS)
    texts = held_out.read([row["document_id"] for row in chosen], ["text"])
    return [
        {**row, "text": _head(text["text"], max_bytes // NUM_PARTS)} for row, text in zip(chosen, texts, strict=True)
    ]


def _head(text: str, num_bytes: int) -> str:
    return text.encode()[: max(num_bytes, 4)].decode("utf-8", "ignore")


def windows(num_tokens: int, context_tokens: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, number of its tokens that are given, not scored): each token but the first is scored once."""
    scored = 1
    for start in range(0, num_tokens, max(1, context_tokens // 2)):
        end = min(start + context_tokens, num_tokens)
        if end > scored:
            yield start, end, scored - start
            scored = end


def measure(backend: Backend, checkpoint: Checkpoint, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each document its language, source, bytes and nats."""
    measured = []
    with Progress("validation_loss", len(documents)) as progress:
        for start in range(0, len(documents), DOCUMENTS_PER_STEP):
            step = documents[start : start + DOCUMENTS_PER_STEP]
            sequences: list[list[int]] = []
            given: list[int] = []
            owners: list[int] = []
            for owner, document in enumerate(step):
                tokens = [checkpoint.special(BOS), *checkpoint.encode(document["text"])]
                for first, end, num_given in windows(len(tokens), checkpoint.context_tokens):
                    sequences.append(tokens[first:end])
                    given.append(num_given)
                    owners.append(owner)
            nats = [0.0] * len(step)
            for owner, loss in zip(owners, backend.negative_log_likelihoods(sequences, given), strict=True):
                nats[owner] += loss
            measured += [
                {"language": document["language"], "source": document["source"],
                 "num_bytes": len(document["text"].encode()), "nats": loss}
                for document, loss in zip(step, nats, strict=True)
            ]  # fmt: skip
            progress.add(len(step), sum(map(len, sequences)))
    return measured


def total(rows: list[Any]) -> float:
    """Bits per byte over all the rows together: long documents weigh more."""
    return bits_per_byte(sum(row["nats"] for row in rows), sum(row["num_bytes"] for row in rows))
