"""Which text the crawl reads out of bytes that are no UTF-8: right, wrong or dropped, beside the detectors.

    git clone --bare https://github.com/vim/vim vim.git; git clone --bare https://github.com/taku910/mecab mecab.git
    python -m tests.benchmarks.encoding_accuracy vim.git mecab.git

Samples: the menus and translations of Vim in the encodings that they state, with that statement taken out; the files of
MeCab that are EUC-JP; and pieces of Vim's C with 1 to 40 comments put in, which are lines of its translations. What
counts is the text, not the name of the encoding.
"""

import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from pipelines.crawl import encodings
from pipelines.crawl.sources import git_objects

Sample = tuple[str, bytes, str]  # its kind, the bytes, and the text that they are
STATED = re.compile(rb"(charset=|scriptencoding\s+|coding[:=]\s*)([\w-]+)", re.IGNORECASE)
LANGUAGES = {
    "ru": ("koi8-r", "cp1251", "iso8859-5"), "uk": ("cp1251",), "ja": ("shift_jis", "euc-jp"), "ko": ("euc-kr",),
    "zh_CN.UTF-8": ("gbk",), "zh_TW.UTF-8": ("big5",), "de": ("latin-1",), "fr": ("latin-1",), "es": ("latin-1",),
    "it": ("latin-1",), "fi": ("latin-1",), "pl.UTF-8": ("iso8859-2", "cp1250"), "cs": ("iso8859-2", "cp1250"),
    "tr": ("cp1254",), "sv": ("latin-1",), "nb": ("latin-1",), "nl": ("latin-1",), "el": ("iso8859-7",),
}  # fmt: skip


def blobs(repository: str, wanted: str) -> dict[str, bytes]:
    """The files of the newest commit whose paths `wanted` matches and whose bytes are there."""
    commit = git_objects.run(repository, "rev-parse", "HEAD").decode().strip()
    with git_objects.apart(repository, commit) as folder:
        found = [item for item in git_objects.items(folder, commit) if re.match(wanted, item.path) and item.size_bytes]
        with git_objects.blobs(folder, [item.object_id for item in found]) as contents:
            return {item.path: next(contents) for item in found}


def decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def stated(vim: str) -> Iterator[Sample]:
    for content in blobs(vim, "runtime/lang/menu_|src/po/|runtime/tutor/").values():
        said = STATED.search(content)
        if said and decoded(content, "utf-8") is None:
            encoding = said[2].decode().lower().replace("cp936", "gbk")
            silent = STATED.sub(b"", content)
            if (text := decoded(silent, encoding)) is not None:
                yield "stated", silent, text


def japanese(mecab: str) -> Iterator[Sample]:
    for content in blobs(mecab, "").values():
        is_small = len(content) < 1_000_000 and b"\0" not in content
        if is_small and decoded(content, "utf-8") is None and (text := decoded(content, "euc_jp")) is not None:
            yield "MeCab", content, text


def comments(vim: str, language: str) -> list[str]:
    for content in blobs(vim, f"src/po/{re.escape(language)}\\.po").values():
        said = STATED.search(content)
        text = decoded(content, said[2].decode() if said else "utf-8") or ""
        return [line for line in re.findall(r'msgstr "(.+)"', text) if not line.isascii()]
    return []


def mixed(vim: str) -> Iterator[Sample]:
    code = [text.decode().split("\n") for text in blobs(vim, r"src/[a-d]\w+\.c$").values() if text.isascii()][:25]
    chance = random.Random(0)
    for language, names in LANGUAGES.items():
        lines = comments(vim, language)
        if len(lines) < 50:
            continue
        for encoding, number, _ in ((e, n, i) for e in names for n in (1, 3, 10, 40) for i in range(8)):
            text = list(chance.choice(code))
            start = chance.randrange(max(1, len(text) - 300))
            text = text[start : start + 300]
            for line in chance.sample(lines, number):
                text.insert(chance.randrange(len(text)), f"    // {line}")
            whole = "\n".join(text)
            content = whole.encode(encoding, "ignore")
            if content.decode(encoding) == whole and decoded(content, "utf-8") is None:
                yield f"{number:2} comments", content, whole


def ours(content: bytes) -> str | None:
    found = encodings.decode(content)
    return None if found.reason else found.content.decode()


def by_chardet(content: bytes) -> str | None:
    import chardet

    return decoded(content, chardet.detect(content)["encoding"] or "")


def by_charset_normalizer(content: bytes) -> str | None:
    from charset_normalizer import from_bytes

    found = from_bytes(content).best()
    return None if found is None else str(found)


def main() -> None:
    vim, mecab = sys.argv[1:]
    samples = [*stated(vim), *japanese(mecab), *mixed(vim)]
    size = sum(len(content) for _, content, _ in samples)
    detectors: dict[str, Callable[[bytes], str | None]] = {
        "ours": ours, "chardet": by_chardet, "charset-normalizer": by_charset_normalizer
    }  # fmt: skip
    for name, decode in detectors.items():
        begun = time.process_time()
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for kind, content, text in samples:
            read = decode(content)
            found[kind]["dropped" if read is None else "right" if read == text else "wrong"] += 1
        print(f"{name}: {size / 1e6 / (time.process_time() - begun):.1f} MB/s")
        for kind, counts in [*found.items(), ("all", sum(found.values(), Counter()))]:
            print(f"  {kind:<12}" + "".join(f"{counts[what]:6} {what}" for what in ("right", "wrong", "dropped")))


if __name__ == "__main__":
    main()
