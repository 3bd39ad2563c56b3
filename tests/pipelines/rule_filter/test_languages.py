"""Which language a file is in: by name, extension, interpreter line, and a look inside."""

import time
from types import FunctionType

import pytest

from pipelines import grammars
from pipelines.dependency_graph.families import FAMILIES
from pipelines.parquet_shards.assemble import COMMENTS
from pipelines.rule_filter import linguist
from pipelines.rule_filter.languages import DEEPSEEK_CODER, DEEPSEEK_CODER_V2, chosen, known_languages, language

BY_PATH = [
    ("a.py", "Python"),
    ("stubs/a.pyi", "Python"),
    ("a.c", "C"),
    ("a.cc", "C++"),
    ("a.c++", "C++"),
    ("a.hpp", "C++"),
    ("a.cs", "C#"),
    ("a.cu", "Cuda"),
    ("A.java", "Java"),
    ("A.JAVA", "Java"),
    ("a.min.js", "JavaScript"),
    ("a.jsx", "JavaScript"),
    ("a.tsx", "TypeScript"),
    ("a.d.ts", "TypeScript"),
    ("a.go", "Go"),
    ("a.rs", "Rust"),
    ("build.rs.in", "Rust"),
    ("page.html.hl", "HTML"),
    ("a.kt", "Kotlin"),
    ("a.R", "R"),
    ("a.rb", "Ruby"),
    ("a.php", "PHP"),
    ("a.f90", "Fortran"),
    ("a.lhs", "Literate Haskell"),
    ("a.hs", "Haskell"),
    ("a.lagda", "Literate Agda"),
    ("a.litcoffee", "Literate CoffeeScript"),
    ("a.rmd", "RMarkdown"),
    ("a.ipynb", "Jupyter Notebook"),
    ("a.jsp", "Java Server Pages"),
    ("a.el", "Emacs Lisp"),
    ("a.lisp", "Common Lisp"),
    ("a.sv", "SystemVerilog"),
    ("a.vhdl", "VHDL"),
    ("a.proto", "Protocol Buffer"),
    ("a.xsl", "XSLT"),
    ("a.yml", "YAML"),
    ("a.tex", "TeX"),
    ("a.sml", "Standard ML"),
    ("a.zig", "Zig"),
    ("a.swift", "Swift"),
    ("a.mm", "Objective-C++"),
    ("a.vue", "Vue"),
    ("a.svelte", "Svelte"),
    ("a.scss", "SCSS"),
    ("a.sass", "Sass"),
    ("a.less", "Less"),
    ("a.nix", "Nix"),
    ("main.tf", "HCL"),
    ("a.hcl", "HCL"),
    ("a.rakumod", "Raku"),
    ("README.md", "Markdown"),
    ("index.rst", "reStructuredText"),
    ("Dockerfile", "Dockerfile"),
    ("src/Makefile", "Makefile"),
    ("CMakeLists.txt", "CMake"),
    ("Rakefile", "Ruby"),
    ("Jenkinsfile", "Groovy"),
    (".bashrc", "Shell"),
    (".emacs", "Emacs Lisp"),
    ("a.txt", "Text"),
    ("LICENSE", "Text"),
    ("a.py.orig", ""),
    (".py", "Python"),
    ("py", ""),
    ("a.", ""),
    ("a.py/b", ""),
]


@pytest.mark.parametrize(("path", "expected"), BY_PATH)
def test_by_name_or_extension(path, expected):
    assert language(path, b"") == expected


BY_INTERPRETER = [
    ("#!/usr/bin/python\n", "Python"),
    ("#!/usr/bin/env python3\n", "Python"),
    ("#!/usr/bin/env -S python3 -u\n", "Python"),
    ("#!/usr/bin/env -S LANG=C perl -w\n", "Perl"),
    ("#! /bin/sh -e\n", "Shell"),
    ("#!/opt/python3.11/bin/python3.11", "Python"),
    ("#!/usr/bin/tclsh8.6\r\n", "Tcl"),
    ("#!/usr/local/bin/node --harmony\n", "JavaScript"),
    ("#!/usr/bin/env Rscript\n", "R"),
    ("#!/usr/bin/make -f\n", "Makefile"),
    ("#!/usr/bin/env\n", ""),
    ("#!\n", ""),
    ("#!", ""),
    ("#!   \npython", ""),
    ("#!/usr/bin/unknown\n", ""),
    (" #!/bin/sh\n", ""),
    ("python\n", ""),
    ("#!/" + "x" * 10_000, ""),
]


@pytest.mark.parametrize(("text", "expected"), BY_INTERPRETER)
def test_by_interpreter_where_the_name_has_no_extension(text, expected):
    assert language("bin/tool", text.encode()) == expected


