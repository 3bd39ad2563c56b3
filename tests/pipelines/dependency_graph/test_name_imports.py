"""Which file an import means that names a module, and which file a name that is used without one."""

import pytest

RUBY_APP = {"config/application.rb": "class Application < Rails::Application\nend\n"}
RAILS = {**RUBY_APP, "app/models/user.rb": "", "app/models/concerns/named.rb": "", "app/services/pay/html_bill.rb": ""}

# language or what the case shows, the files, what the one called x depends on
CASES = [
    (
        "Ada",
        {
            "a.ads": "package A is\nend A;",
            "a-b.ads": "package A.B is\nend A.B;",
            "x.ads": "package X is\nend X;",
            "x.adb": "with A.B; use A.B;\nwith Ada.Text_IO, A;\n-- with C;\npackage body X is\nend X;",
            "c.ads": "package C is\nend C;",
        },
        "x.adb",
        "a-b.ads a.ads x.ads",
    ),
    (
        "Clojure",
        {
            "src/a/b.clj": "(ns a.b)",
            "src/a/c_d.clj": '(ns ^{:doc "x"} a.c-d)',
            "src/a/e.clj": "(ns a.e)",
            "src/x.clj": "(ns a.x\n  (:require [a.b :as b :refer [f]] a.c-d)\n  (:import [java.util Date]))\n"
            '; (require [a.e])\n(def s "(:require [a.e])")',
        },
        "src/x.clj",
        "src/a/b.clj src/a/c_d.clj",
    ),
    (
        "Common Lisp",
        {"package.lisp": "(defpackage :own (:use :cl))", "x.lisp": "(in-package #:own)\n; (in-package :b)"},
        "x.lisp",
        "package.lisp",
    ),
    (
        "Elixir",
        {
            "lib/a.ex": "defmodule A do\n  defmodule Inner do\n  end\nend\n",
            "lib/b.ex": "defmodule B.C do\nend\n",
            "lib/d.ex": "defmodule B.D do\nend\n",
            "lib/e.ex": "defprotocol E do\nend\n",
            "lib/f.ex": "defmodule F do\nend\n",
            "lib/x.ex": 'defmodule X do\n  @moduledoc """\n  alias F\n  """\n  alias B.{C, D}\n  use E\n'
            "  def f, do: C.g(%A.Inner{})  # F\nend\n",
        },
        "lib/x.ex",
        "lib/a.ex lib/b.ex lib/d.ex lib/e.ex",
    ),
    (
        "Elixir, a module under another name",
        {"a.ex": "defmodule A.B do\nend\n", "x.exs": "alias A.B, as: C\nC.f()\nalias __MODULE__.D\nalias E"},
        "x.exs",
        "a.ex",
    ),
    (
        "Elm",
        {
            "src/A/B.elm": "module A.B exposing (..)",
            "src/C.elm": "port module C exposing (..)",
            "src/x.elm": "module X exposing (..)\nimport A.B as B exposing (f)\nimport C\nimport Html\n-- import D",
            "src/D.elm": "module D exposing (..)",
        },
        "src/x.elm",
        "src/A/B.elm src/C.elm",
    ),
    (
        "Emacs Lisp",
        {
            "lisp/a.el": "(provide 'a)",
            "x.el": "(require 'a)\n(require 'cl-lib)\n; (require 'b)",
            "b.el": "(provide 'b)",
        },
        "x.el",
        "lisp/a.el",
    ),
    (
        "Erlang",
        {
            "include/a.hrl": "",
            "apps/b/include/b.hrl": "",
            "src/c.erl": "-module(c).\n",
            "src/d.erl": "-module(d).\n",
            "src/e.erl": "-module(e).\n",
            "src/x.erl": '-module(x).\n-include("a.hrl").\n-include_lib("b/include/b.hrl").\n-behaviour(c).\n'
            '-behaviour(gen_server).\n%% e:f()\nf() -> d:g(), "e:f()", lists:map(1).\n',
        },
        "src/x.erl",
        "apps/b/include/b.hrl include/a.hrl src/c.erl src/d.erl",
    ),
    (
        "Fortran",
        {
            "a.f90": "module Alpha\ncontains\n  module procedure p\nend module Alpha",
            "inc.f90": "",
            "solve.f": "      SUBROUTINE SOLVE(N)\n      END",
            "fun.f": "      DOUBLE PRECISION FUNCTION FUN(N)\n      END",
            "x.f90": "program x\n  use ALPHA, only: b\n  use, intrinsic :: iso_c_binding\n  include 'inc.f90'\n"
            "  external fun\n  call solve(1) ! use beta\n  print *, 'use beta'\nend",
            "b.f90": "module beta\nend module",
        },
        "x.f90",
        "a.f90 fun.f inc.f90 solve.f",
    ),
    (
        "Haskell",
        {
            "src/A/B.hs": "{-# LANGUAGE X #-}\n-- | Doc\nmodule A.B (f) where",
            "lib/C.hs": "module C where",
            "app/x.hs": "import qualified A.B as B\nimport safe C (c')\nimport Data.Map\n{- {- -}\n"
            'import D -}\nx = "\\\nimport D"',
            "D.hs": "module D where",
        },
        "app/x.hs",
        "lib/C.hs src/A/B.hs",
    ),
    (
        "Literate Haskell",
        {
            "A.hs": "module A where",
            "x.lhs": "About A\n\n> module X where\n> import A\n\nimport B\n",
            "B.hs": "module B where",
        },
        "x.lhs",
        "A.hs",
    ),
    (
        "Julia",
        {
            "src/a.jl": "",
            "src/d/b.jl": "",
            "src/c.jl": "module C\nend\n",
            "src/x.jl": 'module X\ninclude("a.jl")\ninclude(joinpath(@__DIR__, "d", "b.jl"))\nusing .C: f\n'
            'using LinearAlgebra\n#= include("e.jl") =#\n"""\ninclude("e.jl")\n"""\nend',
            "src/e.jl": "",
        },
        "src/x.jl",
        "src/a.jl src/c.jl src/d/b.jl",
    ),
    (
        "Pascal",
        {
            "alpha.pas": "unit Alpha;",
            "b.pp": "unit Beta;",
            "c.pas": "unit Gamma;",
            "x.pas": "unit X;\n{$I c.pas}\ninterface\n"
            "uses SysUtils, ALPHA, {$IFDEF D}Delta,{$ENDIF} Beta in 'b.pp';\n"
            "// uses Delta;\n{ uses Delta; }\n(* uses Delta; *)",
            "delta.pas": "unit Epsilon;",
        },
        "x.pas",
        "alpha.pas b.pp c.pas",
    ),
    (
        "Perl",
        {
            "lib/A/B.pm": "package A::B;",
            "lib/C.pm": "package C { }",
            "lib/D.pm": "package D;",
            "t/util.pl": "use strict;",
            "x.pl": "use strict;\nuse A::B qw(f);\nuse parent -norequire, 'C';\nBEGIN { require D; }\n"
            "require './t/util.pl';\n"
            "# use E;\n=pod\n\nuse E;\n\n=cut\nmy $n = $#a; print 'use E;';\n__END__\nuse E;\n",
            "lib/E.pm": "package E;",
        },
        "x.pl",
        "lib/A/B.pm lib/C.pm lib/D.pm t/util.pl",
    ),
    (
        "Scheme",
        {
            "a/b.sld": "(define-library (a b) (export f))",
            "c.scm": "(define-module (own c) #:export (g))",
            "d.scm": "",
            "x.scm": '(import (scheme base) (only (a b) f))\n(use-modules (own c))\n(load "d.scm")\n; (load "e.scm")',
            "e.scm": "",
        },
        "x.scm",
        "a/b.sld c.scm d.scm",
    ),
    (
        "SystemVerilog",
        {
            "inc/a.svh": "",
            "p.sv": "package pkg;\nendpackage",
            "m.sv": "module leaf(input a);\nendmodule",
            "c.sv": "class base;\nendclass",
            "x.sv": '`include "a.svh"\nmodule x import pkg::*; (input a);\n  leaf #(.W(1)) u1 (.a(a));\nendmodule\n'
            "class top extends base;\nendclass\n// other u2 (a);",
            "o.sv": "module other;\nendmodule",
        },
        "x.sv",
        "c.sv inc/a.svh m.sv p.sv",
    ),
    (
        "VHDL",
        {
            "a.vhd": "ENTITY Adder IS\nEND;",
            "p.vhd": "package Consts is\nend;",
            "b.vhd": "entity Leaf is\nend;",
            "x.vhd": "library ieee;\nuse ieee.std_logic_1164.all;\nuse work.CONSTS.all;\n"
            "architecture r of y is\nbegin\n"
            "  u1 : entity work.adder port map (a);\n  u2 : leaf\n    generic map (1);\n"
            "-- u3 : entity work.other\nend;",
            "o.vhd": "entity other is\nend;",
        },
        "x.vhd",
        "a.vhd b.vhd p.vhd",
    ),
    (
        "OCaml",
        {
            "src/dune": "(library\n (name core_lib))",
            "src/a.ml": "let f = 1",
            "src/a.mli": "val f : int",
            "src/b.ml": "let g = A.f",
            "src/list.ml": "",
            "bin/x.ml": 'open Core_lib\nlet () = A.f (* B.g *); print "B.g"; Core_lib.List.h\n',
        },
        "bin/x.ml",
        "src/a.mli src/list.ml",
    ),
    (
        "VHDL, an entity of the file's own",
        {"a.vhd": "entity foo is\nend;", "x.vhd": "entity foo is\nend;\narchitecture a of foo is\nbegin\nend;"},
        "x.vhd",
        "",
    ),
    (
        "PHP, a class of the file's own",
        {"a.php": "<?php\nclass A {}", "x.php": "<?php\nclass A {}\nnew A;"},
        "x.php",
        "",
    ),
    (
        "Elixir, a module of the file's own",
        {"a.ex": "defmodule A do\nend", "x.ex": "defmodule A do\nend\nA.f()"},
        "x.ex",
        "",
    ),
    (
        "Pascal, a unit that is made of includes",
        {"alpha.pp": "{$I a.inc}", "beta.pp": "program beta;", "x.pp": "unit X;\nuses alpha, beta;"},
        "x.pp",
        "alpha.pp",
    ),
    ("OCaml, an interface", {"a.ml": "", "a.mli": ""}, "a.ml", "a.mli"),
    ("OCaml, the standard library", {"lib/list.ml": "", "x.ml": "List.map"}, "x.ml", ""),
    (
        "PHP",
        {
            "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/"}}}',
            "src/A.php": "<?php\nnamespace App;\nfinal class A {}\n",
            "src/B/C.php": "<?php\nnamespace App\\B;\ninterface C {}\n",
            "src/B/D.php": "<?php\nnamespace App\\B;\ntrait D {}\n",
            "src/B/E.php": "<?php\nnamespace App\\B;\nenum E: int {}\n",
            "src/B/G.php": "<?php\nnamespace App\\B;\nclass G {}\n",
            "lib/f.php": "<?php\nnamespace App;\nfunction f() {}\n",
            "y.php": "<?php",
            "src/B/X.php": "Don't <?php\nnamespace App\\B;\nuse App\\{A as Z, Gone};\nuse function App\\f;\n"
            "require_once __DIR__ . '/../../y.php';\n// G\n# G\nclass X implements C {\n  use D;\n"
            '  /** @var G */ private $G; function g(\\App\\B\\E $e) { return "G" . $this->G; }\n}\n',
        },
        "src/B/X.php",
        "lib/f.php src/A.php src/B/C.php src/B/D.php src/B/E.php y.php",
    ),
    (
        "PHP, text and here documents",
        {
            "a.php": "<?php\nclass A {}",
            "b.php": "<?php\nclass B {}",
            "x.php": "<?php $s = <<<EOT\nnew B\nEOT;\n?>\n<p>It's new B</p>\n<?php new A;",
        },
        "x.php",
        "a.php",
    ),
    (
        "Ruby",
        {
            "lib/a/b.rb": "",
            "lib/json.rb": "",
            "test/helper.rb": "",
            "test/c.rb": "",
            "test/d.rb": "",
            "test/x.rb": "require 'a/b'\nrequire \"helper\"\nrequire_relative 'c'\n"
            "require File.expand_path('../d', __FILE__)\n"
            "require 'set'\n# require 'json'\n=begin\nrequire 'json'\n=end\nputs 'require \"json\"'\n"
            "__END__\nrequire 'json'\n",
        },
        "test/x.rb",
        "lib/a/b.rb test/c.rb test/d.rb test/helper.rb",
    ),
    ("Ruby, a library beside the file", {"lib/a/json.rb": "", "lib/a/x.rb": "require 'json'"}, "lib/a/x.rb", ""),
    (
        "Rails",
        {**RAILS, "app/controllers/x.rb": "class X\n  include Named\n  User.find Pay::HTMLBill.new # Gone\nend\n"},
        "app/controllers/x.rb",
        "app/models/concerns/named.rb app/models/user.rb app/services/pay/html_bill.rb",
    ),
    (
        "Rails, from inside a module",
        {**RAILS, "app/services/pay/x.rb": "module Pay\n  class X\n    HtmlBill.new; ::User; Hash.new\n  end\nend\n"},
        "app/services/pay/x.rb",
        "app/models/user.rb app/services/pay/html_bill.rb",
    ),
    ("Ruby without autoload", {"lib/a.rb": "", "x.rb": "A.new"}, "x.rb", ""),
    (
        "R package",
        {
            "DESCRIPTION": "Package: own\n",
            "R/a.R": "area <- function(x) {\n  inner <- function() 1\n}\n",
            "R/b.R": "setGeneric('volume', function(x) 1)\n",
            "other/c.R": "perimeter <- function(x) 1\n",
            "R/x.R": "f <- function(x) area(volume(x)) + perimeter(x) + inner() # gone(1)\n",
        },
        "R/x.R",
        "R/a.R R/b.R",
    ),
]


