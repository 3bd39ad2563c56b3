"""Bytes to text: what each kind of bytes is taken for, and when nothing is said rather than something wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.crawl.encodings import CONTROL, decode

RUSSIAN = "// Файл не найден: проверьте путь\n// Неизвестная команда\nint x;\n"
JAPANESE = "// ファイルが見つかりません\n// 不明なコマンドです\nint x;\n"
CHINESE = "// 找不到文件，请检查路径是否正确\n// 未知的命令，无法执行此操作\nint x;\n"
KOREAN = "// 파일을 찾을 수 없습니다\n// 알 수 없는 명령입니다\nint x;\n"
FRENCH = "// Fichier non trouvé : vérifiez le chemin d'accès\n// Réessayez à côté, là où il a été créé\nint x;\n"
CERTAIN = "and nothing else for certain"
CASES = [
    ("ASCII", b"x = 1\n", ("x = 1\n", "utf-8", None, "")),
    ("UTF-8", "é = '中😀'".encode(), ("é = '中😀'", "utf-8", None, "")),
    ("a byte order mark is no text", b"\xef\xbb\xbfx\n", ("x\n", "utf-8", None, "")),
    ("line ends stay as they are", b"a\r\nb\rc\n", ("a\r\nb\rc\n", "utf-8", None, "")),
    ("UTF-16, little end first", "x中\n".encode("utf-16"), ("x中\n", "utf-16-le", None, "")),
    ("UTF-16, big end first", b"\xfe\xff\0x\0\n", ("x\n", "utf-16-be", None, "")),
    ("UTF-32", "x😀".encode("utf-32"), ("x😀", "utf-32-le", None, "")),
    ("UTF-16 without a mark", "x".encode("utf-16-le"), ("", "", "binary", "NUL at byte 1")),
    ("an odd byte", b"\xff\xfex\0y", ("", "", "encoding", "no UTF-16-LE at byte 2 after the byte order mark")),
    ("half a pair", b"\xff\xfe\x00\xd8", ("", "", "encoding", "no UTF-16-LE at byte 0 after the byte order mark")),
    ("binary that begins like UTF-16", b"\xff\xfea\0\0\0", ("", "", "binary", "NUL at character 1")),
    ("NUL", b"MZ\x00\x01", ("", "", "binary", "NUL at byte 2")),
    ("too little to tell", "naïve".encode("latin-1"), ("", "", "encoding", f"no UTF-8 at byte 2, {CERTAIN}")),
    ("a damaged mark", b"\xef\xbb\xbfab\xff", ("", "", "encoding", "no UTF-8 at byte 2 after the byte order mark")),
    ("a surrogate", b"\xed\xa0\x80", ("", "", "encoding", f"no UTF-8 at byte 0, {CERTAIN}")),
    ("cut off in a character", b"ok\xe4\xb8", ("", "", "encoding", f"no UTF-8 at byte 2, {CERTAIN}")),
    ("KOI8-R", RUSSIAN.encode("koi8-r"), (RUSSIAN, "koi8-r", None, "")),
    ("Windows, Cyrillic", RUSSIAN.encode("cp1251"), (RUSSIAN, "cp1251", None, "")),
    ("Shift-JIS", JAPANESE.encode("shift_jis"), (JAPANESE, "cp932", None, "")),
    ("EUC-JP", JAPANESE.encode("euc-jp"), (JAPANESE, "euc_jp", None, "")),
    ("GBK", CHINESE.encode("gbk"), (CHINESE, "gb18030", None, "")),
    ("EUC-KR", KOREAN.encode("euc-kr"), (KOREAN, "cp949", None, "")),
    ("Latin-1", FRENCH.encode("latin-1"), (FRENCH, "iso8859-15", None, "")),
]  # fmt: skip


@pytest.mark.parametrize(("content", "outcome"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_decode(content, outcome):
    found = decode(content)
    assert (found.content.decode(), *found[1:]) == outcome


DECLARED = [
    ("latin-1", "naïve", "iso8859-1", None),
    ("ISO-8859-1", "naïve", "iso8859-1", None),
    ("utf-8", "", "", "encoding"),  # which it is not
    ("unicode_escape", "", "", "encoding"),  # a codec, and no encoding of files
    ("nonsense\0", "", "", "encoding"),
]


@pytest.mark.parametrize(("declared", "text", "encoding", "reason"), DECLARED)
def test_what_is_declared_counts_where_source_code_is_written_so(declared, text, encoding, reason):
    assert decode("naïve".encode("latin-1"), declared)[:3] == (text.encode(), encoding, reason)


STATED = [
    ("Python", "# -*- coding: latin-1 -*-\nx = 'naïve'\n", "iso8859-1"),
    ("Python, on the second line", "#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\nx = 'да'\n", "cp1251"),
    ("XML", '<?xml version="1.0" encoding="ISO-8859-2"?>\n<a>ż</a>\n', "iso8859-2"),
    ("HTML", '<html>\n<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">\nда\n', "koi8-r"),
    ("CSS", '@charset "windows-1252";\na { content: "é" }\n', "cp1252"),
    ("gettext", 'msgid ""\n"Content-Type: text/plain; charset=ISO-8859-15\\n"\n\nmsgstr "€"\n', "iso8859-15"),
    ("Vim", '" menu\nscriptencoding latin1\nmenu Hilfe\\ für x\n', "iso8859-1"),
    ("on the third line", "\n\n# coding: latin-1\nx = 'naïve'\n", ""),
    ("in a call", "x = 1\ny = open(z, encoding='latin-1')  # naïve\n", ""),
    ("UTF-8, which it is not", "# coding: utf-8\nx = 'naïve'\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), [case[1:] for case in STATED], ids=[case[0] for case in STATED])
def test_what_a_file_states_counts_where_its_language_has_a_place_for_it(text, encoding):
    found = decode(text.encode(encoding or "latin-1"))
    assert (found.content.decode(), found.encoding) == ((text, encoding) if encoding else ("", ""))


def test_a_comment_among_much_ascii_is_found():
    text = "int x = 1;\n" * 5000 + RUSSIAN
    assert decode(text.encode("koi8-r")).content == text.encode()


@given(st.binary(max_size=400))
def test_whatever_comes_in_it_is_text_or_has_a_reason(content):
    found = decode(content)
    if found.reason:
        assert (found.content, found.encoding) == (b"", "")
        assert found.reason in {"binary", "encoding"}
    elif not found.encoding.startswith("utf"):
        assert found.content.decode().encode(found.encoding) == content
        assert not CONTROL.search(found.content.decode())
