"""The text of a file: by UTF-8, a byte order mark, what the file or its source states, or a detector that is sure."""

import codecs
import re
from typing import NamedTuple

import chardet

BYTE_ORDER_MARKS = (  # the longer first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What source code was written in. A detector that names any other has been misled: see docs/results.
LEGACY = {
    "big5", "big5hkscs", "cp866", "cp874", "cp932", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "cp1258", "euc_jis_2004", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso8859-1",
    "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "koi8-r", "koi8-u", "shift_jis",
    "shift_jis_2004", "tis-620",
}  # fmt: skip
MIN_EVIDENCE_BYTES = 8  # that are not ASCII: fewer fit any of a dozen encodings
MAX_EVIDENCE_BYTES = 1 << 14
ASCII = bytes(range(128))
WIDE = ("big5", "cp932", "cp949", "euc_jp", "gb18030")  # and those that are nearly the same
FAMILIES = {"big5hkscs": "big5", "euc_jis_2004": "euc_jp", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030",
            "shift_jis": "cp932", "shift_jis_2004": "cp932"}  # fmt: skip
MIN_CONFIDENCE = 0.2  # where another of WIDE fits every byte too
CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")


HEAD_BYTES = 2048  # where a file states its encoding
STATEMENT = re.compile(
    rb"""
      \A(?:[^\n]*\n)?[^\n]*coding[:=][ \t]*([\w.-]+)     # in the first two lines: Python (PEP 263), Emacs, Vim
    | \A<\?xml[^>]*\sencoding=["']([\w.-]+)
    | <meta\s[^>]*charset=["']?([\w.-]+)
    | \A@charset[ ]"([\w.-]+)
    | ^"Content-Type:[^\n]*charset=([\w.-]+)              # gettext
    | ^[ \t]*scriptencoding[ \t]+([\w.-]+)               # Vim's scripts
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


class Decoded(NamedTuple):
    """Text as UTF-8, and the encoding it was in, by Python's name; or why there is none, and what was found."""

    content: bytes
    encoding: str
    reason: str | None = None
    detail: str = ""


def decode(content: bytes, declared: str = "") -> Decoded:
    """`declared` is what others say of bytes that are no UTF-8; it counts where it is one of LEGACY."""
    if content.isascii() and b"\0" not in content:
        return Decoded(content, "utf-8")
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], encoding)
    if b"\0" in content:
        return _none("binary", f"NUL at byte {content.index(0)}")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return _legacy(content, declared, f"no UTF-8 at byte {error.start}")
    return Decoded(content, "utf-8")


def _strictly(content: bytes, encoding: str) -> Decoded:
    """What a byte order mark promises. The marks of UTF-16 and UTF-32 may begin a binary file, so it is looked at."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        return _none("encoding", f"no {encoding.upper()} at byte {error.start} after the byte order mark")
    if "\0" in text:
        return _none("binary", f"NUL at character {text.index(chr(0))}")
    return Decoded(text.encode(), encoding)


def _legacy(content: bytes, declared: str, problem: str) -> Decoded:
    encoding = _known(_stated(content)) or _known(declared) or _detected(content)
    if not encoding:
        return _none("encoding", f"{problem}, and nothing else for certain")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        return _none("encoding", f"{problem}, no {encoding} at byte {error.start}")
    if found := CONTROL.search(text):
        return _none("encoding", f"{problem}; as {encoding} it has U+{ord(found[0]):04X}")
    return Decoded(text.encode(), encoding)


def _stated(content: bytes) -> str:
    """What the file itself says, where its language has a place for that; empty where it says nothing."""
    found = STATEMENT.search(content, 0, HEAD_BYTES)
    return found[found.lastindex].decode() if found and found.lastindex else ""


def _none(reason: str, detail: str) -> Decoded:
    return Decoded(b"", "", reason, detail)


def _detected(content: bytes) -> str:
    """The detector is shown the lines that are not ASCII: among much ASCII it loses its way."""
    lines = b"\n".join(line for line in content.split(b"\n") if not line.isascii())[:MAX_EVIDENCE_BYTES]
    if len(lines.translate(None, ASCII)) < MIN_EVIDENCE_BYTES:
        return ""
    found = chardet.detect(lines)
    name, confidence = _known(found["encoding"] or ""), found["confidence"] or 0.0
    others = (other for other in WIDE if other != FAMILIES.get(name, name))
    is_certain = confidence >= MIN_CONFIDENCE or not any(_fits(content, other) for other in others)
    return name if is_certain else ""


def _fits(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _known(name: str) -> str:
    """The name of the codec, where it is one of LEGACY; else empty."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        return ""
    return found if found in LEGACY else ""