@pytest.mark.parametrize(("files", "path", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_name_that_a_file_uses(edges, files, path, expected):
    assert edges(files).get(path, []) == expected.split()


UNRESOLVED = [
    ("x.rb", "require 'set'\nrequire 'own'", {"lib/own.rb": ""}, ["set"], 2),
    ("x.php", "<?php\nuse A\\B, Own;\n", {"own.php": "<?php\nclass Own {}"}, ["A\\B"], 2),
    ("x.hs", "import A\nimport B", {"B.hs": "module B where"}, ["A"], 2),
    ("x.lua", "require 'a.b'\nrequire 'c'", {"c.lua": ""}, ["a.b"], 2),
    ("x.sh", '. "$file"\n. /etc/profile\n. ./a.sh', {"a.sh": ""}, ["/etc/profile"], 2),
    ("x.proto", 'import "google/a.proto";', {}, ["google/a.proto"], 1),
    ("x.dart", "import 'dart:io';", {}, ["dart:io"], 1),
]


@pytest.mark.parametrize(("path", "text", "others", "unresolved", "count"), UNRESOLVED, ids=[c[0] for c in UNRESOLVED])
def test_imports_of_other_projects_are_listed(graph, path, text, others, unresolved, count):
    found = graph({path: text, **others})
    assert (found.unresolved.get(path), found.num_imports[path]) == (unresolved, count)
