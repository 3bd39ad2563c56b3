"""Train or validation: decided by repository or web domain, so that no file's neighbour is on the other side."""

import hashlib


def split_of(owner: str, validation_share: float, seed: int) -> str:
    """`train` or `validation` for everything of one repository or domain; depends on nothing else."""
    digest = hashlib.blake2b(f"{seed}\0{owner}".encode(), digest_size=8).digest()
    return "validation" if int.from_bytes(digest, "big") < validation_share * 2**64 else "train"
