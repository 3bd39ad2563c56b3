"""Which language a file is in, by its name, its extension, its interpreter line, and a look inside where these leave
a choice. Names are GitHub Linguist's. The list is the 87 languages of DeepSeek-Coder table 1, what shares their
extensions, and what is read only where a user lists it."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

_BY_LANGUAGE = {
    "ANTLR": ".g4",
    "AWK": ".awk .gawk .mawk .nawk",
    "Ada": ".adb .ada .ads",
    "Agda": ".agda",
    "Alloy": ".als",
    "AppleScript": ".applescript .scpt",
    "Assembly": ".asm .nasm .s",
    "Augeas": ".aug",
    "Batchfile": ".bat .cmd",
    "Bluespec": ".bsv",
    "C": ".c .h .idc",
    "C#": ".cs .csx .cake",
    "C++": ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .tcc .tpp .inl .ino",
    "CMake": ".cmake",
    "CSS": ".css",
    "CUDA": ".cu .cuh",
    "Clojure": ".clj .cljs .cljc .edn .boot .cl2 .hic",
    "CoffeeScript": ".coffee .cjsx .cson .iced",
    "Common Lisp": ".lisp .asd .lsp .ny .sexp",
    "Dart": ".dart",
    "Dockerfile": ".dockerfile",
    "Elixir": ".ex .exs",
    "Elm": ".elm",
    "Emacs Lisp": ".el",
    "Erlang": ".erl .hrl .escript .xrl .yrl",
    "F#": ".fs .fsi .fsx",
    "Fortran": ".f .f77 .f90 .f95 .f03 .f08 .for .fpp",
    "GLSL": ".glsl .frag .vert .geom .comp .tesc .tese .vsh .fsh .glslv .shader",
    "Go": ".go",
    "Groovy": ".groovy .grt .gtpl .gvy .gradle",
    "HCL": ".hcl .tf .tfvars .nomad",
    "HTML": ".html .htm .xhtml .html.hl",
    "Haskell": ".hs .hsc",
    "Idris": ".idr .lidr",
    "Isabelle": ".thy",
    "JSON": ".json .geojson .topojson .jsonld .webmanifest",
    "Java": ".java",
    "Java Server Pages": ".jsp",
    "JavaScript": ".js .jsx .mjs .cjs .es6 ._js .bones .jsm .ssjs",
    "Julia": ".jl",
    "Jupyter Notebook": ".ipynb",
    "Kotlin": ".kt .kts .ktm",
    "Lean": ".lean .hlean",
    "Less": ".less",
    "Literate Agda": ".lagda",
    "Literate CoffeeScript": ".litcoffee",
    "Literate Haskell": ".lhs",
    "Lua": ".lua .nse .rockspec .wlua",
    "MATLAB": ".matlab .m",
    "Makefile": ".mk .mak",
    "Maple": ".mpl",
    "Markdown": ".md .markdown .mkd .mkdown",
    "Mathematica": ".mathematica .nb .wl .wlt .cdf .mt .nbp",
    "Nix": ".nix",
    "OCaml": ".ml .mli .mll .mly .eliom .eliomi .ml4",
    "Objective-C": "",
    "Objective-C++": ".mm",
    "PHP": ".php .php3 .php4 .php5 .phps .phpt .phtml .ctp .aw",
    "Pascal": ".pas .pp .dpr .lpr .dfm",
    "Perl": ".pl .pm .t .al .cgi .perl .ph .plx .pod .psgi",
    "PowerShell": ".ps1 .psd1 .psm1",
    "Prolog": ".pro .prolog .yap .ecl",
    "Protocol Buffer": ".proto",
    "Python": ".py .pyi .pyw .pyp .pyt .py3 .gyp .gypi .wsgi .rpy .tac .xpy .bzl",
    "R": ".r .rd .rsx",
    "RMarkdown": ".rmd",
    "Racket": ".rkt .rktd .rktl .scrbl",
    "Raku": ".raku .rakumod .rakutest .p6 .pl6 .pm6 .6pl .6pm",
    "Ruby": ".rb .rake .gemspec .ru .builder .god .jbuilder .mspec .podspec .rabl .rbuild .rbw .rbx .ruby .thor",
    "Rust": ".rs .rs.in",
    "SAS": ".sas",
    "SCSS": ".scss",
    "SQL": ".sql .ddl .prc .tab .udf .viw .pks .pkb .plb .pls .plsql",
    "Sass": ".sass",
    "Scala": ".scala .sbt .sc",
    "Scheme": ".scm .sls .sps .ss .sld",
    "Shell": ".sh .bash .zsh .ksh .bats .tmux .tool .command",
    "Smalltalk": ".st",
    "Solidity": ".sol",
    "Sparql": ".sparql .rq",
    "Stan": ".stan",
    "Standard ML": ".sml .sig .fun",
    "Stata": ".do .ado .doh .ihlp .mata .matah .sthlp",
    "Svelte": ".svelte",
    "Swift": ".swift",
    "SystemVerilog": ".sv .svh .vh",
    "TCL": ".tcl .adp .tm",
    "Tcsh": ".tcsh .csh",
    "TeX": ".tex .sty .cls .bib .ltx .bbx .cbx .dtx .ins .lbx .mkii .mkiv .mkvi .aux .toc",
    "Thrift": ".thrift",
    "TypeScript": ".ts .tsx .mts .cts",
    "VHDL": ".vhd .vhdl .vhf .vhi .vho .vhs .vht .vhw",
    "Verilog": ".v .veo",
    "Visual Basic": ".vb .bas .frm .frx .vba .vbhtml .vbs",
    "Vue": ".vue",
    "XSLT": ".xslt .xsl",
    "YAML": ".yml .yaml .reek .rviz .syntax .yaml-tmlanguage",
    "Yacc": ".y .yacc .yy",
    "Zig": ".zig",
    "reStructuredText": ".rst .rest",
}
_NAMES = {
    "Emacs Lisp": ".emacs",
    "Dockerfile": "Dockerfile Containerfile",
    "Makefile": "Makefile GNUmakefile makefile Kbuild Makefile.am Makefile.in",
    "CMake": "CMakeLists.txt",
    "Ruby": "Gemfile Rakefile Vagrantfile Podfile Guardfile Fastfile Capfile",
    "Python": "SConstruct SConscript wscript BUILD WORKSPACE Snakefile",
    "Groovy": "Jenkinsfile",
    "Shell": ".bashrc .bash_profile .bash_aliases .profile .zshrc PKGBUILD configure.ac",
    "JSON": ".eslintrc .babelrc .jshintrc composer.lock",
    "YAML": ".clang-format .clang-tidy CITATION.cff",
}
_INTERPRETERS = {
    "awk": "AWK", "gawk": "AWK", "bash": "Shell", "sh": "Shell", "zsh": "Shell", "dash": "Shell", "ksh": "Shell",
    "node": "JavaScript", "deno": "TypeScript", "perl": "Perl", "php": "PHP", "python": "Python", "pypy": "Python",
    "ruby": "Ruby", "tclsh": "TCL", "wish": "TCL", "tcsh": "Tcsh", "csh": "Tcsh", "lua": "Lua", "Rscript": "R",
    "groovy": "Groovy", "elixir": "Elixir", "escript": "Erlang", "runhaskell": "Haskell", "racket": "Racket",
    "julia": "Julia", "scala": "Scala", "make": "Makefile", "swipl": "Prolog", "guile": "Scheme", "ocaml": "OCaml",
    "swift": "Swift", "raku": "Raku",
}  # fmt: skip
EXTENSIONS = {extension: language for language, listed in _BY_LANGUAGE.items() for extension in listed.split()}
FILE_NAMES = {name: language for language, listed in _NAMES.items() for name in listed.split()}
_NOT_OF_THE_PAPER = {
    "HCL", "Less", "Markdown", "Nix", "Objective-C", "Objective-C++", "Raku", "SCSS", "Sass", "Svelte", "Swift", "Vue",
    "reStructuredText",
}  # fmt: skip
DEEPSEEK_CODER = tuple(sorted(set(_BY_LANGUAGE) - _NOT_OF_THE_PAPER))

# `[ \t]*` and not `\s*`: over many empty lines the latter takes quadratic time.
_CPP = re.compile(
    r"^[ \t]*(class|namespace|template|using)\b|^[ \t]*(public|private|protected)[ \t]*:|\bstd::", re.MULTILINE
)
_OBJECTIVE_C = re.compile(r"^[ \t]*(@(interface|implementation|class|protocol|end)\b|#import\b)", re.MULTILINE)
_MATHEMATICA = re.compile(r"^[ \t]*\(\*|^BeginPackage\[|\] *:=", re.MULTILINE)
_PROLOG = re.compile(r"^[^#\n]*:-", re.MULTILINE)
_GLSL = re.compile(r"^[ \t]*(#version|precision|uniform|varying|void[ \t]+main)\b", re.MULTILINE)
_VERILOG = re.compile(r"^[ \t]*(endmodule|`timescale|`include|`define)\b", re.MULTILINE)
_QT_TRANSLATION = re.compile(r"<(\?xml|!DOCTYPE TS|TS )")

# Extensions that several languages share: which one, seen from the text. Empty: none that is listed here.
_LOOK_INSIDE: dict[str, Callable[[str], str]] = {
    ".h": lambda text: "Objective-C" if _OBJECTIVE_C.search(text) else "C++" if _CPP.search(text) else "C",
    ".m": lambda text: (
        "Objective-C" if _OBJECTIVE_C.search(text) else "Mathematica" if _MATHEMATICA.search(text) else "MATLAB"
    ),
    ".pl": lambda text: "Prolog" if _PROLOG.search(text) and "use strict" not in text else "Perl",
    ".pro": lambda text: "Prolog" if _PROLOG.search(text) else "",
    ".fs": lambda text: "GLSL" if _GLSL.search(text) else "F#",
    ".v": lambda text: "Verilog" if _VERILOG.search(text) else "",
    ".ts": lambda text: "" if _QT_TRANSLATION.match(text) else "TypeScript",
}


def known_language(name: str) -> str:
    """`name`, where it is one that `language` may give; else ValueError."""
    if name not in _BY_LANGUAGE:
        raise ValueError(f"no such language is known; expected one of {', '.join(_BY_LANGUAGE)}")
    return name


def language(path: str, text: str) -> str:
    """The language of a file, or an empty string. `path` decides; `text` is looked at where it leaves a choice."""
    name = PurePosixPath(path).name
    if name in FILE_NAMES:
        return FILE_NAMES[name]
    suffixes = PurePosixPath(name.lower()).suffixes
    if not suffixes:
        return _from_interpreter_line(text)
    if suffixes[-1] in _LOOK_INSIDE:
        return _LOOK_INSIDE[suffixes[-1]](text)
    return EXTENSIONS.get("".join(suffixes[-2:])) or EXTENSIONS.get(suffixes[-1], "")


def _from_interpreter_line(text: str) -> str:
    """The language of a script such as `#!/usr/bin/env -S python3 -u`."""
    if not text.startswith("#!"):
        return ""
    words = text[2:300].splitlines()[0].split() if text[2:300] else []
    programs = [PurePosixPath(word).name for word in words if not word.startswith("-") and "=" not in word]
    if programs[:1] == ["env"]:
        del programs[0]
    return _INTERPRETERS.get(programs[0].rstrip("0123456789."), "") if programs else ""
