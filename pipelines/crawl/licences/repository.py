"""The licence of a repository, from its own files."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from email.parser import HeaderParser
from typing import Any

from pipelines.crawl.licences import core_metadata
from pipelines.crawl.licences.expressions import spelled

# Files of the first level (or of REUSE's folder LICENSES) that hold a licence, and not that of somebody else's code.
LICENCE_FILE = re.compile(
    r"(?!.*(third|3rd|vendor))(licen[cs]es/[^/]+|((un)?licen[cs]e|copying|[\w.+-]+[-_]licen[cs]e)([-_.][\w.+-]*)?)"
)
DIST_INFO = re.compile(r"[^/]+\.dist-info/(?:licenses/)?")  # of a wheel, where others have the first level
CODE = re.compile(r".*\.(py|js|ts|go|rs|java|cs|c|h|json|ya?ml|toml|xml|html?|sh|tmpl|tpl|header|spdx)")
IDENTIFIER = re.compile(r"(?m)^[^\w\n]*SPDX-License-Identifier:[ \t]*([^\n*/#]+)")
MAX_TAG_CHARS = 10_000  # where such a line is looked for
MAX_MANIFEST_CHARS = 300_000
MAX_DOTS = 500  # in a line: the cost of a dotted key grows with their square
NAME = re.compile(r"[^\s()]+")


def may_tell(path: str) -> bool:
    """Whether a file of this path may say what its repository's licence is."""
    name = _name(path)
    lowered = name.lower()
    if "/" in name and not lowered.startswith("licen"):  # nearly every file
        return False
    return name in MANIFESTS or (bool(LICENCE_FILE.fullmatch(lowered)) and not CODE.fullmatch(lowered))


def _name(path: str) -> str:
    """What a file is told by: its path, without the folder that a wheel has for such files."""
    return DIST_INFO.sub("", path, count=1) if ".dist-info/" in path else path


def licence_of(files: Iterable[tuple[str, str]]) -> str:
    """The SPDX expression that the (path, text) of a repository's files amount to; empty where they do not say.

    The texts of licences count. What a manifest states counts where there are none, and where it says how several of
    them go together (`MIT OR Apache-2.0`); several of which no manifest speaks all hold (`AND`). One text that is not
    understood makes the whole unknown.
    """
    chosen = [(_name(path), text) for path, text in sorted(files) if may_tell(path)]
    stated = [said for name, text in chosen if name in MANIFESTS and (said := _stated(name, text))]
    found = [_identifiers(text) for name, text in chosen if name not in MANIFESTS]
    names = sorted({name for one in found for name in one or ()})
    if None in found:
        return ""
    agreeing = [expression for expression in stated if not names or _families(expression) == _families(" ".join(names))]
    return agreeing[0] if agreeing else " AND ".join(names)


def _identifiers(text: str) -> list[str] | None:
    from pipelines.crawl.licences import texts  # imports numba

    tag = IDENTIFIER.search(text[:MAX_TAG_CHARS])
    if tag and (named := spelled(tag[1].strip())):
        return [named if " OR " not in named else f"({named})"]
    return texts.detect(text)


def _families(expression: str) -> set[str]:
    """The licences of an expression; a text of the GPL does not say whether later versions are meant."""
    return {re.sub("-(only|or-later)$", "", name) for name in NAME.findall(expression)} - {"AND", "OR"}


def _stated(name: str, text: str) -> str:
    if len(text) > MAX_MANIFEST_CHARS or any(line.count(".") > MAX_DOTS for line in text.splitlines()):
        return ""
    try:
        found = MANIFESTS[name](text)
    except (ValueError, RecursionError):  # no TOML or JSON
        return ""
    return spelled(found) if isinstance(found, str) else ""


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def _pyproject(text: str) -> Any:
    table = tomllib.loads(text)
    return _first(_at(table, "project", "license"), _at(table, "project", "license", "text"),
                  _at(table, "tool", "poetry", "license"))  # fmt: skip


def _cargo(text: str) -> Any:
    table = tomllib.loads(text)
    found = _first(_at(table, "package", "license"), _at(table, "workspace", "package", "license"))
    return found.replace("/", " OR ") if found else None  # as older crates write it


def _json(text: str) -> Any:
    """package.json, and composer.json, where a list is a choice."""
    table = json.loads(text)
    found = _at(table, "license")
    choice = " OR ".join(map(str, found)) if isinstance(found, list) else None
    return _first(found, choice, _at(table, "license", "type"))


def _core_metadata(text: str) -> str:
    return core_metadata.stated(HeaderParser().parsestr(text))


def _first(*found: Any) -> str | None:
    return next((one for one in found if isinstance(one, str)), None)


MANIFESTS: dict[str, Callable[[str], Any]] = {
    "pyproject.toml": _pyproject,
    "Cargo.toml": _cargo,
    "package.json": _json,
    "composer.json": _json,
    "METADATA": _core_metadata,
    "PKG-INFO": _core_metadata,
}
