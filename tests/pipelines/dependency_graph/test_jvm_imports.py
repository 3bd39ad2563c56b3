"""Which files a Kotlin, Scala or Groovy file depends on, and how they and Java see one another."""

import pytest

from pipelines.dependency_graph.imports.jvm import Import, read_imports

A = {"p/A.java": "package p;\npublic class A {}\n"}
K = {"p/K.kt": "package p\n\nclass K\n\nfun make(): K = K()\n\nfun String.shout(): String { return this }\n"}
S = {"p/S.scala": "package p\n\ntrait S\n\nobject T { def f = 1 }\n"}
G = {"p/G.groovy": "package p\n\nclass G { def s = 'class H {' }\n"}

CASES = [
    ("Kotlin from Java", {**A, "q/x.kt": "package q\nimport p.A\n"}, ["p/A.java"]),
    ("Java from Kotlin", {**K, "q/x.java": "package q;\nimport p.K;\n"}, ["p/K.kt"]),
    ("Kotlin's functions from Java", {**K, "q/x.java": "package q;\nclass X { int i = p.KKt.make(); }\n"}, ["p/K.kt"]),
    ("Kotlin: the same package", {**A, "p/x.kt": "package p\nval a: A? = null\n"}, ["p/A.java"]),
    ("Kotlin: a function", {**K, "q/x.kt": "package q\nimport p.make\n"}, ["p/K.kt"]),
    ("Kotlin: a function of the package", {**K, "p/x.kt": "package p\nval a = make()\n"}, ["p/K.kt"]),
    ("Kotlin: a method of its name", {**K, "p/x.kt": "package p\nval a = b.make()\n"}, []),
    ("Kotlin: an extension", {**K, "p/x.kt": 'package p\nval a = "".shout()\n'}, ["p/K.kt"]),
    ("Kotlin: an extension, imported", {**K, "q/x.kt": "package q\nimport p.shout\n"}, ["p/K.kt"]),
    ("Kotlin: all names", {**K, "q/x.kt": "package q\nimport p.*\nval a = make()\n"}, ["p/K.kt"]),
    ("Kotlin: another name", {**K, "q/x.kt": "package q\nimport p.K as L\n"}, ["p/K.kt"]),
    ("Kotlin: in comments and strings", {**K, "p/x.kt": 'package p\n/* /* */ K */ val s = """K "K" """ + "K"\n'}, []),
    ("Scala: selected names", {**S, **A, "q/x.scala": "package q\nimport p.{A, S => Z}\n"}, ["p/A.java", "p/S.scala"]),
    ("Scala: all names", {**S, "q/x.scala": "package q\nimport p._\nclass X extends S\n"}, ["p/S.scala"]),
    ("Scala: members of an object", {**S, "q/x.scala": "package q\nimport p.T._\n"}, ["p/S.scala"]),
    ("Scala: the packages around", {**S, "p/q/x.scala": "package p\npackage q\nclass X extends S\n"}, ["p/S.scala"]),
    ("Scala: an import from there", {
        "p/r/R.scala": "package p.r\nclass R\n", "p/q/x.scala": "package p\npackage q\nimport r.R\n"}, ["p/r/R.scala"]),
    ("Scala: one clause sees one package", {**S, "p/q/x.scala": "package p.q\nclass X extends S\n"}, []),
    ("Scala: a symbol is no string", {**S, "p/x.scala": "package p\nval a = 'a; class X extends S\n"}, ["p/S.scala"]),
    ("Groovy: an import", {**G, "q/x.groovy": "package q\nimport p.G\n"}, ["p/G.groovy"]),
    ("Groovy: static", {**G, "q/x.groovy": "import static p.G.s\n"}, ["p/G.groovy"]),
    ("Groovy: the same package", {**G, "p/x.groovy": "package p\ndef g = new G()\n"}, ["p/G.groovy"]),
    ("Groovy: in a string", {**G, "p/x.groovy": "package p\ndef g = 'G' + '''\nG'''\n"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_jvm_dependency(graph, files, expected):
    path = next(path for path in files if "/x." in path)
    assert graph(files).edges.get(path, []) == expected


IMPORTS = [
    ("a.b.C", [Import("a.b.C", False, False)]),
    ("a.b.C as D", [Import("a.b.C", False, False)]),
    ("static a.B.*", [Import("a.B", True, True)]),
    ("a.{B, C => D, _}", [Import("a.B", False, False), Import("a.C", False, False), Import("a", False, True)]),
    ("a.B, c._", [Import("a.B", False, False), Import("c", False, True)]),
    ("a.`type`.B", [Import("a.type.B", False, False)]),
    (",", []),
    ("static", []),
]


@pytest.mark.parametrize(("statement", "expected"), IMPORTS)
def test_what_an_import_says(statement, expected):
    assert list(read_imports(statement)) == expected
