"""Says what to do when the disk takes no more."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

SIGNS = {errno.ENOSPC: "No space left", errno.EDQUOT: "quota exceeded", errno.EFBIG: "File too large", errno.EIO: "I/O"}


@contextmanager
def explained(output: Path) -> Iterator[None]:
    """Turns a write that failed into a ValueError. (That of a checkpoint is told of where it is written.)"""
    try:
        yield
    except (OSError, SafetensorError) as error:
        is_full = error.errno in SIGNS if isinstance(error, OSError) else any(s in str(error) for s in SIGNS.values())
        if not is_full:
            raise
        raise ValueError(
            f"--output: the disk under {output} takes no more: {error}. The last checkpoint is as it was: make room or "
            "mend the disk, then start the same command again, which goes on from there"
        ) from error
