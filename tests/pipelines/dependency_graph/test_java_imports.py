"""Which files a Java file depends on: by import, and by name within a package."""

import pytest


def java(package: str, body: str, *imports: str) -> str:
    return "\n".join([f"package {package};", *(f"import {name};" for name in imports), body])


A = {"src/p/A.java": java("p", "public class A { static class Inner {} static int n; }")}
B = {"src/p/B.java": java("p", "interface B {}")}

CASES = [
    ("one type", {**A, "src/q/X.java": java("q", "class X {}", "p.A")}, ["src/p/A.java"]),
    ("a nested type", {**A, "src/q/X.java": java("q", "class X {}", "p.A.Inner")}, ["src/p/A.java"]),
    ("a static member", {**A, "src/q/X.java": java("q", "class X {}", "static p.A.n")}, ["src/p/A.java"]),
    ("all static members", {**A, "src/q/X.java": java("q", "class X {}", "static p.A.*")}, ["src/p/A.java"]),
    (
        "a package: the types that are used",
        {**A, **B, "src/q/X.java": java("q", "class X { B b; }", "p.*")},
        ["src/p/B.java"],
    ),
    ("the same package", {**A, **B, "src/p/X.java": java("p", "class X extends A {}")}, ["src/p/A.java"]),
    ("the same package, another source root", {**A, "test/p/X.java": java("p", "class X { A a; }")}, ["src/p/A.java"]),
    ("a method of a type", {**A, "src/p/X.java": java("p", "class X { int f() { return A.n; } }")}, ["src/p/A.java"]),
    (
        "generics, arrays, annotations",
        {**A, **B, "src/p/X.java": java("p", "@B class X { java.util.List<A[]> a; }")},
        ["src/p/A.java", "src/p/B.java"],
    ),
    (
        "an import hides the package's own",
        {**A, "src/q/A.java": java("q", "class A {}"), "src/q/X.java": java("q", "class X { A a; }", "p.A")},
        ["src/p/A.java"],
    ),
    (
        "the package's own hides a wildcard",
        {**A, "src/q/A.java": java("q", "class A {}"), "src/q/X.java": java("q", "class X { A a; }", "p.*")},
        ["src/q/A.java"],
    ),
    ("a type of its own hides others", {**A, "src/p/X.java": java("p", "class X { class A {} A a; }")}, []),
    (
        "a member of that name is no type",
        {**A, "src/p/X.java": java("p", "class X { int f() { return this.A + x.A; } }")},
        [],
    ),
    (
        "in comments and strings",
        {
            **A,
            **B,
            "src/p/X.java": java(
                "p", '/* A */ class X { // B\n String s = "A \\" B"; char c = \'"\'; String t = """\n A " B\n """; }'
            ),
        },
        [],
    ),
    (
        "a second type in one file",
        {"src/p/A.java": java("p", "class A {} class Helper {}"), "src/p/X.java": java("p", "class X { Helper h; }")},
        ["src/p/A.java"],
    ),
    ("a nested type is not seen from outside", {**A, "src/p/X.java": java("p", "class X { Inner i; }")}, []),
    (
        "a record and an enum",
        {"src/p/A.java": java("p", "record A(int x) {} enum E { ONE }"), "src/p/X.java": java("p", "class X { E e; }")},
        ["src/p/A.java"],
    ),
    (
        "the nearest of two modules",
        {
            "m/p/A.java": java("p", "class A {}"),
            "n/p/A.java": java("p", "class A {}"),
            "n/q/X.java": java("q", "class X {}", "p.A"),
        },
        ["n/p/A.java"],
    ),
    ("no package", {"A.java": "class A {}", "X.java": "class X { A a; }"}, ["A.java"]),
    ("with comments inside", {**A, "src/q/X.java": "package q; import /* why */ p . A ; class X {}"}, ["src/p/A.java"]),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_java_dependency(edges, files, expected):
    path = next(path for path in files if path.endswith("X.java"))
    assert edges(files) == ({path: expected} if expected else {})


def test_unresolved_java_imports(graph):
    imports = ("java.util.List", "java.io.*", "static org.junit.Assert.*", "p.*", "p.Gone")
    found = graph({**A, "src/q/X.java": java("q", "class X {}", *imports)})
    assert found.unresolved == {"src/q/X.java": ["java.io.*", "java.util.List", "org.junit.Assert.*", "p.Gone"]}
    assert found.num_imports == {"src/q/X.java": 5}
