"""Reads the JSON that projects are configured with: with comments, with commas too many, or broken."""

import json
import re
from typing import Any

# A string is kept, a comment or a comma before a closing bracket is taken out.
COMMENT = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/', re.DOTALL)
LAST_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)


def read_object(content: bytes) -> dict[str, Any]:
    """The object in a file of JSON with comments; empty where it is none, as a repository is free to be broken."""
    found = read(content)
    return found if isinstance(found, dict) else {}


def read(content: bytes) -> Any:
    """What a file of JSON with comments holds; None where it is broken."""
    try:
        without_comments = COMMENT.sub(_string, content.decode("utf-8-sig"))
        return json.loads(LAST_COMMA.sub(_string, without_comments))
    except (ValueError, RecursionError):
        return None


def _string(match: re.Match[str]) -> str:
    return match[1] or ""


def strings(value: object) -> list[str]:
    """A string, or the strings in a list, as a list; nothing else counts."""
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, str)]
