"""Which files a Swift or an F# file depends on."""

import pytest

A = {"Sources/M/A.swift": "public struct A {}\nfunc make() -> A { A() }\nextension String { func b() {} }\n"}
U = {"U.fs": "module My.Util\n\nlet twice x = x * 2\n\ntype Pair = int * int\n"}
N = {"N.fs": "namespace My\n\ntype Shape = Round\n\nmodule Inner =\n    let area = 1\n"}
PROJECT = '<Project><ItemGroup><Compile Include="{}" /><Compile Include="{}" /></ItemGroup></Project>'

CASES = [
    ("Swift: the same module", {**A, "Sources/M/x.swift": "let a = A()\n"}, ["Sources/M/A.swift"]),
    ("Swift: a function", {**A, "Sources/M/b/x.swift": "let a = make()\n"}, ["Sources/M/A.swift"]),
    ("Swift: a member of its name", {**A, "Sources/M/x.swift": "let a = b.make() + b.A\n"}, []),
    ("Swift: another module", {**A, "Tests/T/x.swift": "@testable import M\nlet a = A()\n"}, ["Sources/M/A.swift"]),
    ("Swift: one type of another", {**A, "Sources/N/x.swift": "import struct M.A\nlet a: A\n"}, ["Sources/M/A.swift"]),
    ("Swift: no import", {**A, "Sources/N/x.swift": "let a = A()\n"}, []),
    ("Swift: a type of its own", {**A, "Sources/M/x.swift": "class A {}\nlet a = A()\n"}, []),
    ("Swift: in comments and strings",
     {**A, "Sources/M/x.swift": '/* /* */ A */ let s = #" " A "# + """\nA" """ // A\n'}, []),
    ("Swift: an app", {"App/A.swift": "class A {}", "App/Views/x.swift": "let a = A()"}, ["App/A.swift"]),
    ("F#: a module", {**U, "x.fs": "module X\n\nopen My.Util\n"}, ["U.fs"]),
    ("F#: in full", {**U, "x.fs": "module X\n\nlet a = My.Util.twice 2\n"}, ["U.fs"]),
    ("F#: in the namespace", {**U, "x.fs": "namespace My\n\nmodule X =\n    let a = Util.twice 2\n"}, ["U.fs"]),
    ("F#: a type of the namespace", {**N, "x.fs": "namespace My.More\n\ntype X = Shape list\n"}, ["N.fs"]),
    ("F#: opened, by name", {**N, "x.fs": "module X\nopen My\nlet a : Shape = Round\n"}, ["N.fs"]),
    ("F#: opened, and not used", {**N, "x.fs": "module X\nopen My\n"}, []),
    ("F#: an inner module", {**N, "x.fs": "module X\nopen My.Inner\n"}, ["N.fs"]),
    ("F#: before it in the project",
     {**U, "x.fs": "module X\nopen My.Util\n", "p.fsproj": PROJECT.format("U.fs", "x.fs")}, ["U.fs"]),
    ("F#: after it in the project",
     {**U, "x.fs": "module X\nopen My.Util\n", "p.fsproj": PROJECT.format("x.fs", "U.fs")}, []),
    ("F#: in comments and strings", {**U, "x.fs": 'module X\n(* open My.Util *)\nlet s = "\nopen My.Util"\n'}, []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_swift_and_fsharp_dependency(graph, files, expected):
    path = next(path for path in files if path.endswith(("x.swift", "x.fs")))
    assert graph(files).edges.get(path, []) == expected


def test_unresolved_swift_and_fsharp_imports(graph):
    found = graph(
        {**A, "Sources/N/x.swift": "import Foundation\nimport M\n", **U, "x.fs": "open System.IO\nopen My.Util\n"}
    )
    assert found.unresolved == {"Sources/N/x.swift": ["Foundation"], "x.fs": ["System.IO"]}
    assert found.num_imports == {"Sources/N/x.swift": 2, "x.fs": 2}
