"""Parses import statements with tree-sitter, within a budget of parser operations.

The budget is counted, not timed: a file is dropped on every machine or on none.
"""

from functools import cache
from pathlib import Path

from tree_sitter import Node, Parser, Query, QueryCursor

from pipelines import grammars

OPERATIONS_PER_REPORT = 100  # how often tree-sitter reports progress
FREE_OPERATIONS = 100_000  # what any file may take, however short


class ParserTimeoutError(Exception):
    """A file took more parser operations than its length allows; the message is `measured > limit`."""


class Syntax:
    """Reads nodes out of source code by a query file."""

    def __init__(self, max_operations_per_byte: float) -> None:
        self.max_operations_per_byte = max_operations_per_byte

    def captures(self, language: str, source: bytes, path: str = "") -> dict[str, list[Node]]:
        """The nodes that `queries/<language>.scm` captures in `source`, by the capture's name, in order.

        `language` is Linguist's name; `path` tells TypeScript with JSX from TypeScript. Raises ParserTimeoutError.
        """
        if not source:
            return {}
        parser = grammars.parser(language, path)
        assert parser is not None, language
        assert parser.language is not None, language
        root = self._parse(parser, source)
        return QueryCursor(query(language, path.endswith(".tsx"))).captures(root)

    def _parse(self, parser: Parser, source: bytes) -> Node:
        max_reports = int(FREE_OPERATIONS + self.max_operations_per_byte * len(source)) // OPERATIONS_PER_REPORT
        num_reports = 0

        def is_over_budget(offset: int, has_error: bool) -> bool:
            nonlocal num_reports
            num_reports += 1
            return num_reports > max_reports

        view = memoryview(source)
        try:
            return parser.parse(lambda offset, _: view[offset:], progress_callback=is_over_budget).root_node
        except ValueError as error:  # what the binding makes of a parse that was called off
            parser.reset()
            if num_reports <= max_reports:
                raise
            over, limit = num_reports * OPERATIONS_PER_REPORT, max_reports * OPERATIONS_PER_REPORT
            raise ParserTimeoutError(f"{over} > {limit} parser operations") from error


@cache
def query(language: str, is_tsx: bool) -> Query:
    parser = grammars.parser(language, ".tsx" if is_tsx else "")
    assert parser is not None, language
    assert parser.language is not None, language
    name = {"C++": "c", "C#": "csharp"}.get(language, language.lower())
    return Query(parser.language, (Path(__file__).parent / "queries" / f"{name}.scm").read_text(encoding="utf-8"))


def text(node: Node, source: bytes) -> str:
    """The source text of a node; what is no UTF-8, since the file is broken, becomes U+FFFD.

    py-tree-sitter 0.26.1 crashes on `node.text`, and on predicates in a query, where the parser read through a
    callback; and only such a parser can be called off.
    """
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")
