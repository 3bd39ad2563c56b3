"""What a folder's .gitignore files leave out: nested files, negation, anchors and `**`, as git reads them."""

from collections.abc import Iterator
from typing import Any

import re2
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

NAME = ".gitignore"
MAX_RULES_BYTES = 1 << 20  # a file of more rules is no file of rules
# How pathspec ends its expressions, so that a rule for a folder speaks of all that is in it. Here a folder that is left
# out is not entered; and `!a` must not call back what another rule leaves out inside `a`.
ENDS = {"(?:(?P<ps_d>/)|$)": "/?$", "(?P<ps_d>/)": "/$"}


class GitIgnore:
    """The rules of one folder, `inside` the tree with `/` at its end, and of the folders `above` it."""

    def __init__(self, above: "GitIgnore | None", inside: str, text: bytes) -> None:
        self.above, self.inside = above, inside
        lines = text[:MAX_RULES_BYTES].decode(errors="replace").splitlines()
        self.rules = [found for line in reversed(lines) for found in rule(line)]

    def leaves_out(self, path: str) -> bool:
        """Whether `path`, inside the tree, is ignored; that of a folder ends in `/`. The nearest, last rule decides."""
        folder: GitIgnore | None = self
        while folder is not None:  # no recursion: a tree may be deeper than Python's stack
            relative = path.removeprefix(folder.inside)
            for expression, ignores in folder.rules:
                if expression.search(relative):
                    return ignores
            folder = folder.above
        return False


def rule(line: str) -> Iterator[tuple[Any, bool]]:
    """(what it matches, whether that is ignored); nothing where git, too, finds no pattern in the line."""
    if not line.lstrip("!").strip("/"):
        return
    try:
        regex, ignores = GitIgnoreSpecPattern.pattern_to_regex(line)
        if regex is None or ignores is None:
            return
        for end, whole in ENDS.items():
            regex = regex.removesuffix(end) + whole if regex.endswith(end) else regex
        yield re2.compile(f"(?s){regex}"), ignores  # RE2 takes linear time, whatever the pattern
    except (GitIgnorePatternError, re2.error):
        return
