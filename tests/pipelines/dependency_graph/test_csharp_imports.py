"""Which files a C# file depends on: those that declare, in a namespace in view, a type that it names."""

import pytest

A = {"A.cs": "namespace P.Q; public class A { class Inner {} }", "Other.cs": "namespace P.Q { class Other {} }"}

CASES = [
    ("a type of a namespace that is used", {**A, "X.cs": "using P.Q;\nclass X { A a; }"}, ["A.cs"]),
    ("a namespace alone is no dependency", {**A, "X.cs": "using P.Q;\nclass X {}"}, []),
    ("a name alone is no dependency", {**A, "X.cs": "class X { A a; }"}, []),
    ("the same namespace", {**A, "X.cs": "namespace P.Q { class X : A {} }"}, ["A.cs"]),
    ("a namespace around", {**A, "X.cs": "namespace P.Q.R;\nclass X : A {}"}, ["A.cs"]),
    (
        "a nested namespace",
        {"A.cs": "namespace P { namespace Q { class A {} } class B {} }", "X.cs": "using P.Q; class X { A a; B b; }"},
        ["A.cs"],
    ),
    (
        "a type behind a nested namespace",
        {"A.cs": "namespace P { namespace Q { class A {} } class B {} }", "X.cs": "using P; class X { B b; }"},
        ["A.cs"],
    ),
    ("static", {**A, "X.cs": "using static P.Q.A; class X {}"}, ["A.cs"]),
    ("an alias", {**A, "X.cs": "using Z = P.Q.A; class X { Z z; }"}, ["A.cs"]),
    ("a full name", {**A, "X.cs": "class X { P.Q.A a; }"}, ["A.cs"]),
    ("a full name from a namespace around", {**A, "X.cs": "namespace P; class X { Q.A a; }"}, ["A.cs"]),
    (
        "a global using holds below its folder",
        {**A, "app/Usings.cs": "global using P.Q;", "app/s/X.cs": "class X { A a; }"},
        ["A.cs"],
    ),
    (
        "a global using does not hold elsewhere",
        {**A, "app/Usings.cs": "global using P.Q;", "X.cs": "class X { A a; }"},
        [],
    ),
    ("an attribute", {"A.cs": "namespace P; class MarkAttribute {}", "X.cs": "using P; [Mark] class X {}"}, ["A.cs"]),
    (
        "the hole of an interpolated string",
        {**A, "X.cs": 'using P.Q; class X { string s = $"Other {A.Name}"; }'},
        ["A.cs"],
    ),
    (
        "comments, strings, regions",
        {
            **A,
            "X.cs": 'using P.Q; class X { /* A */ string s = @"A "" Other"; // A\n#region A\n#endregion\n'
            'string t = """A "" Other"""; char c = \'"\'; }',
        },
        [],
    ),
    ("a member of that name", {**A, "X.cs": "using P.Q; class X { int f() => this.A + x?.A; }"}, []),
    ("a type of its own hides others", {**A, "X.cs": "using P.Q; class X { class A {} A a; }"}, []),
    ("a nested type is not seen from outside", {**A, "X.cs": "using P.Q; class X { Inner i; }"}, []),
    (
        "every part of a partial type",
        {
            "A.cs": "namespace P; partial class A {}",
            "A.Part.cs": "namespace P; partial class A {}",
            "X.cs": "using P; class X { A a; }",
        },
        ["A.Part.cs", "A.cs"],
    ),
    (
        "records, structs, enums, delegates",
        {
            "A.cs": "namespace P; record struct R(int X); enum E { One } delegate R D<T>(int x);",
            "X.cs": "using P; class X { D<int> d; }",
        },
        ["A.cs"],
    ),
    (
        "a using statement is no import",
        {**A, "X.cs": "class X { void f() { using (var A = g()) {} using var Q = h(); } }"},
        [],
    ),
    (
        "the innermost namespace first",
        {**A, "B.cs": "namespace P; class A {}", "X.cs": "namespace P.Q.R; class X { A a; }"},
        ["A.cs"],
    ),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_csharp_dependency(edges, files, expected):
    path = next(path for path in files if path.endswith("X.cs"))
    assert edges(files).get(path, []) == expected


def test_unresolved_usings(graph):
    text = (
        "using System;\nusing System.Text;\nusing P.Q;\nusing static System.Math;\nusing Z = System.Int32;\nclass X {}"
    )
    found = graph({**A, "X.cs": text})
    assert found.unresolved == {"X.cs": ["System", "System.Int32", "System.Math", "System.Text"]}
    assert found.num_imports == {"X.cs": 5}
