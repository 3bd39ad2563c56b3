"""Shows a run while it goes: a bar on a terminal, a line every ten seconds elsewhere. Only the main process speaks."""

import sys
import time

from tqdm import tqdm

from training.metrics import Line

SECONDS_BETWEEN_LINES = 10.0


def say(message: str) -> None:
    """A line on standard error, above the bar if there is one."""
    tqdm.write(f"pretrain: {message}", file=sys.stderr)


class Display:
    """Writes to standard error."""

    def __init__(self, num_steps: int, steps_done: int, visible: bool) -> None:
        self._visible = visible
        self._num_steps = num_steps
        self._first_step = steps_done
        self._started = self._spoke_at = time.monotonic()
        self._bar = tqdm(
            total=num_steps, initial=steps_done, desc="pretrain", unit="step", disable=not (visible and _on_terminal())
        )

    def show(self, line: Line) -> None:
        self._bar.set_postfix_str(_summary(line), refresh=False)
        self._bar.update()
        now = time.monotonic()
        if self._visible and self._bar.disable and now - self._spoke_at >= SECONDS_BETWEEN_LINES:
            self._spoke_at = now
            seconds_per_step = (now - self._started) / (line.step - self._first_step)
            left = seconds_per_step * (self._num_steps - line.step)
            say(f"step {line.step} of {self._num_steps}, {_summary(line)}, {duration(left)} left")

    def close(self) -> None:
        self._bar.close()


def duration(seconds: float) -> str:
    """75 -> 1:15, 3675 -> 1:01:15"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _summary(line: Line) -> str:
    loss = "not finite, skipped" if line.skipped or line.loss is None else f"{line.loss:.3f}"
    return f"loss {loss}, {line.tokens_per_second:,.0f} tokens/s, MFU {line.mfu:.1%}"


def _on_terminal() -> bool:
    return sys.stderr.isatty()
