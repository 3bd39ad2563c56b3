"""Which file a Python import means."""

import pytest

PACKAGE = {"p/__init__.py": "", "p/a.py": "", "p/b.py": "", "p/q/__init__.py": "", "p/q/c.py": ""}

CASES = [
    ("absolute", "from_root.py", "import p.a", ["p/a.py"]),
    ("absolute, the package itself", "x.py", "import p", ["p/__init__.py"]),
    ("several in one statement, with other names", "x.py", "import p.a as one, p.q.c, os", ["p/a.py", "p/q/c.py"]),
    ("a submodule by `from`", "x.py", "from p import a", ["p/a.py"]),
    ("a name that is no module means the module it is in", "x.py", "from p.a import thing", ["p/a.py"]),
    ("a submodule and a name", "x.py", "from p import a, thing", ["p/__init__.py", "p/a.py"]),
    ("everything", "x.py", "from p.q import *", ["p/q/__init__.py"]),
    (
        "in parentheses, with comments",
        "x.py",
        "from p import (  # all)\n    a,  # one\n    b as c,\n)",
        ["p/a.py", "p/b.py"],
    ),
    ("continued by a backslash", "x.py", "from p \\\n    import a, \\\n    b", ["p/a.py", "p/b.py"]),
    ("continued by a backslash with CRLF", "x.py", "from p \\\r\n    import a\r\n", ["p/a.py"]),
    (
        "inside a function, after `if`, after a semicolon",
        "x.py",
        "def f():\n    import p.a\nif 1: from p import b; import p.q\n",
        ["p/a.py", "p/b.py", "p/q/__init__.py"],
    ),
    ("in `try`", "x.py", "try: import p.a\nexcept ImportError: import p.b\n", ["p/a.py", "p/b.py"]),
    ("under TYPE_CHECKING", "x.py", "if TYPE_CHECKING:\n    from p.a import A\n", ["p/a.py"]),
    ("relative, the folder", "p/x.py", "from . import a, q", ["p/a.py", "p/q/__init__.py"]),
    ("relative, a module of the folder", "p/x.py", "from .q.c import d", ["p/q/c.py"]),
    ("relative, the parent's folder", "p/q/x.py", "from ..a import d", ["p/a.py"]),
    ("relative, a name of the parent package", "p/q/x.py", "from .. import thing", ["p/__init__.py"]),
    ("relative, with spaces between the dots", "p/q/x.py", "from . . a import d", ["p/a.py"]),
    ("relative, from `__init__`", "p/q/__init__.py", "from .c import d\nfrom .. import b", ["p/b.py", "p/q/c.py"]),
    ("relative, out of the repository", "p/q/x.py", "from .... import a", []),
    ("a sibling needs a dot", "p/x.py", "import a", []),
    ("a module imports itself", "p/a.py", "import p.a", []),
    ("a module that is not there", "x.py", "import p.z", []),
    ("in a docstring", "x.py", '"""\nimport p.a\n"""\n', []),
    ("in a comment, which an import follows", "x.py", "# (import p.a, or import (\nimport p.b\n", ["p/b.py"]),
    ("in a string after an escaped quote", "x.py", "s = 'it\\'s; import p.a'", []),
    ("after a string that looks like the start of a docstring", "x.py", "s = \"'''\"\nimport p.a\n", ["p/a.py"]),
    ("after a docstring with quotes inside", "x.py", '"""a "quoted" \'\'\' word"""\nimport p.a\n', ["p/a.py"]),
    ("`from` in other statements", "x.py", "raise A from b; import p.a\n", ["p/a.py"]),
    ("a module called from_x", "x.py", "from p.from_x import a\nimport p.b\n", ["p/b.py"]),
    ("a name that contains `import`", "x.py", "reimport (p.a)\nimport_module('p.a')\n__import__('p.a')\n", []),
    ("after an unclosed docstring nothing is code", "x.py", 'import p.a\n"""\nimport p.b\n', ["p/a.py"]),
]


