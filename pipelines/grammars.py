"""Which tree-sitter grammar parses which language. The grammars come in the wheel of tree-sitter-language-pack."""

from functools import cache

from tree_sitter import Parser
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
