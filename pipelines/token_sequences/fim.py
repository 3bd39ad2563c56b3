"""Fill in the middle (DeepSeek-Coder section 3.1.2): PSM, per document, before packing."""

import hashlib
from typing import NamedTuple


class Parts(NamedTuple):
    """A document cut in three; joined they are the document."""

    prefix: str
    middle: str
    suffix: str


def split(text: str, document_id: str, rate: float, seed: int, epoch: int = 0) -> Parts | None:
    """The cut of a document at two random characters, or None where it stays whole (a share of 1 - rate).

    The random numbers are digits of a hash of (seed, epoch, document): no order, shard, worker or library decides them.
    Python text is cut between Unicode scalars, so never inside one.
    """
    if len(text) < 3:
        return None
    digest = hashlib.blake2b(f"{seed}\0{epoch}\0{document_id}".encode(), digest_size=24).digest()
    coin, one, other = (int.from_bytes(digest[start : start + 8], "big") for start in (0, 8, 16))
    if coin >= rate * 2**64:
        return None
    first, second = sorted(number * (len(text) + 1) >> 64 for number in (one, other))
    return Parts(text[:first], text[first:second], text[second:])
