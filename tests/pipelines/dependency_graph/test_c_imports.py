"""Which file a C or C++ include means."""

import pytest

CASES = [
    ("beside the file", {"a/x.c": '#include "y.h"', "a/y.h": "", "y.h": ""}, {"a/x.c": ["a/y.h"]}),
    ("relative to the file", {"a/x.c": '#include "../b/y.h"', "b/y.h": ""}, {"a/x.c": ["b/y.h"]}),
    ("by an include root", {"src/x.c": "#include <lib/y.h>", "include/lib/y.h": ""}, {"src/x.c": ["include/lib/y.h"]}),
    (
        "by an include root, in quotes",
        {"src/x.c": '#include "lib/y.h"', "include/lib/y.h": ""},
        {"src/x.c": ["include/lib/y.h"]},
    ),
    (
        "climbing out of an include root",
        {"src/x.c": '#include "../lib/y.h"', "inc/deep/lib/y.h": ""},
        {"src/x.c": ["inc/deep/lib/y.h"]},
    ),
    (
        "the nearest of several",
        {"one/s/x.c": "#include <y.h>", "one/i/y.h": "", "two/i/y.h": "", "two/s/x.c": "#include <y.h>"},
        {"one/s/x.c": ["one/i/y.h"], "two/s/x.c": ["two/i/y.h"]},
    ),
    ("the highest where none is nearer", {"x.c": "#include <y.h>", "b/c/y.h": "", "d/y.h": ""}, {"x.c": ["d/y.h"]}),
    ("a part of a folder's name is no folder", {"x.c": "#include <b/y.h>", "ab/y.h": ""}, {}),
    (
        "a standard header is the system's",
        {"src/x.c": "#include <string.h>\n#include <vector>\n", "util/string.h": "", "util/vector": ""},
        {},
    ),
    ("unless it is in quotes", {"src/x.c": '#include "string.h"', "util/string.h": ""}, {"src/x.c": ["util/string.h"]}),
    (
        "or in a folder for includes",
        {"src/x.c": "#include <string.h>", "libc/include/string.h": ""},
        {"src/x.c": ["libc/include/string.h"]},
    ),
    (
        "C++ and C headers mix",
        {"x.cpp": '#include "a.h"\n#include "b.hpp"', "a.h": "", "b.hpp": '#include "a.h"'},
        {"x.cpp": ["a.h", "b.hpp"], "b.hpp": ["a.h"]},
    ),
    (
        "a file of any kind",
        {"x.c": 'int t[] = {\n#include "table.def"\n};', "table.def": "1, 2,"},
        {"x.c": ["table.def"]},
    ),
    (
        "conditional",
        {"x.c": '#if 0\n#  include "a.h"\n#else\n\t#\tinclude "b.h" /* why */\n#endif', "a.h": "", "b.h": ""},
        {"x.c": ["a.h", "b.h"]},
    ),
    (
        "include_next and import",
        {"x.c": '#include_next "a.h"\n#import "b.h"', "a.h": "", "b.h": ""},
        {"x.c": ["a.h", "b.h"]},
    ),
    ("a wrapper does not include itself", {"inc/a.h": "#include_next <a.h>"}, {}),
    ("a backslash for a slash", {"x.c": '#include "b\\a.h"', "b/a.h": ""}, {"x.c": ["b/a.h"]}),
    ("in a comment", {"x.c": '/*\n#include "a.h"\n*/ // "\n#include "b.h"', "a.h": "", "b.h": ""}, {"x.c": ["b.h"]}),
    (
        "in a line comment that goes on",
        {"x.c": '// \\\n#include "a.h"\n#include "b.h"', "a.h": "", "b.h": ""},
        {"x.c": ["b.h"]},
    ),
    (
        "in a raw string",
        {"x.cpp": 'auto s = R"x(\n#include "a.h"\n)" )x";\n#include "b.h"', "a.h": "", "b.h": ""},
        {"x.cpp": ["b.h"]},
    ),
    ("not at the start of a line", {"x.c": 'int a; #include "a.h"', "a.h": ""}, {}),
    ("a cycle", {"a.h": '#include "b.h"', "b.h": '#include "a.h"'}, {"a.h": ["b.h"], "b.h": ["a.h"]}),
    ("out of the repository", {"x.c": '#include "../../a.h"'}, {}),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_include(edges, files, expected):
    assert edges(files) == expected


def test_unresolved_includes_are_named_without_quotes(graph):
    found = graph({"x.c": '#include <stdio.h>\n#include "gone.h"\n#include HEADER\n#include <stdio.h>\n'})
    assert found.unresolved == {"x.c": ["HEADER", "gone.h", "stdio.h"]}
    assert found.num_imports == {"x.c": 4}
