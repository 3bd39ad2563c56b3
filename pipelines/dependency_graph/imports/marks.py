"""The pieces that the comments and strings of most languages are made of, put together to a Lexer."""

import re
from typing import NamedTuple

from pipelines.dependency_graph.scan import Lexer


class Marks(Lexer):
    """A Lexer that can also take the comments and strings out."""

    def __init__(self, *marks: "Mark") -> None:
        self._openers = frozenset(mark.opener for mark in marks)
        openers = b"".join(re.escape(opener) for opener in sorted(self._openers))
        super().__init__(openers, (mark.whole for mark in marks), (mark.cut_off for mark in marks))
        # Code, a token, or an opener that is an operator: four times as fast as to search for the tokens.
        self._piece = re.compile(rb"[^%s]++|%s|[%s]" % (openers, self._token.pattern, openers), re.DOTALL)

    def code(self, source: bytes) -> bytes:
        """`source` with a space for each comment and string."""
        pieces = (match.group() for match in self._piece.finditer(source))
        return b"".join(b" " if piece[:1] in self._openers and len(piece) > 1 else piece for piece in pieces)


class Mark(NamedTuple):
    """A kind of comment or string."""

    opener: bytes  # the byte it begins with
    whole: bytes  # a pattern for one that ends
    cut_off: bytes  # a pattern for one that the file never ends


def line(begin: bytes, after: bytes = b"") -> Mark:
    """A comment to the end of the line; `after` is a look-behind for what must stand before it."""
    text = rb"%s%s[^\n]*+" % (after, re.escape(begin))
    return Mark(begin[:1], text + rb"\n", text)


def block(begin: bytes, end: bytes, depth: int = 0) -> Mark:
    """A comment with two ends; up to `depth` more may lie inside one another in it."""
    start, stop = re.escape(begin), re.escape(end)
    inner = rb"(?:[^%s]++|(?!%s)[%s])*+" % (_set(end), stop, _set(end))
    whole = rb"%s%s%s" % (start, inner, stop)
    for _ in range(depth):
        first = _set(begin[:1] + end[:1])
        whole = rb"%s(?:[^%s]++|%s|(?!%s|%s)[%s])*+%s" % (start, first, whole, start, stop, first, stop)
    return Mark(begin[:1], whole, rb"%s.*" % start)


def quoted(quote: bytes, escape: bytes = b"\\", over_lines: bool = True) -> Mark:
    """A string; without `escape`, a quotation mark inside it is written twice."""
    skip = rb"|%s." % re.escape(escape) if escape else rb"|%s%s" % (quote, quote)
    newline = b"" if over_lines else rb"\n"
    text = rb"%s(?:[^%s%s%s]++%s)*+" % (quote, quote, re.escape(escape), newline, skip)
    return Mark(quote, text + (quote if over_lines else rb"[%s\n]" % quote), text)


def only(opener: bytes, whole: bytes) -> Mark:
    """What is a token where `whole` matches, and code where it does not."""
    return Mark(opener, whole, rb"(?!)")


def _set(some: bytes) -> bytes:
    return b"".join(re.escape(bytes([byte])) for byte in sorted(set(some)))


HASH = line(b"#")
HASH_AFTER_SPACE = line(b"#", rb"(?<![^\s;()|&`])")  # `$#` and `a#b` are none
SLASHES = line(b"//")
STARS = block(b"/*", b"*/")
DASHES = line(b"--")
DOUBLE, SINGLE = quoted(b'"'), quoted(b"'")
DOUBLE_ON_LINE, SINGLE_ON_LINE = quoted(b'"', over_lines=False), quoted(b"'", over_lines=False)
DOUBLE_TWICE, SINGLE_TWICE = quoted(b'"', b"", over_lines=False), quoted(b"'", b"", over_lines=False)

CHARACTER = only(b"'", rb"(?<![\w'])'(?:[^'\\\n]{1,4}+|\\.[^'\n]{0,8}+)'")  # names may hold an apostrophe

C_LIKE = Marks(SLASHES, STARS, DOUBLE_ON_LINE, SINGLE_ON_LINE)
