"""From the bytes of a web page to the text that a reader sees; lines and indentation of code blocks are kept.

Parsing and the choice of the main content are resiliparse's.
"""

import codecs
import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5
from resiliparse.parse.html import HTMLTree

# The time to find the main content grows with the depth of the tree; real pages stay below 100.
MAX_DEPTH = 200
MAX_UNDECODABLE_SHARE = 0.001
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Python's names, where HTML means more than the name says.
WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "iso-8859-1": "cp1252", "shift_jis": "cp932", "euc-kr": "cp949"}
DEEP = ">".join("*" * (MAX_DEPTH + 1))
CONTROLS = {code: None for code in (*range(9), *range(11, 32), 127)}


def decode(body: bytes, charset: str = "") -> str | None:
    """The text of `body`; None where no encoding fits.

    Tried in this order: byte order mark; UTF-8, if not a byte is wrong; the charset of the HTTP header; that of the
    page's own <meta>; what the bytes look like. These three may leave 1 character in 1000 undecoded.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], encoding, MAX_UNDECODABLE_SHARE)
    declared = charset, detect_encoding(body, from_html_meta=True) or "", detect_encoding(body) or ""
    # In these encodings every byte is ASCII, so that UTF-8 would fit, too.
    first = () if charset.startswith(("iso-2022", "utf-16", "hz")) else (("utf-8", 0.0),)
    for encoding, max_share in (*first, *((name, MAX_UNDECODABLE_SHARE) for name in declared if name)):
        text = _decoded(body, encoding, max_share)
        if text is not None:
            return text
    return None


def _decoded(body: bytes, name: str, max_undecodable_share: float) -> str | None:
    known = map_encoding_to_html5(name, fallback_utf8=False) or name
    try:
        decoder = codecs.getincrementaldecoder(WIDER.get(known, known))("replace")
    except (LookupError, ValueError):
        return None
    text = decoder.decode(body)  # not final: a page that was cut inside of a character is fine
    if "\0" in text or text.count("\ufffd") - body.count(b"\xef\xbf\xbd") > max_undecodable_share * len(text):
        return None
    return text


def parse(html: str) -> HTMLTree | None:
    """The page's tree; None where it is nested deeper than MAX_DEPTH."""
    tree = HTMLTree.parse(html)
    document = tree.document
    return None if document is not None and document.query_selector(DEEP) is not None else tree


def visible_text(tree: HTMLTree, main_content: bool = True) -> str:
    """What a reader sees: blank lines between blocks, code blocks as they are, no menus where `main_content`."""
    text = extract_plain_text(tree, preserve_formatting=True, main_content=main_content, comments=True)
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).translate(CONTROLS)).strip("\n")
