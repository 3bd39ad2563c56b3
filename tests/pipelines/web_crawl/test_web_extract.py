"""From bytes to visible text: encodings, code blocks, and pages that mean harm."""

import time

import pytest

from pipelines.web_crawl import extract


@pytest.mark.parametrize(
    ("what", "body", "charset", "text"),
    [
        ("UTF-8 by header", "中文 é".encode(), "utf-8", "中文 é"),
        ("UTF-8, but the header lies", "中文 é".encode(), "iso-8859-1", "中文 é"),
        ("GBK by header", "网页内容".encode("gbk"), "gb2312", "网页内容"),
        ("GBK by meta", '<meta charset="gbk"><p>网页内容'.encode("gbk"), "", '<meta charset="gbk"><p>网页内容'),
        ("beyond GBK", "𠮷野家".encode("gb18030"), "gbk", "𠮷野家"),
        ("Big5", "網頁內容".encode("big5"), "big5", "網頁內容"),
        ("Shift JIS", "日本語のページ".encode("shift_jis"), "shift_jis", "日本語のページ"),
        ("bytes that are all ASCII", "日本語".encode("iso-2022-jp"), "iso-2022-jp", "日本語"),
        ("Latin-1 means cp1252", b"caf\xe9 \x80", "iso-8859-1", "café €"),
        ("byte order mark of UTF-8", b"\xef\xbb\xbfhi", "gbk", "hi"),
        ("byte order mark of UTF-16", b"\xff\xfeh\0i\0", "", "hi"),
        ("cut inside of a character", "中文".encode()[:-1], "utf-8", "中"),
        ("an unknown charset", b"plain", "x-unknown", "plain"),
        ("a codec that is none of text", b"plain", "base64", "plain"),
        ("nothing", b"", "", ""),
        ("NUL", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "utf-8", None),
        ("one wrong byte in a thousand", b"a" * 2000 + b"\xff", "utf-8", "a" * 2000 + "\ufffd"),
    ],
)
def test_decode(what, body, charset, text):
    assert extract.decode(body, charset) == text


PAGE = """<!DOCTYPE html><html><head><title>Title</title><style>p { color: red }</style></head><body>
<nav><ul><li>Home</li><li>Questions</li></ul></nav>
<main><article><div><h1>How do I   sort?</h1>
<p>First    line
goes on &amp; on.</p>
<pre><code>def f(x):
    if x:

        return 1</code></pre>
<ul><li>one</li><li>two</li></ul>
<p>中文 <b>text</b></p></div></article></main>
<script>alert("no")</script><footer>All rights reserved</footer></body></html>"""


def test_visible_text_keeps_the_lines_and_indentation_of_code():
    text = extract.visible_text(extract.parse(PAGE))
    assert text == (
        "How do I sort?\n\nFirst line goes on & on.\n\ndef f(x):\n    if x:\n\n        return 1\n"
        "  • one\n  • two\n\n中文 text"
    )


def test_without_main_content_the_menus_stay_and_scripts_do_not():
    text = extract.visible_text(extract.parse(PAGE), main_content=False)
    assert "Questions" in text
    assert "All rights reserved" in text
    assert "alert" not in text
    assert "color" not in text


@pytest.mark.parametrize("html", ["", "   ", "<!-- -->", "<p>", "<script>x</script>", "<html><body>"])
def test_a_page_without_text(html):
    assert extract.visible_text(extract.parse(html)) == ""


def test_control_characters_and_carriage_returns_go():
    text = extract.visible_text(extract.parse("<pre>a\x07\x1b[0m  \r\n\tb\x7f</pre>"))
    assert text == "a[0m\n\tb"


@pytest.mark.parametrize(
    ("what", "html", "refused"),
    [
        ("200,000 open divisions", "<div>" * 200_000 + "x", True),
        ("divisions that are closed", "<div>" * 5_000 + "x" + "</div>" * 5_000, True),
        ("as deep as real pages", "<div>" * 90 + "x" + "</div>" * 90, False),
        ("100,000 paragraphs", "<p>word" * 100_000, False),
        ("100,000 attributes", "<a " + "x=1 " * 100_000 + ">t</a>", False),
        ("200,000 blanks", "<pre>a" + " " * 200_000 + "b</pre>", False),
        ("100,000 empty lines", "<pre>a" + "\n" * 100_000 + "b</pre>", False),
    ],
)
def test_hostile_pages_are_refused_or_read_in_reasonable_time(what, html, refused):
    started = time.process_time()
    tree = extract.parse(html)
    if tree is not None:
        extract.visible_text(tree)
    assert (tree is None) is refused
    assert time.process_time() - started < 10
