"""Says how far a long step is: a bar on a terminal, else a line every few seconds and one at the end."""

import sys
import time
from types import TracebackType

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts items done, and tokens for the rate: `with Progress("mbpp", 500) as progress: progress.add(32, 4096)`."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.done, self.num_tokens, self.done_in_line = label, total, 0, 0, -1
        self.start = self.last_line = time.monotonic()
        self.bar = tqdm(total=total, desc=label, disable=not sys.stderr.isatty())

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()
        if kind is None and self.bar.disable and self.done != self.done_in_line:
            self._line()

    def add(self, num_items: int, num_tokens: int = 0) -> None:
        self.done += num_items
        self.num_tokens += num_tokens
        self.bar.update(num_items)
        if self.num_tokens:
            self.bar.set_postfix_str(self._rate())
        if self.bar.disable and time.monotonic() - self.last_line > SECONDS_BETWEEN_LINES:
            self._line()

    def _rate(self) -> str:
        return f"{self.num_tokens / max(time.monotonic() - self.start, 1e-9):,.0f} tokens/s"

    def _line(self) -> None:
        self.last_line, self.done_in_line = time.monotonic(), self.done
        rate = f", {self._rate()}" if self.num_tokens else ""
        print(f"{self.label}: {self.done}/{self.total} in {self.last_line - self.start:.1f} s{rate}", flush=True)