@pytest.mark.parametrize(("path", "text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_import_in_a_file_beside_a_package(edges, path, text, expected):
    assert edges({**PACKAGE, path: text}).get(path, []) == expected


LAYOUTS = [
    (
        "src layout",
        {"src/p/__init__.py": "", "src/p/a.py": "", "tests/t.py": "import p.a"},
        {"tests/t.py": ["src/p/a.py"]},
    ),
    (
        "a script and its neighbour",
        {"tools/run.py": "import shared", "tools/shared.py": ""},
        {"tools/run.py": ["tools/shared.py"]},
    ),
    ("a script does not see modules of another folder", {"tools/run.py": "import yaml", "docs/yaml.py": ""}, {}),
    (
        "a namespace package",
        {"src/g/cloud/x/__init__.py": "", "src/g/cloud/x/y.py": "", "t.py": "from g.cloud.x import y"},
        {"t.py": ["src/g/cloud/x/y.py"]},
    ),
    (
        "two roots: each project means its own",
        {
            "one/m/__init__.py": "",
            "one/m/a.py": "",
            "one/t/x.py": "import m.a",
            "two/m/__init__.py": "",
            "two/m/a.py": "",
            "two/t/x.py": "import m.a",
        },
        {"one/t/x.py": ["one/m/a.py"], "two/t/x.py": ["two/m/a.py"]},
    ),
    (
        "one project imports another",
        {
            "libs/core-lib/core/__init__.py": "",
            "libs/core-lib/core/a.py": "",
            "libs/app/app/__init__.py": "from core.a import b",
        },
        {"libs/app/app/__init__.py": ["libs/core-lib/core/a.py"]},
    ),
    (
        "a package in test data is not what others mean",
        {"tests/fixtures/numpy/__init__.py": "", "a.py": "import numpy"},
        {},
    ),
    (
        "data of a package is not what others mean",
        {"m/__init__.py": "", "m/stubs/yaml.py": "", "m/a.py": "import yaml"},
        {},
    ),
    (
        "stubs ask for stubs, code for code",
        {"p/__init__.py": "", "p/a.py": "", "p/a.pyi": "", "p/b.py": "from .a import c", "p/b.pyi": "from .a import c"},
        {"p/b.py": ["p/a.py"], "p/b.pyi": ["p/a.pyi"]},
    ),
    (
        "a package before a module of its name",
        {"p/__init__.py": "", "p.py": "", "x.py": "import p"},
        {"x.py": ["p/__init__.py"]},
    ),
    (
        "a cycle",
        {"p/__init__.py": "", "p/a.py": "from . import b", "p/b.py": "from . import a"},
        {"p/a.py": ["p/b.py"], "p/b.py": ["p/a.py"]},
    ),
    (
        "an `__init__.py` at the root",
        {"__init__.py": "from . import a", "a.py": "import b", "b.py": ""},
        {"__init__.py": ["a.py"], "a.py": ["b.py"]},
    ),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in LAYOUTS], ids=[case[0] for case in LAYOUTS])
def test_layout_of_a_repository(edges, files, expected):
    assert edges(files) == expected


def test_what_is_no_file_of_the_repository_is_listed_once_by_name(graph):
    text = "import os, numpy.linalg\nimport os\nfrom .gone import a\nfrom .. import b\nfrom __future__ import c\n"
    found = graph({"p/__init__.py": "", "p/x.py": text})
    assert found.unresolved == {"p/x.py": ["..", ".gone", "__future__", "numpy.linalg", "os"]}
    assert found.num_imports == {"p/x.py": 6}


def test_an_empty_init_that_was_dropped_still_makes_a_package(graph):
    files = {"p/a.py": "import b", "p/b.py": "", "t.py": "from p import b"}
    assert graph(files).edges == {"p/a.py": ["p/b.py"], "t.py": ["p/b.py"]}
    assert graph(files, dropped={"p/__init__.py": ""}).edges == {"t.py": ["p/b.py"]}
