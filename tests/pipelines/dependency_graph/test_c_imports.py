"""Which file an include of C, C++, Objective-C or CUDA means, and which folders build files name for includes."""

import json

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


OBJECTIVE_C = [
    ("import", '#import "A.h"\n#import <Kit/B.h>', ["Kit/B.h", "x/A.h"]),
    ("a header of a framework, wherever it lies in it", "#import <Lib/C.h>", ["Lib/Classes/deep/C.h"]),
    ("not of another framework", "#import <UIKit/C.h>", []),
    ("a module", "@import Kit;\n@import Lib.Sub;", ["Kit/Kit.h", "Lib/Classes/Lib.h"]),
    ("a module of the system", "@import Foundation;", []),
    ("in a comment", "/*\n@import Kit;\n*/ // @import Lib;", []),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in OBJECTIVE_C], ids=[c[0] for c in OBJECTIVE_C])
@pytest.mark.parametrize("name", ["x/a.m", "x/a.mm"])
def test_objective_c(edges, name, text, expected):
    names = ["x/A.h", "Kit/B.h", "Kit/Kit.h", "Lib/Classes/deep/C.h", "Lib/Classes/Lib.h"]
    files = {name: text + "\n@implementation A\n@end\n", **dict.fromkeys(names, "")}
    assert edges(files) == ({name: expected} if expected else {})


def test_cuda(edges):
    files = {"a/x.cu": '#include "y.cuh"\n#include <lib/z.h>\n', "a/y.cuh": "#include <lib/z.h>", "inc/lib/z.h": ""}
    assert edges(files) == {"a/x.cu": ["a/y.cuh", "inc/lib/z.h"], "a/y.cuh": ["inc/lib/z.h"]}


ROOTS = [
    ("no build file: the highest, then by name", {}, "m/i1/y.h"),
    ("the first option of a Makefile", {"m/Makefile": "CFLAGS += -O2 -I i2 -Ii1\n"}, "m/i2/y.h"),
    ("variables for the folder", {"m/Makefile.am": "AM_CPPFLAGS = -I$(srcdir)/i2 -I$(OTHER)/i1"}, "m/i2/y.h"),
    ("variables for the top", {"Makefile.am": "", "m/Makefile.am": '-I"$(top_srcdir)/m/i2"'}, "m/i2/y.h"),
    ("CMake", {"m/CMakeLists.txt": "include_directories(${CMAKE_CURRENT_SOURCE_DIR}/i2 i1)"}, "m/i2/y.h"),
    (
        "CMake, for a target",
        {"m/CMakeLists.txt": "Target_Include_Directories(i1 PUBLIC # i1\n$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/i2>)"},
        "m/i2/y.h",
    ),
    (
        "CMake, from the top",
        {"CMakeLists.txt": "", "m/CMakeLists.txt": "include_directories(${P_SOURCE_DIR}/n/i)"},
        "n/i/y.h",
    ),
    ("meson", {"meson.build": "inc = include_directories('n/i', 'm/i1')"}, "n/i/y.h"),
    ("the nearest build file first", {"Makefile": "-In/i", "m/Makefile": "-Ii2"}, "m/i2/y.h"),
    ("not those of another folder", {"n/Makefile": "-Ii"}, "m/i1/y.h"),
    ("a folder that is not there", {"m/Makefile": "-I/usr/include -I../.. -I$(X) -I"}, "m/i1/y.h"),
    (
        "compile_commands.json of another machine",
        {
            "compile_commands.json": json.dumps(
                [
                    {
                        "directory": "/home/b/p/build",
                        "file": "../m/x.c",
                        "command": "cc -I../n/i -I/home/b/p/m/i2 -c x.c",
                    },
                    {"directory": "/home/b/p", "file": "gone.c", "arguments": ["cc", "-Im/i1"]},
                    3,
                ]
            )
        },
        "n/i/y.h",
    ),
    ("compile_commands.json, broken", {"compile_commands.json": "[{"}, "m/i1/y.h"),
]


@pytest.mark.parametrize(("settings", "expected"), [case[1:] for case in ROOTS], ids=[case[0] for case in ROOTS])
def test_build_files_choose_between_headers_of_one_name(graph, settings, expected):
    files = {"m/x.c": "#include <y.h>", "m/i1/y.h": "", "m/i2/y.h": "", "n/i/y.h": ""}
    assert graph(files, dropped=settings).edges == {"m/x.c": [expected]}


def test_a_standard_header_is_the_repositorys_where_a_build_file_says_so(graph):
    files = {"x.c": "#include <string.h>", "port/string.h": ""}
    assert graph(files).edges == {}
    assert graph(files, dropped={"Makefile": "CFLAGS = -Iport"}).edges == {"x.c": ["port/string.h"]}


def test_a_header_that_was_dropped_is_no_other_one(graph):
    files = {"a/x.c": '#include "y.h"', "b/y.h": ""}
    assert graph(files).edges == {"a/x.c": ["b/y.h"]}
    assert graph(files, dropped={"a/y.h": ""}).edges == {}
