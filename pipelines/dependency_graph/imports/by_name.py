"""Languages that import a module by the name that a file declares: `use A::B`, `import Data.Map`; one row for each.

Which file declares a name is read off the files, so that source folders and build files need not be known. Where
several do, the nearest counts.
"""

import re

from pipelines.dependency_graph.imports import marks
from pipelines.dependency_graph.imports.by_path import after_variables
from pipelines.dependency_graph.imports.marks import Marks
from pipelines.dependency_graph.imports.statements import (
    LITERAL,
    Facts,
    Kind,
    Statement,
    Statements,
    with_suffixes,
    word,
)
from pipelines.dependency_graph.parse import Syntax

PATH, NAME, DECLARED, USED = Kind.PATH, Kind.NAME, Kind.DECLARED, Kind.USED
CAPITALS = rb"[A-Z][\w']*+(?:\.[A-Z][\w']*+)*+"
_HASKELL_COMMENT = marks.Mark(
    b"-", rb"--++(?![!#$%&*+./<=>?@\\^|~:])[^\n]*+\n", rb"--++(?![!#$%&*+./<=>?@\\^|~:])[^\n]*+"
)
_BRACES = marks.block(b"{-", b"-}", 2)


class Haskell(Statements):
    """Of literate Haskell, only the lines that begin with `>` are code."""

    def extract(self, language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
        code = b"\n".join(_BIRD_TRACK.findall(source)) if language == "Literate Haskell" else source
        return super().extract(language, path, code, syntax)


_BIRD_TRACK = re.compile(rb"^>(.*)$", re.MULTILINE)
_HASKELL = Haskell(
    Marks(_HASKELL_COMMENT, _BRACES, marks.DOUBLE_ON_LINE, marks.CHARACTER),
    Statement(
        NAME,
        word(b"import"),
        rb"import\s++(?:\{-#[^#]*+#-\}\s*+)?(?:safe\s++)?(?:qualified\s++)?(?:\"[^\"\n]*+\"\s*+)?(%s)" % CAPITALS,
        after=b"",
    ),
    Statement(DECLARED, word(b"module"), rb"module\s++(%s)" % CAPITALS, after=b""),
)
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
_LISP_MARKS = Marks(marks.only(b"\\", rb"\\."), marks.line(b";"), marks.block(b"#|", b"|#", 1), marks.DOUBLE)
_CLOJURE_LIST = rb"((?:[^()\";]++|;[^\n]*+|\"[^\"]*+\"|\((?:[^()\";]++|;[^\n]*+|\"[^\"]*+\"|\([^()]*+\))*+\))*+)\)"
_LIBRARY = rb"\(((?:[^\s()\";]++[ \t\n]*+)++)"
_LIST = rb"((?:[^()\";]++|;[^\n]*+|\"[^\"]*+\"|\((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+\))*+)"


class Scheme(Statements):
    """Libraries are named by lists: `(a b)`."""

    def _name(self, written: bytes) -> str:
        return " ".join(written.decode("utf-8", "replace").strip("( \t\n").split())


def _perl_code(source: bytes) -> bytes:
    end = re.search(rb"^__(?:END|DATA)__", source, re.MULTILINE)
    return source[: end.start()] if end else source


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
    "Clojure": Statements(
        _LISP_MARKS,
        Statement(DECLARED, rb"\(ns\b", rb"\(ns\s++(?:\^(?:\{[^{}]*+\}|:?[\w-]++)\s*+)*+([^\s()\[\]{}\"]++)"),
        Statement(
            NAME,
            rb"\(:?(?:require|use)\b",
            rb"\(:?(?:require|use)(?:-macros)?(?=[\s\[(])" + _CLOJURE_LIST,
            rb"[\[(]([a-zA-Z][\w*+!?<>=/-]*+(?:\.[\w*+!?<>=-]++)++|[a-zA-Z][\w-]*+(?=\s++:as\b))"
            rb"|(?<=\s)([a-z][\w-]*+(?:\.[\w-]++)++)",
        ),
    ),
    "Common Lisp": Statements(
        _LISP_MARKS,
        Statement(
            DECLARED, rb"\((?:\w+:)?def(?:ine-)?package\b", rb"\((?:\w+:)?def(?:ine-)?package\s++[#:'\"]*+([^\s()\"]++)"
        ),
        Statement(NAME, rb"\((?:\w+:)?in-package\b", rb"\((?:\w+:)?in-package\s++[#:'\"]*+([^\s()\"]++)"),
        Statement(PATH, rb"\(load\b", rb"\(load\s++\"([^\"\n]++)\""),
        possible=with_suffixes(".lisp"),
        folds_case=True,
    ),
    "Elm": Statements(
        Marks(marks.DASHES, _BRACES, marks.DOUBLE_ON_LINE, marks.CHARACTER),
        Statement(NAME, word(b"import"), rb"import\s++(%s)" % CAPITALS, after=b""),
        Statement(DECLARED, word(b"module"), rb"module\s++(%s)" % CAPITALS),
    ),
    "Emacs Lisp": Statements(
        _LISP_MARKS,
        Statement(NAME, rb"\(require\b", rb"\(require\s++'([^\s()]++)"),
        Statement(DECLARED, rb"\(provide\b", rb"\(provide\s++'([^\s()]++)"),
        Statement(PATH, rb"\(load\b", rb"\(load\s++\"([^\"\n]++)\""),
        possible=with_suffixes(".el"),
        roots=("lisp",),
    ),
    "Erlang": Statements(
        Marks(marks.line(b"%"), marks.DOUBLE, marks.SINGLE_ON_LINE, marks.only(b"$", rb"\$(?:\\.|[\"'%])")),
        Statement(PATH, b"-include", rb"-include(?:_lib)?\s*+\(\s*+\"([^\"\n]++)\"", after=b""),
        Statement(NAME, b"-behavio", rb"-behaviou?r\s*+\(\s*+'?([\w@]++)", after=b""),
        Statement(NAME, b"-import", rb"-import\s*+\(\s*+'?([\w@]++)", after=b""),
        Statement(USED, b"parse_transform", rb"parse_transform\s*+,\s*+'?([\w@]++)"),
        Statement(DECLARED, b"-module", rb"-module\s*+\(\s*+'?([\w@]++)", after=b""),
        possible=lambda written: [written, written.partition("/")[2] or written],  # the name of an application first
        roots=("include", "src"),
        used=rb"\b([a-z][\w@]*+)\s*+:\s*+[a-z]\w*+(?=\s*+[(/])",
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
    "Haskell": _HASKELL,
    "Julia": Statements(
        Marks(
            marks.block(b"#=", b"=#", 2),
            marks.line(b"#", rb"(?!#=)"),
            marks.Mark(b'"', rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""|"(?!"")(?:[^"\\]++|\\.)*+"', rb'".*'),
            marks.CHARACTER,
        ),
        Statement(
            PATH,
            word(b"include"),
            rb"include\(\s*+(?:joinpath\(\s*+)?((?:@__DIR__\s*+,\s*+)?(?:\"[^\"\n$]++\"\s*+,?\s*+)++)\)",
        ),
        Statement(
            NAME,
            rb"(?:using|import)\b",
            rb"(?:using|import)[ \t]++([.\w]++(?:\.[\w!]++)*+(?:\s*+,\s*+[.\w]++)*+)",
            rb"[A-Za-z_]\w*+(?<![\w.][A-Za-z_]\w)|(?<=\.)[A-Z]\w*+",
            after=b";",
        ),
        Statement(DECLARED, rb"(?:bare)?module\b", rb"(?:bare)?module[ \t]++(\w++)", after=b";"),
        possible=lambda written: ["/".join(re.findall(r'"([^"]++)"', written))],
    ),
    "Literate Haskell": _HASKELL,
    "Pascal": Statements(
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
    "Perl": Statements(
        Marks(
            marks.HASH_AFTER_SPACE,
            marks.DOUBLE_ON_LINE,
            marks.SINGLE_ON_LINE,
            marks.Mark(
                b"=",
                rb"(?<![^\n])=[a-zA-Z][^\n]*+\n(?:(?!=cut)[^\n]*+\n)*+=cut[^\n]*+",
                rb"(?<![^\n])=[a-zA-Z].*",
            ),
        ),
        Statement(
            NAME,
            word(b"use"),
            rb"use[ \t]++(?:parent|base|aliased)\b([^;]{1,2000}+);",
            rb"(?<![\w:-])[A-Z]\w*+(?:::\w++)*+",
            after=b";{}",
        ),
        Statement(NAME, word(b"use"), rb"use[ \t]++([A-Z]\w*+(?:::\w++)*+|[a-z]\w*+(?:::\w++)++)", after=b";{}"),
        Statement(NAME, word(b"require"), rb"require[ \t]++([A-Z]\w*+(?:::\w++)*+)"),
        Statement(PATH, rb"(?:require|do)\b", rb"(?:require|do)[ \t(]++%s" % LITERAL, after=b";{}="),
        Statement(DECLARED, word(b"package"), rb"package[ \t]++([\w:]++)[^\n;{]{0,40}?[;{]", after=b";{}"),
        possible=after_variables(),
        roots=("lib",),
        prepare=_perl_code,
    ),
    "Scheme": Scheme(
        _LISP_MARKS,
        Statement(
            DECLARED,
            rb"\((?:define-library|define-module|library)\b",
            rb"\((?:define-library|define-module|library)\s++%s" % _LIBRARY,
        ),
        Statement(
            NAME,
            rb"\((?:import|use-modules)\b",
            rb"\((?:import|use-modules)(?=[\s(])%s\)" % _LIST,
            rb"\((?!only|except|prefix|rename|for\b)([^\s()]++(?:[ \t\n]++[^\s()]++)*+)",
        ),
        Statement(NAME, b"#:use-module", rb"#:use-module\s++\(?%s" % _LIBRARY),
        Statement(PATH, rb"\((?:include|load)\b", rb"\((?:include|load)\s++\"([^\"\n]++)\""),
        possible=with_suffixes(".scm", ".ss"),
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
