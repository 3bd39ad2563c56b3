"""Wires the quality screen: parse each file whose language has a grammar, and judge the share of errors."""

from typing import Annotated

import pyarrow as pa
from pydantic import AfterValidator, Field

from pipelines import contract, grammars
from pipelines.config import StageConfig
from pipelines.quality_screen.syntax import SyntaxErrors, syntax_errors
from pipelines.stage import Annotate, Kernel, Stage, StageRun


def _parsed(language: str) -> str:
    if language not in grammars.GRAMMARS:
        raise ValueError(f"no grammar for {language!r}; expected one of {', '.join(grammars.GRAMMARS)}")
    return language


Language = Annotated[str, AfterValidator(_parsed)]
Share = Annotated[float, Field(ge=0, le=1)]


class QualityScreenConfig(StageConfig):
    max_syntax_error_share: Share = 0.10
    # Macros make sound C and C++ look broken to a parser that does not expand them.
    max_syntax_error_share_by_language: dict[Language, Share] = Field({"C": 0.5, "C++": 0.5})


def _kernel(run: StageRun[QualityScreenConfig]) -> Kernel:
    return lambda table: annotate(table, run.config)


def annotate(table: pa.Table, config: QualityScreenConfig) -> pa.Table:
    """A table of `path`, `content` and `language` to the errors of each file, and whether they are too many."""
    paths, contents, languages = (table.column(name).to_pylist() for name in ("path", "content", "language"))
    found, details = [], []
    for path, content, language in zip(paths, contents, languages, strict=True):
        parser = grammars.parser(language, path)
        errors = syntax_errors(parser, content.encode()) if parser else SyntaxErrors(0.0, 0)
        limit = config.max_syntax_error_share_by_language.get(language, config.max_syntax_error_share)
        found.append(errors)
        details.append(f"{errors.share:.3f} > {limit:g}" if errors.share > limit else "")
    return pa.table(
        {
            "reason": pa.array(["syntax_errors" if detail else None for detail in details], pa.string()),
            "detail": pa.array(details, pa.string()),
            "syntax_error_share": pa.array([errors.share for errors in found], pa.float32()),
            "num_syntax_errors": pa.array([errors.num_errors for errors in found], pa.int32()),
        }
    )


STAGE = Stage(
    name="quality_screen",
    reads={"crawl": ("path", "content"), "rule_filter": ("language",), "repo_dedup": ()},
    writes=contract.QUALITY_SCREEN,
    reasons=("syntax_errors",),
    config=QualityScreenConfig,
    steps=(Annotate(_kernel),),
    packages=("tree-sitter", "tree-sitter-language-pack"),
)