LOOK_INSIDE = [
    ("a.h", "int f(void);\n", "C"),
    ("a.h", "#ifdef __cplusplus\nextern \"C\" {\n#endif\n", "C"),
    ("a.h", "int x; // a class of its own\n", "C"),
    ("a.h", "\tclass A {};\n", "C++"),
    ("a.h", "namespace a {\n}\n", "C++"),
    ("a.h", "template <class T> T f();\n", "C++"),
    ("a.h", "struct A {\n public:\n  int x;\n};\n", "C++"),
    ("a.h", "void f(std::string);\n", "C++"),
    ("a.h", "@interface A : NSObject\n@end\n", "Objective-C"),
    ("a.h", "#import <Foundation/Foundation.h>\n", "Objective-C"),
    ("a.m", "function y = f(x)\ny = x;\n", "MATLAB"),
    ("a.m", "#import \"a.h\"\n@implementation A\n@end\n", "Objective-C"),
    ("a.m", "(* a package *)\nBeginPackage[\"A`\"]\n", "Mathematica"),
    ("a.m", "f[x_, y_] := x y\n", "Mathematica"),
    ("a.m", "% no package\nx(1) = a(*2);\n", "MATLAB"),
    ("a.pl", "use strict;\nprint 1;\n", "Perl"),
    ("a.pl", "parent(X, Y) :- child(Y, X).\n", "Prolog"),
    ("a.pl", "print 1; # :- no rule\n", "Perl"),
    ("a.pro", ":- dynamic a/1.\n", "Prolog"),
    ("a.pro", "QT += core\n", ""),
    ("a.pm", "package A;\nuse Mojo::Base -strict;\n", "Perl"),
    ("a.pm", "unit module A;\nuse v6;\n", "Raku"),
    ("a.t", "use Mojo::Base -strict;\nuse Test::More;\n", "Perl"),
    ("a.t", "terra f() return 1 end\n", "Terra"),
    ("a.ml", "let x = 42\n", "OCaml"),
    ("a.ml", "include A\n", "OCaml"),
    ("a.ml", "structure S = struct\n  open T\nend\n", "Standard ML"),
    ("a.fs", "let x = 1\n", "F#"),
    ("a.fs", "#version 330\nvoid main() {}\n", "GLSL"),
    ("a.v", "module a;\nendmodule\n", "Verilog"),
    ("a.v", "`timescale 1ns/1ps\n", "Verilog"),
    ("a.v", "Theorem a : True.\nProof. Qed.\n", "Coq"),
    ("a.v", "module main\n\nfn main() {}\n", "V"),
    ("setup.cfg", "# x\n[metadata]\nname = x\n", "INI"),
    ("a.cfg", "global\n    daemon\n", "HAProxy"),
    ("a.ts", "export const x = 1\n", "TypeScript"),
    ("a.ts", "<?xml version=\"1.0\"?>\n<!DOCTYPE TS><TS>\n", "XML"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), LOOK_INSIDE)
def test_a_look_inside_where_languages_share_an_extension(path, text, expected):
    assert language(path, text.encode()) == expected


@pytest.mark.parametrize("extension", sorted(linguist.Linguist({})._heuristics))
@pytest.mark.parametrize("line", ["\n", " ", "\t\n", "class", "@", ":", "public\n", "void "])
def test_a_look_inside_takes_linear_time(extension, line):
    started = time.process_time()
    language("a" + extension, line.encode() * (400_000 // len(line)) + b"x")
    assert time.process_time() - started < 1


MODE_LINES = [
    ("a.h", b"/* -*- C++ -*- */\nint x;\n", "C++"),
    ("a.h", b"// -*- Mode: c++; tab-width: 8 -*-\n", "C++"),
    ("a.h", b"// -*- tab-width: 8 -*-\n", "C"),
    ("tool", b"# vim: set ft=python :\n", "Python"),
    ("tool", b"\n" * 9 + b"# vim: ts=4 ft=ruby\n", "Ruby"),
    ("tool", b"\n" * 9 + b"# vim: ts=4 ft=ruby\n" + b"\n" * 9, ""),
    ("a.py", b"# -*- coding: utf-8 -*-\n", "Python"),
    ("a.py", b"# -*- mode: no such language -*-\n", "Python"),
]


@pytest.mark.parametrize(("path", "content", "expected"), MODE_LINES)
def test_by_what_the_file_tells_an_editor(path, content, expected):
    assert language(path, content) == expected


def test_the_languages_are_those_of_the_papers():
    assert len(DEEPSEEK_CODER) == 87 + 2  # Visual Basic is three of Linguist's
    assert {"C", "Java Server Pages", "Literate Agda", "Tcsh", "XSLT", "Zig"} <= set(DEEPSEEK_CODER)
    assert not {"Markdown", "reStructuredText", "Swift", "Objective-C", "Vue", "SCSS", "HCL", ""} & set(DEEPSEEK_CODER)
    assert {"ABAP", "Swift", "Vue", "DeviceTree", "Zimpl"} <= set(DEEPSEEK_CODER_V2)
    assert set(DEEPSEEK_CODER) | set(DEEPSEEK_CODER_V2) <= known_languages()


def test_languages_are_chosen_by_name_or_preset():
    assert chosen(("Swift", "C", "Swift")) == ("C", "Swift")
    assert chosen(("deepseek-coder", "Swift")) == tuple(sorted({*DEEPSEEK_CODER, "Swift"}))
    with pytest.raises(ValueError, match=r"no language is called 'python'; expected a preset .*Python"):
        chosen(("python",))


def test_every_extension_and_name_of_the_papers_languages_can_be_found():
    """By the table alone, where no other language has it."""
    tables = linguist.Linguist({})
    for found in (tables.by_extension, tables.by_name):
        for ending, names in found.items():
            if len(names) == 1 and ending not in tables.generic and ending not in tables._heuristics:
                path = ending if found is tables.by_name else f"a{ending}"
                assert tables.detect(path, b"") == names[0]


def test_every_pattern_compiles_and_most_take_linear_time():
    tables = linguist.Linguist({})
    rules = [rule for ending in tables._heuristics for rule in tables._rules_of(ending)]
    searches = [search for _, wanted, unwanted in rules for search in (*wanted, *unwanted)]
    slow = [search for search in searches if isinstance(search, FunctionType)]
    assert len(searches) > 200 > 10 * len(slow)


def test_other_tables_spell_languages_alike():
    assert set(COMMENTS) <= known_languages()
    assert set(grammars.GRAMMARS) <= known_languages()
    assert set(FAMILIES) <= known_languages()
