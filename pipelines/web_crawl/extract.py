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
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]+")


def decode(body: bytes, charset: str = "") -> str | None:
    """The text of `body`; None where no encoding fits.

    Tried in this order: byte order mark; UTF-8, if not a byte is wrong; the charset of the HTTP header; that of the
    page's own <meta>; what the bytes look like. These three may leave 1 character in 1000 undecoded.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], encoding, MAX_UNDECODABLE_SHARE)
    # In these encodings every byte is ASCII, so that UTF-8 would fit, too.
    text = None if charset.startswith(("iso-2022", "utf-16", "hz")) else _decoded(body, "utf-8", 0.0)
    if text is not None:
        return text
    guesses = (charset, detect_encoding(body, from_html_meta=True), detect_encoding(body))
    found = (_decoded(body, guess, MAX_UNDECODABLE_SHARE) for guess in guesses if guess)
    return next((text for text in found if text is not None), None)


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
    text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
