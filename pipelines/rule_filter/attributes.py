"""What a repository says of its files in `.gitattributes`, as GitHub Linguist reads them: generated or vendored?"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.crawl.sources.gitignore import rule

NAME = r"(?:^|/)\.gitattributes$"
PATTERN = re.compile(r'"([^"\\]+)"|([^\s"#]\S*)')
ATTRIBUTE = re.compile(r"\s([-!]?)linguist-(generated|vendored)(?:=(\S*))?(?=\s|$)")
MAX_CLAIMS = 200  # of a repository: the last ones, which win


class Claim(NamedTuple):
    """That the files below `folder` whose path from there on matches `pattern` are, or are not, `attribute`."""

    folder: str  # with `/` at its end; empty at the top
    pattern: str  # as git writes it
    attribute: str
    is_so: bool | None  # None where it is as if nothing had been said


def stated(files: pa.Table) -> dict[str, dict[int, bool]]:
    """`generated` and `vendored`: row -> what its repository says (`repository`, `path`, `content`).

    Of several lines the last one counts, and those of a deeper folder over those above it, as for git.
    """
    found: dict[str, dict[int, bool]] = {"generated": {}, "vendored": {}}
    for repository, claims in _claims(files).items():
        rows = np.flatnonzero(pc.equal(files.column("repository"), repository).to_numpy())
        paths = files.column("path").take(pa.array(rows))
        for claim in claims[-MAX_CLAIMS:]:
            for row in rows[_matches(claim, paths)].tolist():
                if claim.is_so is None:
                    found[claim.attribute].pop(row, None)
                else:
                    found[claim.attribute][row] = claim.is_so
    return found


def _claims(files: pa.Table) -> dict[str, list[Claim]]:
    """By repository, in the order in which they are made."""
    named = pc.match_substring_regex(files.column("path"), NAME)
    chosen = files.select(["repository", "path", "content"]).filter(named).to_pylist()
    found: dict[str, list[Claim]] = {}
    for file in sorted(chosen, key=lambda file: file["path"].count("/")):
        folder = file["path"].removesuffix(".gitattributes")
        found.setdefault(file["repository"], []).extend(_of_text(folder, file["content"]))
    return found


def _of_text(folder: str, text: str) -> Iterator[Claim]:
    for line in map(str.strip, text.splitlines()):
        if pattern := PATTERN.match(line):
            for sign, attribute, value in ATTRIBUTE.findall(line, pattern.end()):
                is_so = None if sign == "!" else sign != "-" and value != "false"
                yield Claim(folder, pattern[1] or pattern[2], attribute, is_so)


def _matches(claim: Claim, paths: pa.ChunkedArray) -> np.ndarray:
    """bool[paths]"""
    found: np.ndarray = np.zeros(len(paths), bool)
    for expression, is_matched in rule(claim.pattern):
        if is_matched:  # git knows no `!` here
            relative = pc.utf8_slice_codeunits(paths, len(claim.folder))
            inside = pc.starts_with(paths, claim.folder)
            found = pc.and_(inside, pc.match_substring_regex(relative, expression.pattern)).to_numpy()
    return found
