"""Which language a file is in: by name, extension, interpreter line, and a look inside."""

import time

import pytest

from pipelines import grammars
from pipelines.parquet_shards.assemble import COMMENTS
from pipelines.rule_filter import languages
from pipelines.rule_filter.languages import DEEPSEEK_CODER, EXTENSIONS, FILE_NAMES, known_language, language

BY_PATH = [
    ("a.py", "Python"),
    ("stubs/a.pyi", "Python"),
    ("a.c", "C"),
    ("a.cc", "C++"),
    ("a.c++", "C++"),
    ("a.hpp", "C++"),
    ("a.cs", "C#"),
    ("a.cu", "CUDA"),
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
    ("a.txt", ""),
    ("LICENSE", ""),
    ("a.py.orig", ""),
    (".py", ""),
    ("py", ""),
    ("a.", ""),
    ("a.py/b", ""),
]


@pytest.mark.parametrize(("path", "expected"), BY_PATH)
def test_by_name_or_extension(path, expected):
    assert language(path, "") == expected


BY_INTERPRETER = [
    ("#!/usr/bin/python\n", "Python"),
    ("#!/usr/bin/env python3\n", "Python"),
    ("#!/usr/bin/env -S python3 -u\n", "Python"),
    ("#!/usr/bin/env -S LANG=C perl -w\n", "Perl"),
    ("#! /bin/sh -e\n", "Shell"),
    ("#!/opt/python3.11/bin/python3.11", "Python"),
    ("#!/usr/bin/tclsh8.6\r\n", "TCL"),
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
    assert language("bin/tool", text) == expected
    assert language("bin/tool.txt", text) == ""


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
    ("a.m", "% (* no package *)\nx(1) = a(*2);\n", "MATLAB"),
    ("a.pl", "use strict;\nprint 1;\n", "Perl"),
    ("a.pl", "parent(X, Y) :- child(Y, X).\n", "Prolog"),
    ("a.pl", "print 1; # :- no rule\n", "Perl"),
    ("a.pro", ":- dynamic a/1.\n", "Prolog"),
    ("a.pro", "QT += core\n", ""),
    ("a.fs", "let x = 1\n", "F#"),
    ("a.fs", "#version 330\nvoid main() {}\n", "GLSL"),
    ("a.v", "module a;\nendmodule\n", "Verilog"),
    ("a.v", "`timescale 1ns/1ps\n", "Verilog"),
    ("a.v", "Theorem a : True.\n", ""),
    ("a.v", "module main\n\nfn main() {}\n", ""),
    ("a.ts", "export const x = 1\n", "TypeScript"),
    ("a.ts", "<?xml version=\"1.0\"?>\n<!DOCTYPE TS>\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), LOOK_INSIDE)
def test_a_look_inside_where_languages_share_an_extension(path, text, expected):
    assert language(path, text) == expected


@pytest.mark.parametrize("extension", sorted(languages._LOOK_INSIDE))
@pytest.mark.parametrize("line", ["\n", " ", "\t\n", "class", "@", ":", "public\n", "void "])
def test_a_look_inside_takes_linear_time(extension, line):
    started = time.process_time()
    language("a" + extension, line * (400_000 // len(line)) + "x")
    assert time.process_time() - started < 1


def test_the_languages_are_those_of_the_paper():
    assert len(DEEPSEEK_CODER) == 87
    assert {"C", "Java Server Pages", "Literate Agda", "Tcsh", "XSLT", "Zig"} <= set(DEEPSEEK_CODER)
    assert not {"Markdown", "reStructuredText", "Swift", "Objective-C", "Vue", "SCSS", "HCL", ""} & set(DEEPSEEK_CODER)


def test_a_language_beyond_the_paper_is_kept_where_it_is_listed():
    assert known_language("Swift") == "Swift"
    assert set(languages._NOT_OF_THE_PAPER) <= set(languages._BY_LANGUAGE)


def test_no_extension_or_name_stands_for_two_languages():
    listed = [extension for extensions in languages._BY_LANGUAGE.values() for extension in extensions.split()]
    named = [name for names in languages._NAMES.values() for name in names.split()]
    assert sorted(EXTENSIONS) == sorted(listed)
    assert sorted(FILE_NAMES) == sorted(named)


def test_every_extension_is_found():
    missed = {extension for extension in EXTENSIONS if not language("a" + extension, "endmodule\n:- x.\n")}
    assert not missed


def test_other_tables_spell_languages_alike():
    known = {*languages._BY_LANGUAGE}
    assert set(FILE_NAMES.values()) <= known
    assert set(languages._INTERPRETERS.values()) <= known
    assert set(COMMENTS) <= known
    assert set(grammars.GRAMMARS) <= known
