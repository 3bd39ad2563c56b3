"""How much of a file lies inside syntax errors, by a full tree-sitter parse."""

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node, Parser

from pipelines import grammars


class SyntaxErrors(NamedTuple):
    share: float  # of the bytes, 0 to 1
    num_errors: int  # outermost errors, and tokens that the parser had to invent


MAX_OPERATIONS_PER_BYTE = 5.0


NO_ERRORS = SyntaxErrors(0.0, 0)


def measure(max_operations_per_byte: float, language: str, path: str, content: bytes) -> SyntaxErrors | str:
    """The errors of one file, or why its parse was called off. Runs in a process of its own."""
    parser = grammars.parser(language, path)
    assert parser is not None, language
    try:
        return syntax_errors(parser, content, max_operations_per_byte)
    except grammars.ParserTimeoutError as error:
        return str(error)


def syntax_errors(
    parser: Parser, content: bytes, max_operations_per_byte: float = MAX_OPERATIONS_PER_BYTE
) -> SyntaxErrors:
    """The errors of one file. An error inside an error counts once; a missing token has no bytes.

    Raises ParserTimeoutError where the parse takes more operations than the length of the file allows.
    """
    tree = grammars.parse(parser, content, max_operations_per_byte)
    found = list(_errors(tree.root_node))
    inside = sum(node.end_byte - node.start_byte for node in found)
    return SyntaxErrors(inside / max(len(content), 1), len(found))


def _errors(root: Node) -> Iterator[Node]:
    """The outermost error nodes and the missing tokens; sound subtrees are not entered."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            waiting += reversed(node.children)
