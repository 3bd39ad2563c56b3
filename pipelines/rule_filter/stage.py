"""Wires the rule filter: measure the column, then judge each file."""

import numpy as np
import pyarrow as pa

from pipelines import contract
from pipelines.rule_filter import redaction, rules, signals
from pipelines.rule_filter.html import visible_text_chars
from pipelines.rule_filter.languages import language
from pipelines.rule_filter.redaction import EMAIL
from pipelines.rule_filter.rules import RuleFilterConfig
from pipelines.stage import Annotate, Kernel, Stage, StageRun


def _kernel(run: StageRun[RuleFilterConfig]) -> Kernel:
    return lambda table: annotate(table, run.config)


def annotate(table: pa.Table, limits: RuleFilterConfig) -> pa.Table:
    """A table of `repository`, `path` and `content` to what was measured and the first rule violated."""
    paths = table.column("path").to_pylist()
    contents = table.column("content").cast(pa.large_binary()).to_pylist()
    languages = [language(path, content) for path, content in zip(paths, contents, strict=True)]
    measured = measure(table.column("content").combine_chunks(), languages)
    verdicts = rules.verdicts(table, languages, measured, limits)
    found = [verdicts.get(row, (None, "")) for row in range(len(table))]
    spans = [[] if row in verdicts else redaction.find(text, limits.redact) for row, text in enumerate(contents)]
    return pa.table(
        {
            "reason": pa.array([reason for reason, _ in found], pa.string()),
            "detail": pa.array([detail for _, detail in found], pa.string()),
            "language": pa.array(languages, pa.string()),
            **measured,
            "num_secrets": pa.array([sum(span.kind != EMAIL for span in one) for one in spans], pa.int32()),
            "num_emails": pa.array([sum(span.kind == EMAIL for span in one) for one in spans], pa.int32()),
            "redactions": pa.array([[span._asdict() for span in one] for one in spans], pa.list_(contract.REDACTION)),
        }
    )


def measure(texts: pa.LargeStringArray, languages: list[str]) -> dict[str, np.ndarray]:
    """Every signal of a column of texts, in the order of the contract."""
    found = signals.measure(texts)
    visible = np.full(len(texts), np.nan)
    for row, name in enumerate(languages):
        if name == "HTML":
            visible[row] = visible_text_chars(texts[row].as_py())
    return {
        "num_chars": found.num_chars,
        "num_lines": found.num_lines,
        "line_length_mean": found.line_length_mean,
        "line_length_max": found.line_length_max,
        "alphabetic_share": found.share(found.num_alphabetic),
        "encoded_run_chars": found.encoded_run_chars,
        "encoded_data_share": found.share(found.encoded_chars),
        "number_list_share": found.share(found.number_list_chars),
        "visible_text_chars": visible,
        "visible_text_share": found.share(visible),
    }


STAGE = Stage(
    name="rule_filter",
    reads={"crawl": ("repository", "path", "content")},
    writes=contract.RULE_FILTER,
    reasons=rules.REASONS,
    config=RuleFilterConfig,
    steps=(Annotate(_kernel),),
    packages=("google-re2", "pathspec", "resiliparse"),
)
