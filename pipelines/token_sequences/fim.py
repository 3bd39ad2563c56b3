"""Fill in the middle (DeepSeek-Coder section 3.1.2): PSM, per document, before packing."""

import hashlib
from typing import NamedTuple

import numpy as np


class Parts(NamedTuple):
    """A document cut in three; joined they are the document."""

    prefix: str
    middle: str
    suffix: str


def split(text: str, document_id: str, rate: float, seed: int, epoch: int = 0) -> Parts | None:
    """The cut of a document at two random characters, or None where it stays whole (a share of 1 - rate).

    The random numbers depend on (seed, epoch, document) alone: not on order, shards or workers. Python text is cut
    between Unicode scalars, so never inside one.
    """
    if len(text) < 3:
        return None
    digest = hashlib.blake2b(f"{seed}\0{epoch}\0{document_id}".encode(), digest_size=16).digest()
    random = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
    if random.random() >= rate:
        return None
    first, second = sorted(random.integers(0, len(text) + 1, 2).tolist())
    return Parts(text[:first], text[first:second], text[second:])
