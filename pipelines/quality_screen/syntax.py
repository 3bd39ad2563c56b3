"""How much of a file lies inside syntax errors, by a full tree-sitter parse."""

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node, Parser


class SyntaxErrors(NamedTuple):
    share: float  # of the bytes, 0 to 1
    num_errors: int  # outermost errors, and tokens that the parser had to invent


def syntax_errors(parser: Parser, content: bytes) -> SyntaxErrors:
    """The errors of one file. An error inside an error counts once; a missing token has no bytes."""
    tree = parser.parse(content)
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
