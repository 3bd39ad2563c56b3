"""Which tree-sitter grammar parses which language, and parsing within a budget. The grammars come in the wheel of
tree-sitter-language-pack."""

from functools import cache

from tree_sitter import Parser, Tree
from tree_sitter_language_pack import get_parser

# Linguist's name -> the grammar's. A language is left out where its grammar rejects much code that compiles.
GRAMMARS = {
    "C": "c", "C#": "csharp", "C++": "cpp", "CSS": "css", "Dart": "dart", "Elixir": "elixir", "Erlang": "erlang",
    "Go": "go", "Groovy": "groovy", "Haskell": "haskell", "JSON": "json", "Java": "java", "JavaScript": "javascript",
    "Julia": "julia", "Kotlin": "kotlin", "Lua": "lua", "OCaml": "ocaml", "PHP": "php", "Perl": "perl",
    "Protocol Buffer": "proto", "Python": "python", "R": "r", "Ruby": "ruby", "Rust": "rust", "Scala": "scala",
    "Shell": "bash", "Solidity": "solidity", "TypeScript": "typescript", "YAML": "yaml", "Zig": "zig",
}  # fmt: skip


def parser(language: str, path: str = "") -> Parser | None:
    """The parser of a language, or None where there is no grammar. TypeScript with JSX has a grammar of its own."""
    if language == "TypeScript" and path.endswith(".tsx"):
        return _parser("tsx")
    return _parser(GRAMMARS[language]) if language in GRAMMARS else None


@cache
def _parser(grammar: str) -> Parser:
    return get_parser(grammar)  # type: ignore[arg-type]


OPERATIONS_PER_REPORT = 100  # how often tree-sitter reports progress
FREE_OPERATIONS = 100_000  # what any file may take, however short


class ParserTimeoutError(Exception):
    """A file took more parser operations than its length allows; the message is `measured > limit`."""


def parse(parser: Parser, source: bytes, max_operations_per_byte: float) -> Tree:
    """The syntax tree of `source`. ParserTimeoutError where it takes too much: code that people write takes 0.3 to 2
    operations a byte. Counted and not timed, so that a file is dropped on every machine or on none.
    """
    max_reports = int(FREE_OPERATIONS + max_operations_per_byte * len(source)) // OPERATIONS_PER_REPORT
    num_reports = 0

    def is_over_budget(offset: int, has_error: bool) -> bool:
        nonlocal num_reports
        num_reports += 1
        return num_reports > max_reports

    view = memoryview(source)
    try:
        return parser.parse(lambda offset, _: view[offset:], progress_callback=is_over_budget)
    except ValueError as error:  # what the binding makes of a parse that was called off
        parser.reset()
        if num_reports <= max_reports:
            raise
        over, limit = num_reports * OPERATIONS_PER_REPORT, max_reports * OPERATIONS_PER_REPORT
        raise ParserTimeoutError(f"{over} > {limit} parser operations") from error
