"""How much of a file lies inside syntax errors: one sound and one broken snippet for every grammar."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import config, contract, grammars
from pipelines.isolation import Isolated
from pipelines.quality_screen import syntax
from pipelines.quality_screen.stage import QualityScreenConfig, annotate
from pipelines.quality_screen.syntax import SyntaxErrors, syntax_errors

PARSER = Isolated(syntax.measure, 5.0)
ROOT = Path(__file__).parents[3]

SOUND_AND_BROKEN = {
    "C": ("int f(int a) { return a; }\n", "int f(int a { return ; } }}\n"),
    "C#": ("class A { int F() { return 1; } }\n", "class A { int F( { return 1 ++ ; }\n"),
    "C++": ("template <class T> T f(T a) { return a; }\n", "template <class T f(T a) { return a }} ;\n"),
    "CSS": ("p { color: red; }\n", "p { color red; } } {\n"),
    "Dart": ("int f(int a) => a;\n", "int f(int a => a;;\n"),
    "Elixir": ("defmodule A do\n  def f(a), do: a\nend\n", "defmodule A do\n  def f(a, do: a)\n"),
    "Erlang": ("-module(a).\nf(A) -> A.\n", "-module(a.\nf(A) -> -> A\n"),
    "Go": ("package a\n\nfunc f(a int) int { return a }\n", "package a\n\nfunc f(a int int { return a\n"),
    "Groovy": ("def f(a) { return a }\n", "def f(a { return a ) }\n"),
    "Haskell": ("module A where\nf :: Int -> Int\nf a = a\n", "module A where\nf :: -> Int\nf a = ) a\n"),
    "JSON": ('{"a": [1, 2]}\n', '{"a": [1, 2}\n'),
    "Java": ("class A { int f(int a) { return a; } }\n", "class A { int f(int a { return a; }\n"),
    "JavaScript": ("const f = (a) => a + 1;\n", "const f = (a => a + ;\n"),
    "Julia": ("function f(a)\n  a\nend\n", "function f(a\n  a )) \n"),
    "Kotlin": ("fun f(a: Int): Int { return a }\n", "fun f(a: Int: Int { return a\n"),
    "Lua": ("local function f(a) return a end\n", "local function f(a return a\n"),
    "OCaml": ("let f a = a + 1\n", "let f a = = + 1 in\n"),
    "PHP": ("<?php\nfunction f($a) { return $a; }\n", "<?php\nfunction f($a { return $a; \n"),
    "Perl": ("use strict;\nsub f { my $a = shift; }\n", "use strict;\nsub f { my $a = ; return $a; \n"),
    "Protocol Buffer": ('syntax = "proto3";\nmessage A { int32 a = 1; }\n', 'syntax = "proto3";\nmessage A {\n'),
    "Python": ("def f(a):\n    return a\n", "def f(a:\n    return a\n"),
    "R": ("f <- function(a) {\n  a + 1\n}\n", "f <- function(a {\n  a + \n}\n"),
    "Ruby": ("def f(a)\n  a\nend\n", "def f(a\n  a ) end end\n"),
    "Rust": ("fn f(a: i32) -> i32 { a }\n", "fn f(a: i32 -> i32 { a\n"),
    "Scala": ("object A { def f(a: Int): Int = a }\n", "object A { def f(a: Int: Int = a\n"),
    "Shell": ('f() { echo "$1"; }\nif f a; then echo b; fi\n', 'f() { echo "$1"; \nif f a; then echo b; done\n'),
    "Solidity": ("contract A { function f() public {} }\n", "contract A { function f( public {}\n"),
    "TypeScript": ("function f(a: number): number { return a; }\n", "function f(a: number: number { return a;\n"),
    "YAML": ("a:\n  - b\n  - c: 1\n", "a:\n  - b: [1, 2\n - c: }\n"),
    "Zig": ("fn f(a: i32) i32 {\n    return a;\n}\n", "fn f(a: i32 i32 {\n    return a;\n"),
}  # fmt: skip


@pytest.mark.parametrize("language", grammars.GRAMMARS)
def test_every_grammar_tells_sound_from_broken_code(language):
    sound, broken = (syntax_errors(grammars.parser(language), text.encode()) for text in SOUND_AND_BROKEN[language])
    assert sound == SyntaxErrors(0.0, 0)
    assert broken.num_errors > 0


SHARES = [
    pytest.param("Python", b"", (0, 0), id="nothing"),
    pytest.param("Python", b"x = 1\n", (0, 0), id="sound"),
    pytest.param("Python", b"a = 1\n!!!!\nb = 2\n", (4 / 17, 1), id="an error is as long as what was not understood"),
    pytest.param("Python", b"a = 1\n)\nb = 2\n", (1 / 14, 1), id="one byte"),
    pytest.param("Python", "é = ))) 中\n".encode(), (3 / 13, 1), id="bytes and not characters"),
    pytest.param("Python", b"x = (\n", (5 / 6, 1), id="to the end of the text, its line end left out"),
    pytest.param("Python", b"a = 1\n)\nb = 2\n]\n", (2 / 16, 2), id="two errors"),
    pytest.param("JSON", b'{"a": [1, 2}\n', (0, 1), id="a missing token has no bytes"),
]


@pytest.mark.parametrize(("language", "content", "expected"), SHARES)
def test_the_share_of_bytes_inside_errors(language, content, expected):
    assert syntax_errors(grammars.parser(language), content) == pytest.approx(expected)


def test_an_error_inside_an_error_counts_once():
    parser = grammars.parser("C")
    for text in (b"{{{{ ((( ]]] }}} int int int ;;; )" * 3, b"int f( { ) ( } [ = = ; #if x"):
        found = syntax_errors(parser, text)
        assert 0 < found.share <= 1


def test_real_code_of_this_project_has_no_error():
    parser = grammars.parser("Python")
    sources = sorted(ROOT.glob("pipelines/**/*.py"))
    assert len(sources) > 30
    assert {syntax_errors(parser, path.read_bytes()) for path in sources} == {SyntaxErrors(0.0, 0)}


@pytest.mark.parametrize(
    ("language", "path", "text", "num_errors"),
    [
        ("TypeScript", "a.tsx", b"const a = <A b={1}>c</A>;\n", 0),
        ("TypeScript", "a.ts", b"const a = <number>b;\n", 0),
        ("JavaScript", "a.jsx", b"const a = <A b={1}>c</A>;\n", 0),
    ],
)
def test_jsx_has_its_grammar(language, path, text, num_errors):
    assert syntax_errors(grammars.parser(language, path), text).num_errors == num_errors


@pytest.mark.parametrize("language", ["", "Fortran", "HTML", "Brainfuck"])
def test_a_language_without_a_grammar_has_no_parser(language):
    assert grammars.parser(language) is None


def files(*rows: tuple[str, str, str]) -> pa.Table:
    """Files as (path, language, content)."""
    path, language, content = zip(*rows, strict=True)
    return pa.table({"path": path, "language": language, "content": pa.array(content, pa.large_string())})


def test_the_annotation():
    broken = "a = 1\n!!!!\nb = 2\n"
    found = annotate(files(("a.py", "Python", broken), ("b.py", "Python", "x = 1\n"), ("c.f", "Fortran", broken)),
                     QualityScreenConfig(), PARSER)  # fmt: skip
    assert found.to_pylist() == [
        {"reason": "syntax_errors", "detail": "0.235 > 0.1", "syntax_error_share": pytest.approx(4 / 17),
         "num_syntax_errors": 1},
        {"reason": None, "detail": "", "syntax_error_share": 0, "num_syntax_errors": 0},
        {"reason": None, "detail": "", "syntax_error_share": 0, "num_syntax_errors": 0},
    ]  # fmt: skip
    own = [column.name for column in contract.QUALITY_SCREEN if column.name not in {"row_id", "measured"}]
    assert found.column_names == own


@pytest.mark.parametrize(
    ("settings", "language", "content", "detail"),
    [
        ({"max_syntax_error_share": 0.1}, "Python", "a = 1234567890123\n!!\n", ""),  # 2 / 21
        ({"max_syntax_error_share": 2 / 21}, "Python", "a = 1234567890123\n!!\n", ""),
        ({"max_syntax_error_share": 0.09}, "Python", "a = 1234567890123\n!!\n", "0.095 > 0.09"),
        ({}, "C", "int a;\n)))))))\n", ""),  # 7 / 15
        ({}, "C", "int a;\n)))))))))\n", "0.529 > 0.5"),  # macros make sound C look broken: its limit is higher
        ({"max_syntax_error_share_by_language": {}}, "C", "int a;\n)))))))\n", "0.467 > 0.1"),
        ({"max_syntax_error_share_by_language": {"Python": 1}}, "Python", ")))", ""),
    ],
)
def test_the_limit_can_be_set_by_language(settings, language, content, detail):
    [found] = annotate(files(("a", language, content)), QualityScreenConfig(**settings), PARSER).to_pylist()
    assert (found["reason"], found["detail"]) == ("syntax_errors" if detail else None, detail)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"max_syntax_error_share": 2}, "max_syntax_error_share: got 2; Input should be less than or equal to 1"),
        ({"max_syntax_error_share_by_language": {"C": 2}}, "C: got 2; Input should be less than or equal to 1"),
        (
            {"max_syntax_error_share_by_language": {"Pyhton": 0.5}},
            "no grammar for 'Pyhton'; expected one of C, C#, C++,",
        ),
    ],
)
def test_a_bad_limit_is_refused(table, problem):
    with pytest.raises(ValueError, match=r"^config table \[quality_screen\]:") as refused:
        config.parse(QualityScreenConfig, table, "quality_screen")
    assert problem in str(refused.value)


def test_a_file_that_costs_the_parser_too_much_or_breaks_it_is_dropped_alone():
    """Nested generics that never close: the parser follows both readings of each `<`. Nested lists: the stack ends."""
    hostile = files(("a.cs", "C#", "a<" * 100_000), ("b.yaml", "YAML", "- " * 300_000), ("c.cs", "C#", "class A {}\n"))
    found = annotate(hostile, QualityScreenConfig(), PARSER).to_pylist()
    assert [(row["reason"], row["detail"]) for row in found] == [
        ("parser_timeout", "1100100 > 1100000 parser operations"),
        ("parser_crash", "signal 11"),
        (None, ""),
    ]


def test_a_parse_that_never_ends_is_given_up():
    parser = Isolated(syntax.measure, 5.0, seconds=0.5)
    hostile = files(("a.hs", "Haskell", "\n " * 100_000 + "do " * 100_000), ("b.hs", "Haskell", "f a = a\n"))
    found = annotate(hostile, QualityScreenConfig(), parser).to_pylist()
    assert [(row["reason"], row["detail"]) for row in found] == [
        ("parser_timeout", "no answer within 0.5 s"),
        (None, ""),
    ]
