"""The rules of DeepSeek-Coder section 2.1, and StarCoder2's on encoded data. The first one violated is the reason.

A limit of OFF, a share of 1 or a minimum of 0 judges nothing.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, Field

from pipelines.config import StageConfig
from pipelines.rule_filter.by_language import OFF, ByLanguage, Share
from pipelines.rule_filter.languages import DEEPSEEK_CODER, chosen
from pipelines.rule_filter.origin import foreign
from pipelines.rule_filter.redaction import Kind


class Limits(StageConfig):
    """What one language is held to; the defaults are the papers'."""

    max_line_length_mean: float = Field(100, ge=0)
    max_line_length: int = Field(1000, ge=0)
    min_alphabetic_share: Share = 0.25
    max_encoded_run_chars: int = Field(1024, ge=0)
    max_encoded_data_share: Share = 0.5
    max_number_list_share: Share = 0.7
    xml_header_chars: int = Field(100, ge=0)
    min_visible_text_share: Share = 0
    min_visible_text_chars: int = Field(0, ge=0)
    min_chars: int = Field(0, ge=0)
    max_chars: int = Field(OFF, ge=0)


DATA = {"min_chars": 50, "max_chars": 5000}
DEFAULT_BY_LANGUAGE: dict[str, dict[str, Any]] = {
    "HTML": {"min_visible_text_share": 0.20, "min_visible_text_chars": 100},
    "JSON": DATA,
    "XSLT": {"xml_header_chars": 0},
    "YAML": DATA,
}


class RuleFilterConfig(Limits, ByLanguage):
    LIMITS = Limits
    DEFAULT_BY_LANGUAGE = DEFAULT_BY_LANGUAGE

    # By name, or by preset: `deepseek-coder`, `deepseek-coder-v2`.
    languages: Annotated[tuple[str, ...], AfterValidator(chosen)] = DEEPSEEK_CODER
    drop_foreign: bool = True  # vendored, generated and minified files, and lock files: by their paths
    # `secrets`, `emails`: documents have placeholders in their place.
    redact: Annotated[tuple[Kind, ...], AfterValidator(lambda kinds: tuple(sorted(set(kinds))))] = ()


XML_HEADER = "<?xml version="
# Reason, what is measured, and the setting that limits it.
BEFORE_XML = (
    ("line_length_mean", "line_length_mean", "max_line_length_mean"),
    ("line_length_max", "line_length_max", "max_line_length"),
    ("alphabetic_share", "alphabetic_share", "min_alphabetic_share"),
    ("encoded_run_chars", "encoded_run_chars", "max_encoded_run_chars"),
    ("encoded_data_share", "encoded_data_share", "max_encoded_data_share"),
    ("number_list_share", "number_list_share", "max_number_list_share"),
)
AFTER_XML = (
    ("html_visible_share", "visible_text_share", "min_visible_text_share"),
    ("html_visible_text", "visible_text_chars", "min_visible_text_chars"),
    ("data_size", "num_chars", "min_chars"),
    ("data_size", "num_chars", "max_chars"),
)
REASONS = tuple(dict.fromkeys([
    "language", "lock_file", "minified", "generated", "vendored", *(reason for reason, _, _ in BEFORE_XML),
    "xml_header", *(reason for reason, _, _ in AFTER_XML),
]))  # fmt: skip

Violation = tuple[int, str, str]  # row, reason, detail
Measured = Mapping[str, np.ndarray]


def verdicts(
    files: pa.Table, languages: list[str], measured: Measured, limits: RuleFilterConfig
) -> dict[int, tuple[str, str]]:
    """Row -> (reason, detail) of the first rule that a file (`repository`, `path`, `content`) violates."""
    held_to = [limits.of(language) for language in languages]
    violations = chain(
        _languages(languages, limits.languages),
        foreign(files) if limits.drop_foreign else (),
        _signals(BEFORE_XML, measured, held_to),
        _xml_headers(files.column("content"), held_to),
        _signals(AFTER_XML, measured, held_to),
    )
    found: dict[int, tuple[str, str]] = {}
    for row, reason, detail in violations:
        found.setdefault(row, (reason, detail))
    return found


def _languages(languages: list[str], wanted: tuple[str, ...]) -> Iterator[Violation]:
    known = frozenset(wanted)
    for row, language in enumerate(languages):
        if language not in known:
            yield row, "language", f"{language or 'unknown'} is not among the {len(wanted)} languages"


def _signals(
    rules: tuple[tuple[str, str, str], ...], measured: Measured, held_to: list[RuleFilterConfig]
) -> Iterator[Violation]:
    for reason, signal, setting in rules:
        limits = np.array([getattr(limit, setting) for limit in held_to], np.float64)
        is_maximum = setting.startswith("max_")
        beyond = measured[signal] > limits if is_maximum else measured[signal] < limits  # neither is true of NaN
        for row in np.flatnonzero(beyond).tolist():
            sign = ">" if is_maximum else "<"
            yield row, reason, " ".join(_apart(measured[signal][row], sign, limits[row]))


def _apart(value: float, sign: str, limit: float) -> tuple[str, str, str]:
    """Both numbers to three places, no zeros at their end; where they then look alike, the first in full."""
    shown, bound = (f"{number:.3f}".rstrip("0").rstrip(".") for number in (value, limit))
    return shown if shown != bound else str(value), sign, bound


def _xml_headers(contents: pa.ChunkedArray, held_to: list[RuleFilterConfig]) -> Iterator[Violation]:
    heads = pc.utf8_slice_codeunits(contents, 0, max((limit.xml_header_chars for limit in held_to), default=0))
    places = pc.find_substring(heads, XML_HEADER).to_numpy()
    for row in np.flatnonzero(places >= 0).tolist():
        num_chars = held_to[row].xml_header_chars
        if XML_HEADER in heads[row].as_py()[:num_chars]:
            yield row, "xml_header", f"`{XML_HEADER}` in the first {num_chars} characters"
