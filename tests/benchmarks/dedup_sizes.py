"""Whether signatures of very long repositories still tell how similar they are, and the memory that they take.

python -m tests.benchmarks.dedup_sizes
"""

import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.near_duplicates import minhash
from tests.benchmarks import dedup_documents

# How many pairs are tried of each size in bytes.
NUM_PAIRS = {10_000: 60, 100_000: 60, 1_000_000: 50, 4_000_000: 16, 16_000_000: 8, 64_000_000: 3}
SHIFT = 0.08  # the other text lacks this share of the first one, and has as many of its own: about 0.85 similar


def real_text(size_bytes: int) -> bytes:
    """Python files of the installed packages, one after the other, in random order."""
    paths = dedup_documents.paths({".py"})
    random.Random(0).shuffle(paths)
    found = bytearray()
    for path in paths:
        found += path.read_bytes()
        if len(found) >= size_bytes:
            break
    return bytes(found[:size_bytes])


def print_errors(num_permutations: int, shingle_words: int) -> None:
    """For each size: the error of the estimate, and the most memory that signing took."""
    text = real_text(round(max(NUM_PAIRS) * (1 + SHIFT)) + 1)
    print(f"    {len(text) / 1e6:.1f} MB of Python; MB of memory: signing one text, files of 100 kB; the exact set")
    print(f"    {'size':>10}{'shingles':>12}{'pairs':>7}{'exact':>8}{'mean error':>12}{'RMS':>8}{'binomial':>10}"
          f"{'largest':>9}{'one':>8}{'files':>8}{'set':>8}")  # fmt: skip
    for size in NUM_PAIRS:
        exact, estimates, num_shingles = _pairs(text, size, num_permutations, shingle_words)
        errors = estimates - exact
        peaks = "".join(f"{peak:8.1f}" for peak in _peaks_mb(size))
        binomial = math.sqrt((exact * (1 - exact)).mean() / num_permutations)
        print(f"    {size / 1e6:>7.2f} MB{num_shingles:12,}{len(exact):7}{exact.mean():8.4f}{errors.mean():+12.4f}"
              f"{math.sqrt((errors**2).mean()):8.4f}{binomial:10.4f}{np.abs(errors).max():9.4f}"
              f"{peaks}", flush=True)  # fmt: skip


def _pairs(text: bytes, size: int, num_permutations: int, shingle_words: int) -> tuple[np.ndarray, np.ndarray, int]:
    """(exact similarities, estimates, shingles of the last text); each pair has other text and another seed."""
    exact, estimates = [], []
    shift = int(SHIFT * size)
    for number in range(NUM_PAIRS[size]):
        chance = random.Random(number)
        first = chance.randrange(max(len(text) - size - shift, 1))
        column = _column([text[first : first + size], text[first + shift : first + shift + size]])
        signed, num_shingles = minhash.signatures(column, np.arange(2), 2, shingle_words, num_permutations, number)
        one, other = (minhash.shingles(column.slice(row, 1), shingle_words) for row in range(2))
        common = len(np.intersect1d(one, other, assume_unique=True))
        exact.append(common / (len(one) + len(other) - common))
        estimates.append(minhash.similarity(*signed))
    return np.array(exact), np.array(estimates), int(num_shingles[-1])


def _column(texts: list[bytes]) -> pa.LargeStringArray:
    return pa.array([text.decode(errors="replace") for text in texts], pa.large_string())


def _peaks_mb(size: int) -> list[float]:
    """How much more memory a repository of `size` bytes takes, at most: signed as one text, signed as files of 100 kB,
    and for the set of its shingles."""
    command = [sys.executable, "-m", "tests.benchmarks.dedup_sizes", str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(number) for number in done.stdout.split()]


def _peak_mb(work: Callable[[], object]) -> float:
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew from here
    before = _memory_mb("VmRSS")
    work()
    return _memory_mb("VmHWM") - before


def _memory_mb(name: str) -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def main() -> None:
    if len(sys.argv) == 1:
        print_errors(128, 5)
        return
    text = real_text(int(sys.argv[1]))
    files = [text[first : first + 100_000] for first in range(0, len(text), 100_000)]
    _sign(_column([text[:1000]]))  # compiles
    minhash.shingles(_column([text[:1000]]), 5)
    for texts in ([text], files):
        column = _column(texts)
        print(_peak_mb(lambda column=column: _sign(column)))
    print(_peak_mb(lambda: minhash.shingles(column, 5)))


def _sign(column: pa.LargeStringArray) -> None:
    minhash.signatures(column, np.zeros(len(column), np.int64), 1, 5, 128, 0)


if __name__ == "__main__":
    main()
