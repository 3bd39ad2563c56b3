"""From what a model generated to the answer that is judged. Pure functions of text."""

from collections.abc import Sequence


def until_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """`text` up to the first of the stop strings, and whether there was one."""
    ends = [position for position in (text.find(string) for string in stop) if position >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def first_line(text: str) -> str:
    """The first line, stripped: what DeepSeek-Coder-V2 compares in single-line infilling."""
    return text.partition("\n")[0].strip()
