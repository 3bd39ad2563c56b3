"""Languages that import a module by the name that a file declares, like by_name: those whose names have no case, and
the hardware description languages, where a file depends on the modules that it instantiates."""

from collections.abc import Iterable

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.marks import Marks
from pipelines.dependency_graph.imports.statements import (
    LITERAL,
    Facts,
    Kind,
    Statement,
    Statements,
    word,
)
from pipelines.dependency_graph.imports.written_paths import after_variables
from pipelines.dependency_graph.tree import FileTree

PATH, NAME, DECLARED, USED = Kind.PATH, Kind.NAME, Kind.DECLARED, Kind.USED
_VERILOG = Statements(
    marks.C_LIKE,
    Statement(PATH, b"`include", rb"`include[ \t]*+\"([^\"\n]++)\""),
    Statement(NAME, word(b"import"), rb"import\s++(\w++)\s*+::"),
    Statement(
        DECLARED,
        rb"\b(?:module|interface|package|program|class|macromodule|checker)\s",
        rb"(?:module|interface|package|program|class|macromodule|checker)\s++(?:(?:automatic|static|class)\s++)?(\w++)",
    ),
    possible=after_variables(),
    roots=("include", "inc", "rtl", "src"),
    # An instance `name #(...)`, `name instance (`, a variable `name x;`; a scope `name::`; a parent class.
    used=rb"(?:(?<![^\n])[ \t]*+|\bextends\s++)(\w++)(?=\s*+#|\s++\w++\s*+[(;=\[]|\s*+[;#{]|::)|\b(\w++)::",
)


class Pascal(Statements):
    """A file that is nothing but includes is the unit of its own name: the clause that says so is in one of them."""

    def declared_in(self, path: str, file: Facts, tree: FileTree) -> Iterable[str]:
        is_shell = file.paths and not file.declared and not file.names
        return [path.rpartition("/")[2].partition(".")[0].lower()] if is_shell else file.declared


LANGUAGES: dict[str, Statements] = {
    "Ada": Statements(
        Marks(marks.DASHES, marks.DOUBLE_TWICE, marks.CHARACTER),
        Statement(NAME, b"with", rb"(?i:with)\s++([\w.]++(?:\s*+,\s*+[\w.]++)*+)\s*+;", rb"[\w.]++", after=b";"),
        Statement(
            DECLARED,
            rb"(?:package|procedure|function)\b",
            rb"(?<![^\n])(?:(?i:package)\s++(?!(?i:body)\b)|(?i:procedure|function)\s++(?=[\w.]++[^;]{0,2000}?;))([\w.]++)",
        ),
        Statement(DECLARED, b"private", rb"(?i:private\s++package)\s++([\w.]++)", after=b""),
        Statement(USED, b"package", rb"(?<![^\n])(?i:package\s++body)\s++([\w.]++)"),
        Statement(USED, b"separate", rb"(?i:separate)\s*+\(\s*+([\w.]++)", after=b""),
        folds_case=True,
    ),
    "Fortran": Statements(
        Marks(marks.line(b"!"), marks.DOUBLE_ON_LINE, marks.SINGLE_ON_LINE),
        Statement(
            NAME,
            b"use",
            rb"(?i:use)(?:(?:[ \t]*+,[ \t]*+(?i:non_intrinsic))?[ \t]*+::[ \t]*+|[ \t]++)"
            rb"([a-zA-Z]\w*+)(?=[ \t]*+[,\n!\r;])",
            after=b";",
        ),
        Statement(NAME, b"submodule", rb"(?i:submodule)[ \t]*+\([ \t]*+(\w++)", after=b""),
        Statement(
            DECLARED,
            b"module",
            rb"(?i:module)[ \t]++(?!(?i:procedure|subroutine|function|pure|elemental|recursive)\b)"
            rb"([a-zA-Z]\w*+)[ \t]*+(?=[\n!\r;])",
            after=b"",
        ),
        Statement(PATH, b"include", rb"(?i:include)[ \t]*+%s" % LITERAL, after=b""),
        Statement(DECLARED, b"subroutine", rb"(?i:subroutine)[ \t]++(\w++)", after=b""),
        Statement(DECLARED, word(b"function"), rb"(?i:function[ \t]++(\w++))(?=[ \t]*+\()"),
        Statement(USED, word(b"call"), rb"(?i:call[ \t]++)(\w++)"),
        Statement(
            USED,
            b"external",
            rb"(?i:external)[ \t:]++(\w++(?:[ \t]*+,(?:[ \t]*+\n[ \t]++[&$*+\d]|&)?\s*+\w++)*+)",
            rb"\w++",
            after=b"",
        ),
        possible=after_variables(),
        roots=("include", "inc"),
        folds_case=True,
    ),
    "Pascal": Pascal(
        Marks(
            marks.SLASHES,
            marks.Mark(b"{", rb"\{(?!\$)[^}]*+\}", rb"\{(?!\$).*"),
            marks.Mark(b"(", rb"\(\*(?!\$)(?:[^*]++|\*(?!\)))*+\*\)", rb"\(\*(?!\$).*"),
            marks.SINGLE_TWICE,
        ),
        Statement(
            NAME,
            b"uses",
            rb"(?i:uses)\s((?:[^;'{]++|'[^'\n]*+'|\{[^}]*+\})++);",
            rb"(?i)\bin\s++'[^'\n]*+'|\{[^}]*+\}|//[^\n]*+|([a-z_][\w.]*+)",
        ),
        Statement(DECLARED, b"unit", rb"(?i:unit)\s++([\w.]++)[^;(]{0,60}?;", after=b";"),
        Statement(PATH, rb"\{\$i", rb"\{\$(?i:I|INCLUDE)[ \t]++'?([^}'\s%]++)"),
        possible=lambda written: [
            name for path in after_variables(".inc", ".pas", ".pp")(written) for name in (path, path.lower())
        ],
        roots=("inc", "include"),
        folds_case=True,
    ),
    "SystemVerilog": _VERILOG,
    "VHDL": Statements(
        Marks(marks.DASHES, marks.STARS, marks.DOUBLE_TWICE, marks.CHARACTER),
        Statement(DECLARED, b"entity", rb"(?i:entity)\s++(\w++)\s++(?i:is)\b", after=b";"),
        Statement(DECLARED, b"package", rb"(?i:package)\s++(?!(?i:body)\b)(\w++)\s++(?i:is)\b", after=b";"),
        Statement(
            DECLARED,
            rb"(?:context|configuration)\b",
            rb"(?i:context|configuration)\s++(\w++)\s++(?i:is|of)\b",
            after=b";",
        ),
        Statement(NAME, b"use", rb"(?i:use)\s++(?!(?i:ieee|std)\s*+\.)\w++\s*+\.\s*+(\w++)", after=b";"),
        Statement(NAME, b"context", rb"(?i:context)\s++(?!(?i:ieee|std)\s*+\.)\w++\s*+\.\s*+(\w++)", after=b";"),
        Statement(
            USED,
            rb"(?:entity|component|configuration)\s",
            rb"(?i:entity|component|configuration)\s++(?:\w++\s*+\.\s*+)?(\w++)",
        ),
        Statement(USED, b"architecture", rb"(?i:architecture)\s++\w++\s++(?i:of)\s++(\w++)", after=b";"),
        Statement(USED, b"package", rb"(?i:package)\s++(?i:body)\s++(\w++)", after=b";"),
        folds_case=True,
        used=rb":\s*+(\w++)\s++(?i:port|generic)\s++(?i:map)\b",
    ),
    "Verilog": _VERILOG,
}
