"""GitHub Linguist's tables of languages: which names, extensions, interpreter and mode lines are whose.

`linguist.json` holds them with its version and licence; `derive_linguist.py` makes it. What is not taken over is the
classifier that Linguist asks last, and which was trained on samples: where a choice is left then, it is the language
whose first extension this is, or none.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import re2

HEAD_BYTES = 50 * 1024  # as much of a file as is looked at
SLOW_BYTES = 2048  # by patterns that RE2 cannot run, and that may take quadratic time
EMACS_MODE = re.compile(
    rb"-\*-[ \t]*(?:(?:[^\n]*?[ \t;])??mode[ \t]*:[ \t]*)?([^:;\s]+?)(?:[ \t]*-\*-|[ \t;][^\n]*?-\*-)", re.IGNORECASE
)
VIM_MODE = re.compile(
    rb"(?:^|[ \t])(?:vim?|Vim|ex):[^\n]*?[ \t:](?:filetype|ft|syntax)[ \t]*=[ \t]*([\w+-]+)", re.MULTILINE
)
MODE_LINES = 5  # at either end of the file
MODE_BYTES = 4096  # of these lines
# Asked after Linguist's own, whose classifier would decide here.
ADDED_RULES: dict[str, list[tuple[str, list[str]]]] = {
    ".cfg": [("INI", [r"^[ \t]*\[[^\]\n]+\][ \t\r]*$"])],
    ".f": [("Fortran", [])],
    ".for": [("Fortran", [])],
    ".m": [
        ("Mathematica", [r"^\w+\[[^\]]*_[^\]]*\] *:?="]),
        ("MATLAB", [r"^[ \t]*function\b|^[^\n%@#]*[^\s%][^\n%]*;[ \t]*$"]),
    ],
    ".ml": [("Standard ML", [r"^[ \t]*(?:fun|structure|functor|signature|datatype|infixr?)\b"]), ("OCaml", [])],
    ".pm": [("Perl", [])],
    ".pp": [
        (
            "Pascal",
            [r"(?i:^[ \t]*(?:(?:unit|program|library|uses|interface|implementation|begin|procedure)\b|\{\$))"],
        )
    ],
    ".pro": [("Prolog", [r"^:-"])],
    ".sol": [("Solidity", [])],
    ".t": [("Perl", [r"^[ \t]*(?:use|package|require)[ \t]+[A-Za-z_][\w:]*[^\n]*;"])],
    ".v": [("Verilog", [r"^[ \t]*endmodule\b"])],
}

Search = Callable[[bytes], object]


class Linguist:
    """The tables, with the languages of `added`, looked up. Patterns are compiled when they are first needed."""

    def __init__(self, added: Mapping[str, Mapping[str, list[str]]]) -> None:
        self.languages: dict[str, Mapping[str, list[str]]] = {**tables()["languages"], **added}
        self.by_name = self._index("filenames")
        self.by_extension = self._index("extensions", str.lower)
        self.by_interpreter = self._index("interpreters")
        self.by_mode = {name.lower().replace(" ", "-"): name for name in self.languages}
        self.by_mode |= {mode: names[0] for mode, names in self._index("aliases", str.lower).items()}
        self.generic = set(tables()["generic_extensions"])
        self._rules: dict[str, list[tuple[list[str], list[Search], list[Search]]]] = {}

    def _index(self, key: str, change: Callable[[str], str] = str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, entry in self.languages.items():
            for value in entry.get(key, []):
                found.setdefault(change(value), []).append(name)
        return found

    def detect(self, path: str, content: bytes) -> str:
        """The language of a file, or an empty string: by its mode line, name, interpreter, extension, then its text."""
        name = path.rpartition("/")[2]
        extension = self._extension(name)
        candidates: list[str] = []
        for found in (self._of_mode_line(content), self.by_name.get(name, []), self._of_interpreter_line(content),
                      [] if extension in self.generic else self.by_extension.get(extension, [])):  # fmt: skip
            candidates = [one for one in found if one in candidates] or candidates or found
            if len(candidates) == 1:
                return candidates[0]
        return self._by_text(extension, content[:HEAD_BYTES], candidates)

    def _extension(self, name: str) -> str:
        """The longest ending, from a dot on, that is some language's."""
        rest = name.lower()
        while "." in rest:
            rest = rest.partition(".")[2]
            if f".{rest}" in self.by_extension:
                return f".{rest}"
        return ""

    def _of_mode_line(self, content: bytes) -> list[str]:
        """What an editor is told: `-*- mode: python -*-`, `vim: ft=python`."""
        first = content[:MODE_BYTES].split(b"\n", MODE_LINES)[:MODE_LINES]
        last = content[-MODE_BYTES:].rsplit(b"\n", MODE_LINES + 1)[-MODE_LINES - 1 :]  # with what follows the last end
        for lines in (b"\n".join(first), b"\n".join(last)):
            if b"-*-" in lines or b"vi:" in lines or b"im:" in lines or b"ex:" in lines:
                found = EMACS_MODE.search(lines) or VIM_MODE.search(lines)
                if found and (name := self.by_mode.get(found[1].decode("ascii", "replace").lower())):
                    return [name]
        return []

    def _of_interpreter_line(self, content: bytes) -> list[str]:
        """The languages of a script such as `#!/usr/bin/env -S python3 -u`."""
        if not content.startswith(b"#!"):
            return []
        words = content[2:300].partition(b"\n")[0].decode("utf-8", "replace").split()
        programs = [word.rpartition("/")[2] for word in words if not word.startswith("-") and "=" not in word]
        if programs[:1] == ["env"]:
            del programs[0]
        program = programs[0] if programs else ""
        shorter = (program, program.rpartition(".")[0], program.rstrip("0123456789."))
        return next((found for one in shorter if (found := self.by_interpreter.get(one))), [])

    def _by_text(self, extension: str, head: bytes, candidates: list[str]) -> str:
        rules = self._rules_of(extension)
        for languages, wanted, unwanted in rules:
            if all(search(head) for search in wanted) and not any(search(head) for search in unwanted):
                return languages[0]
        first = [name for name in candidates if self._is_first(name, extension)]
        popular = [name for name in first if name in self._popular]
        not_found = {name for languages, _, _ in rules for name in languages}
        left = [name for name in first if name not in not_found]
        return next((found[0] for found in (popular, first, left) if len(found) == 1), "")

    def _is_first(self, name: str, extension: str) -> bool:
        """Whether the extension, if there is one, is the first of the language: by custom, what it is known by."""
        return not extension or self.languages[name].get("extensions", [""])[0].lower() == extension

    @cached_property
    def _popular(self) -> set[str]:
        return set(tables()["popular"])

    @cached_property
    def _heuristics(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for entry in tables()["heuristics"]:
            for extension in entry["extensions"]:
                found.setdefault(extension, [*entry["rules"]])
        for extension, rules in ADDED_RULES.items():
            added = [{"languages": [one], "all": patterns, "none": []} for one, patterns in rules]
            found.setdefault(extension, []).extend(added)
        return found

    def _rules_of(self, extension: str) -> list[tuple[list[str], list[Search], list[Search]]]:
        if extension not in self._rules:
            self._rules[extension] = [
                (rule["languages"], _searches(rule["all"]), _searches(rule["none"]))
                for rule in self._heuristics.get(extension, [])
            ]
        return self._rules[extension]


@cache
def tables() -> Mapping[str, Any]:
    """Linguist's, as `derive_linguist.py` wrote them."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("linguist.json").read_text(encoding="utf-8"))
    return found


def _searches(patterns: Iterable[str]) -> list[Search]:
    return [searcher(pattern) for pattern in patterns]


def searcher(pattern: str) -> Search:
    """Whether a text holds the pattern: by RE2, in linear time; by `re` where it looks around, which RE2 cannot."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?m){pattern}".encode(), options).search  # type: ignore[no-any-return]
    except re2.error:
        found = re.compile(pattern.replace(r"\z", r"\Z").encode(), re.MULTILINE)
        return lambda text: found.search(text[:SLOW_BYTES])
