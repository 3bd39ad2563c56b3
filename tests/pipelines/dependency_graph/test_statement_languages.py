"""The languages of the tables: files that are made to do harm, and statements between comments and strings."""

import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Query, QueryCursor

from pipelines import grammars
from pipelines.dependency_graph.families import FAMILIES
from pipelines.dependency_graph.imports import (
    by_name,
    by_name_without_case,
    by_path,
    projects,
    stylesheets,
)
from pipelines.dependency_graph.imports.written_paths import after_variables
from pipelines.dependency_graph.parse import Syntax
from pipelines.dependency_graph.tree import FileTree

TABLES = (
    by_name.LANGUAGES,
    by_name_without_case.LANGUAGES,
    by_path.LANGUAGES,
    projects.LANGUAGES,
    stylesheets.LANGUAGES,
)
LANGUAGES = sorted([*(name for table in TABLES for name in table), "Elixir", "OCaml", "PHP", "Ruby"])
HARM = [
    '"', "'", '"""', "'''", "''", "`", "\\", "\\\n", "#", "# ", "//", "/*", "*/", "--", "--[[", "[[", "[=[", "]]",
    "{-", "-}", "(*", "*)", "#|", "|#", "#=", "=#", "<!--", "<%--", "{", "}", "{$", "{$I ", "{|", "(", ")", "?>",
    "<?", "<<<A\n", "%", "%{", "=pod\n", "=begin\n", "$(", "${", "$(a", "@", "~", ";", ",", ".", "..", "../", "./a",
    "::", ":", "-", " ", "\n", "\t", "a", "A.", "A::", "A\\", "a:b(", "a:", "include ", "include(", 'include "',
    "-include(", '@include "', '`include "', '#include "', "%include '", "import ", "import(", "(import (",
    "(import ", "import {", 'import "', "import public ", "import A, ", "open ", "@import ", "@import url(", "@use '",
    "(require ", "(:require [", "(:require (", "require ", "require('", "require_relative '", "source ", "source(",
    "source [file join ", ". ", ". $(", '. "', "use ", "use A\\{", "use A,", "uses ", "uses a,", "with ", "with a,",
    "package ", "package body ", "separate (", "private package ", "procedure a", "function a", "module ",
    "module a\n", 'module "a" {\n', "\nsource = ", "class A", "entity a", "external a,", "external a,\n     &",
    "call ", "call a", "unit a", "defmodule ", "defmodule A.", "  defmodule A do\n", "alias A.{", "alias A, as: ",
    "alias ", "namespace a;", "ns ^{", "(ns ", "(defpackage ", "<script ", "<script src=", "<link href='",
    '<xsl:import href="', "\\input{", "\\usepackage[", "\\usepackage{a,", "imports ", "imports a ", "part of ",
    "a <- function", "a <- ", "a = ", "setClass(", 'data "a" "b"', "extends a", "a #(", "a b ", "using .A, ",
    "using ", "find_package(", "tokenVocab=", "File.expand_path(", "autoload :A, ", "new ", "#[", "CALL a",
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_time_grows_with_the_length_of_a_hostile_file(language):
    """Each unit alone, over and over: 20 kB in some milliseconds, where a quadratic scan takes seconds."""
    for unit in HARM:
        source = (unit * (20_000 // len(unit))).encode()
        started = time.process_time()
        FAMILIES[language].extract(language, "x", source, Syntax(5.0))
        assert time.process_time() - started < 0.5, unit


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=15)
@given(
    parts=st.lists(st.sampled_from([*HARM, "é", "\r\n", "]", "=", "'a'", '"a"', "A", "do", " is ", "*/"]), max_size=30)
)
def test_any_text_is_read_without_an_error(language, parts):
    source = "".join(parts).encode()
    facts = FAMILIES[language].extract(language, "x", source, Syntax(5.0))
    tree = FileTree(["x"], lambda path: source)
    ((path, found),) = FAMILIES[language].resolve({"x": facts}, tree)
    assert (path, found.targets) == ("x", {})


# Pragmas of Perl are no files, and of a path that is a variable nobody knows which file it is.
is_followed = {
    "Perl": lambda name: name not in ("parent", "base") and (name[0].isupper() or "::" in name),
    "Shell": lambda path: not path.endswith("/") and bool(after_variables()(path)),
}
REAL = [
    (
        "Perl",
        [Path("/usr/share/perl"), Path("/usr/share/perl5")],
        "*.pm",
        "(use_statement module: (package) @found)",
    ),
    (
        "Shell",
        [Path("/usr/share"), Path("/usr/lib")],
        "*.sh",
        '((command name: (command_name) @name . argument: (_) @found) (#any-of? @name "." "source"))',
    ),
]


@pytest.mark.parametrize(("language", "roots", "pattern", "query"), REAL, ids=[case[0] for case in REAL])
def test_statements_of_real_files_are_those_of_a_full_parse(language, roots, pattern, query):
    parser = grammars.parser(language)
    cursor = QueryCursor(Query(parser.language, query))
    paths = sorted(path for root in roots if root.is_dir() for path in root.rglob(pattern) if path.is_file())
    num_found = num_files = 0
    for path in paths[:400]:
        source = path.read_bytes()
        root = parser.parse(source).root_node
        if root.has_error or len(source) > 100_000:
            continue
        num_files += 1
        nodes = cursor.captures(root).get("found", [])
        expected = Counter(filter(is_followed[language], (node.text.decode("utf-8", "replace") for node in nodes)))
        facts = FAMILIES[language].extract(language, str(path), source, Syntax(5.0))
        found = Counter(facts.paths if language == "Shell" else facts.names)
        num_found += expected.total()
        assert not expected - found, path
    if num_files < 20:
        pytest.skip(f"{num_files} sound {language} files on this machine")
    assert num_found > 20
