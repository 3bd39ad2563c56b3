"""Wires the quality screen: parse each file whose language has a grammar, and judge the share of errors."""

from typing import Annotated

import pyarrow as pa
from pydantic import AfterValidator, Field

from pipelines import contract, grammars
from pipelines.config import StageConfig
from pipelines.quality_screen.syntax import MAX_OPERATIONS_PER_BYTE, SyntaxErrors, syntax_errors
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
    max_parser_operations_per_byte: float = Field(MAX_OPERATIONS_PER_BYTE, gt=0)


def _kernel(run: StageRun[QualityScreenConfig]) -> Kernel:
    return lambda table: annotate(table, run.config)


def annotate(table: pa.Table, config: QualityScreenConfig) -> pa.Table:
    """A table of `path`, `content` and `language` to the errors of each file, and whether they are too many."""
    columns = (table.column(name).to_pylist() for name in ("path", "content", "language"))
    screened = [_screen(config, *file) for file in zip(*columns, strict=True)]
    return pa.table(
        {
            "reason": pa.array([reason for reason, _, _ in screened], pa.string()),
            "detail": pa.array([detail for _, detail, _ in screened], pa.string()),
            "syntax_error_share": pa.array([errors.share for _, _, errors in screened], pa.float32()),
            "num_syntax_errors": pa.array([errors.num_errors for _, _, errors in screened], pa.int32()),
        }
    )


def _screen(
    config: QualityScreenConfig, path: str, content: str, language: str
) -> tuple[str | None, str, SyntaxErrors]:
    """(reason, detail, errors) of one file."""
    parser = grammars.parser(language, path)
    if parser is None:
        return None, "", SyntaxErrors(0.0, 0)
    try:
        errors = syntax_errors(parser, content.encode(), config.max_parser_operations_per_byte)
    except grammars.ParserTimeoutError as error:
        return "parser_timeout", str(error), SyntaxErrors(0.0, 0)
    limit = config.max_syntax_error_share_by_language.get(language, config.max_syntax_error_share)
    if errors.share > limit:
        return "syntax_errors", f"{errors.share:.3f} > {limit:g}", errors
    return None, "", errors


STAGE = Stage(
    name="quality_screen",
    reads={"crawl": ("path", "content"), "rule_filter": ("language",), "repo_dedup": ()},
    writes=contract.QUALITY_SCREEN,
    reasons=("parser_timeout", "syntax_errors"),
    config=QualityScreenConfig,
    steps=(Annotate(_kernel),),
    packages=("tree-sitter", "tree-sitter-language-pack"),
)
