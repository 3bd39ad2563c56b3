"""Which files a Go file depends on: the package-level names it uses, of its own package and of those it imports."""

import pytest

from pipelines.dependency_graph.imports import go_build

MODULE = {"go.mod": "module example.com/m\n"}
A = {"p/a.go": "package p\n\ntype A struct {\n\tSize int\n}\n\nfunc Make() A { return A{} }\n\nvar One, two = 1, 2\n"}


def x(body: str, *imports: str) -> dict[str, str]:
    written = "".join(f"\t{name}\n" for name in imports)
    return {"q/x.go": f"package q\n\nimport (\n{written})\n\n{body}\n"}


def same(body: str) -> dict[str, str]:
    return {"p/x.go": f"package p\n\n{body}\n"}


IMPORT = '"example.com/m/p"'
CASES = [
    ("a function of another package", {**A, **x("func f() { p.Make() }", IMPORT)}, ["p/a.go"]),
    ("under another name", {**A, **x("func f() { r.Make() }", f"r {IMPORT}")}, ["p/a.go"]),
    ("an import that names nothing", {**A, **x("func f() {}", f"_ {IMPORT}")}, []),
    ("all names of it", {**A, **x("var v = Make()", f". {IMPORT}")}, ["p/a.go"]),
    ("a name that is not there", {**A, **x("func f() { p.Gone() }", IMPORT)}, []),
    (
        "a package called otherwise than its folder",
        {"p/a.go": "package other\n\nfunc Make() {}\n", **x("func f() { other.Make() }", IMPORT)},
        ["p/a.go"],
    ),
    ("the same package", {**A, **same("func f() int { return two }")}, ["p/a.go"]),
    ("a type", {**A, **same("type X struct {\n\tA\n\tb []*A\n}")}, ["p/a.go"]),
    ("after dots, over a line", {**A, **same("func f(a ...A) {\n\ta.b().\n\t\tMake()\n}")}, ["p/a.go"]),
    ("a method is no name of the package", {**A, **same("func f(b B) {\n\tb.b().\n\t\tMake()\n}")}, []),
    ("a variable of its own", {**A, **same("func f() {\n\ttwo, err := g()\n\t_ = two\n}")}, []),
    ("a parameter", {**A, **same("func f(a, two int) int { return two }")}, []),
    ("a field", {**A, **same("type X struct {\n\ttwo int\n}")}, []),
    ("a key", {**A, **same("func f() X { return X{two: 3} }")}, []),
    ("the value of a key", {**A, **same("func f() X { return X{n: two} }")}, ["p/a.go"]),
    ("in comments and strings", {**A, **same('// A\n/* Make() */\nvar s = "A" + `\nfunc A() {}\n` + \'"\'')}, []),
    ("a name of its own", {**A, **same("type A int\n\nvar v A")}, []),
    (
        "names in groups",
        {
            "p/b.go": "package p\n\nconst (\n\tB = iota\n\tC\n)\n\nvar (\n\ta = T{\n\t\tD: 1,\n\t}\n\tE = 2\n)\n",
            **same("var v = C + E"),
        },
        ["p/b.go"],
    ),
    ("what is inside of a group",
     {"p/b.go": "package p\n\nvar (\n\ta = T{\n\t\tD: 1,\n\t}\n)\n", **same("var v = D")}, []),
    ("a type parameter's constraint", {**A, **same("func f[T A](t T) {}")}, ["p/a.go"]),
    ("tests are not seen from outside", {"p/a_test.go": "package p\n\nfunc A() {}\n", **same("var v = A")}, []),
    (
        "tests of the package from outside",
        {
            "q/export_test.go": "package q\n\nfunc Make() {}\n",
            "q/q.go": "package q\n",
            "q/x_test.go": 'package q_test\n\nimport "example.com/m/q"\n\nfunc f() { q.Make() }\n',
        },
        ["q/export_test.go"],
    ),
    (
        "files that are built together",
        {
            "p/a_linux.go": "package p\n\nfunc F() {}\n",
            "p/a_windows.go": "package p\n\nfunc F() {}\n",
            "p/a_other.go": "//go:build !linux && !windows\n\npackage p\n\nfunc F() {}\n",
            "p/x.go": "//go:build windows\n\npackage p\n\nvar v = F\n",
        },
        ["p/a_windows.go"],
    ),
    (
        "a module inside of a module",
        {"sub/go.mod": "module example.com/n\n", "sub/a.go": "package n\n\nvar V = 1\n",
      **x("var v = n.V", '"example.com/n"')},
        ["sub/a.go"],
    ),
    (
        "a vendored package",
        {"vendor/other.org/v/v.go": "package v\n\nvar V = 1\n", **x("var w = v.V", '"other.org/v"')},
        ["vendor/other.org/v/v.go"],
    ),
    ("one import without brackets", {**A, "q/x.go": f"package q; import {IMPORT}\n\nvar v = p.One\n"}, ["p/a.go"]),
    ("an import after a comment with one", {**A, **x("var v = p.One", "// \"b\"", f"/* a */ {IMPORT}")}, ["p/a.go"]),
    ("a byte order mark", {**A, "p/x.go": "\ufeffpackage p\n\nvar v = One\n"}, ["p/a.go"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_go_dependency(graph, files, expected):
    modules = {path: files[path] for path in files if path.endswith("go.mod")}
    rest = {path: files[path] for path in files if path not in modules}
    path = next(path for path in files if "/x" in path)
    assert graph(rest, dropped={**MODULE, **modules}).edges == ({path: expected} if expected else {})


def test_unresolved_go_imports(graph):
    files = {**A, **x("", IMPORT, '"fmt"', '"example.com/m/gone"')}
    found = graph(files, dropped=MODULE)
    assert found.unresolved == {"q/x.go": ["example.com/m/gone", "fmt"]}
    assert found.num_imports == {"q/x.go": 3}


def test_before_modules_a_path_is_found_by_its_end(graph):
    files = {**A, **x("var v = p.One", '"github.com/someone/project/p"', '"errors"'), "errors/e.go": "package errors\n"}
    assert graph(files).edges == {"q/x.go": ["p/a.go"]}


CONSTRAINTS = [
    ("a_linux.go", b"", "a_linux_arm64.go", b"", True),
    ("a_linux.go", b"", "b_windows_test.go", b"", False),
    ("linux.go", b"", "windows.go", b"", True),
    ("a.go", b"//go:build linux && (amd64 || arm64)\n", "b.go", b"//go:build !linux\n", False),
    ("a.go", b"//go:build !(linux || darwin)\n", "b_android.go", b"", False),
    ("a.go", b"//go:build extended\n", "b.go", b"//go:build !extended\n", False),
    ("a.go", b"//go:build unix\n", "b.go", b"// +build windows,!cgo js\n", False),
    ("a.go", b"// +build linux\n// +build cgo\n", "b.go", b"//go:build !cgo\n", False),
    ("a.go", b"//go:build ((\n", "b_linux.go", b"", True),
    ("a.go", b"//go:build go1.18\n", "b.go", b"", True),
]


@pytest.mark.parametrize(("one", "one_says", "other", "other_says", "expected"), CONSTRAINTS)
def test_which_files_are_built_together(one, one_says, other, other_says, expected):
    assert bool(go_build.systems(one, one_says) & go_build.systems(other, other_says)) == expected
