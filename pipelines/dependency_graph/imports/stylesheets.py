"""CSS, SCSS, Sass and Less: `@import`, `@use`, `@forward`, with partials (`_a.scss`) and index files."""

import re
from collections.abc import Sequence

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Marks
from pipelines.dependency_graph.imports.statements import Kind, Statement, Statements

SUFFIXES = (".scss", ".sass", ".less", ".css")


def possible(written: str) -> Sequence[str]:
    """The files that `a/b` may be: a/_b.scss, a/b.scss, a/_b/index.scss and their like. None of an address."""
    path = re.split(r"[?#]", written, maxsplit=1)[0].removeprefix("~")
    if re.match(r"(?:\w++:|//)", path) or re.search(r"[{}$@]", path.removeprefix("@")):
        return []
    folder, slash, name = path.rpartition("/")
    stems = [name] if name.startswith("_") else [f"_{name}", name]
    if name.endswith(SUFFIXES):
        return [folder + slash + stem for stem in reversed(stems)]
    files = [folder + slash + stem + suffix for suffix in SUFFIXES for stem in stems]
    return [*files, *(f"{path}/{index}{suffix}" for suffix in SUFFIXES for index in ("_index", "index"))]


STYLESHEETS = Statements(
    Marks(marks.line(b"//", rb"(?<!:)"), marks.STARS, marks.DOUBLE_ON_LINE, marks.SINGLE_ON_LINE),
    Statement(
        Kind.PATH,
        b"@import",
        rb"@import[ \t]*+(?:\([\w, \t]*+\)\s*+)?"
        rb"((?:[ \t]*+(?:,\s*+)?(?:url\([^()\n]*+\)|\"[^\"\n]*+\"|'[^'\n]*+'|[\w./-]++))++)",
        rb"(?:url\(\s*+[\"']?|(?<![\w./\"'-])[\"'])([^\"'()\n]++)|(?<![^\s,])([\w./-]++)",
    ),
    Statement(Kind.PATH, b"@use", rb"@use\s++[\"']([^\"'\n]++)"),
    Statement(Kind.PATH, b"@forward", rb"@forward\s++[\"']([^\"'\n]++)"),
    possible=possible,
    roots=("scss", "sass", "less", "styles", "stylesheets", "css"),
)
LANGUAGES = {"CSS": STYLESHEETS, "SCSS": STYLESHEETS, "Sass": STYLESHEETS, "Less": STYLESHEETS}
