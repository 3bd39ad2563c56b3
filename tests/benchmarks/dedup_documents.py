"""Real documents, and near-duplicates of some of them: what `dedup_accuracy` judges. Nothing of the pipelines."""

import random
import re
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
SUFFIXES = {".py", ".h", ".c", ".cpp", ".js"}  # languages whose files depend on one another: repositories judge them
MIN_BYTES, MAX_BYTES = 2_000, 100_000
WORD = re.compile(r"\w+")
MAX_SHARE = 0.3
Change = Callable[[str, float, random.Random, str], str]  # (text, share, chance, text of another) -> text


class Document(NamedTuple):
    """A repository."""

    name: str
    texts: list[str]
    suffixes: list[str]
    base: str  # the name of the original it comes from: its own, where it is one
    kind: str  # the change that made it; empty where it is an original


def paths(suffixes: set[str] = SUFFIXES) -> list[Path]:
    """The installed files that may be documents, sorted."""
    return sorted(path for path in SITE_PACKAGES.rglob("*") if path.suffix in suffixes and path.is_file()
                  and MIN_BYTES <= path.stat().st_size <= MAX_BYTES)  # fmt: skip


def originals(num_single: int, num_several: int, chance: random.Random) -> list[Document]:
    """So many repositories of one file, then so many of four, without repetition of a file."""
    found = []
    for path in chance.sample(everything := paths(), len(everything)):
        try:
            found.append((path.read_bytes().decode(), path.suffix))
        except UnicodeDecodeError:
            continue
        if len(found) == num_single + 4 * num_several:
            break
    sizes = [1] * num_single + [4] * num_several
    documents = []
    for number, size in enumerate(sizes):
        chosen = [found.pop() for _ in range(size)]
        name = f"original-{number:05}"
        documents.append(Document(name, [text for text, _ in chosen], [suffix for _, suffix in chosen], name, ""))
    return documents


def planted(documents: list[Document], num_bases: int, chance: random.Random) -> list[Document]:
    """Two near-duplicates of each of `num_bases` documents: half of the second ones are made from the first."""
    several = [document for document in documents if len(document.texts) > 1]
    single = [document for document in documents if len(document.texts) == 1]
    found = []
    for base in several + chance.sample(single, num_bases - len(several)):
        first = _changed(base, f"{base.name}-a", chance, documents)
        second = _changed(chance.choice([base, first]), f"{base.name}-b", chance, documents)
        found += [first, second]
    return found


def _changed(document: Document, name: str, chance: random.Random, documents: list[Document]) -> Document:
    """Small shares are frequent, as they are among forks; none is above MAX_SHARE."""
    share = MAX_SHARE * chance.random() ** 2
    other = chance.choice(documents).texts[0]
    kinds = [*CHANGES, "files"] if len(document.texts) > 1 else list(CHANGES)
    kind = chance.choice(kinds)
    if kind == "files":
        texts, suffixes = _other_files(document, share, chance)
    else:
        texts = [CHANGES[kind](text, share, chance, other) for text in document.texts]
        suffixes = document.suffixes
    return Document(name, texts, suffixes, document.base, kind)


def _other_files(document: Document, share: float, chance: random.Random) -> tuple[list[str], list[str]]:
    """In another order, under other names, and some are gone."""
    places = chance.sample(range(len(document.texts)), len(document.texts))
    places = [place for place in places[1:] if chance.random() >= share] + places[:1]
    return [document.texts[place] for place in places], [document.suffixes[place] for place in places]


def _words(text: str, share: float, chance: random.Random, other: str) -> str:
    """Words become words of another text."""
    words = WORD.findall(other)
    return WORD.sub(lambda found: chance.choice(words) if chance.random() < share else found[0], text)


def _lines(text: str, share: float, chance: random.Random, other: str) -> str:
    """Lines go, come from another text, or are replaced by such."""
    lines = other.splitlines()
    changed = []
    for line in text.splitlines():
        if chance.random() >= share:
            changed.append(line)
            continue
        fate = chance.randrange(3)
        changed += [[], [chance.choice(lines)], [line, chance.choice(lines)]][fate]
    return "\n".join(changed) + "\n"


def _renames(text: str, share: float, chance: random.Random, other: str) -> str:
    """A share of the distinct identifiers gets another name, everywhere."""
    names = sorted({word for word in WORD.findall(text) if len(word) > 3 and not word.isdigit()})
    renamed = {name: f"{name[:2]}{chance.randrange(10**6)}" for name in names if chance.random() < share}
    return WORD.sub(lambda found: renamed.get(found[0], found[0]), text)


def _header(text: str, share: float, chance: random.Random, other: str) -> str:
    """A real licence in front, of a share of the text's length at most."""
    licenses = sorted(SITE_PACKAGES.glob("*.dist-info/**/LICENSE*"))
    header = chance.choice(licenses).read_text(errors="replace")[: int(share * len(text))]
    return "".join(f"# {line}\n" for line in header.splitlines()) + text


def _blocks(text: str, share: float, chance: random.Random, other: str) -> str:
    """From 2 to 32 blocks of lines in another order."""
    lines = text.splitlines(keepends=True)
    cuts = sorted(chance.sample(range(len(lines) + 1), min(1 + int(100 * share), len(lines))))
    blocks = [lines[first:last] for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    return "".join(line for block in chance.sample(blocks, len(blocks)) for line in block)


def _truncated(text: str, share: float, chance: random.Random, other: str) -> str:
    return text[: len(text) - int(share * len(text))]


def _appended(text: str, share: float, chance: random.Random, other: str) -> str:
    return text + "\n" + other[: int(share * len(text))]


CHANGES: dict[str, Change] = {
    "words": _words,
    "lines": _lines,
    "renames": _renames,
    "header": _header,
    "blocks": _blocks,
    "truncated": _truncated,
    "appended": _appended,
}


def write(documents: list[Document], folder: Path) -> None:
    """Each document as a folder of its own."""
    for document in documents:
        (folder / document.name).mkdir(parents=True)
        for number, (text, suffix) in enumerate(zip(document.texts, document.suffixes, strict=True)):
            (folder / document.name / f"file_{number}{suffix}").write_bytes(text.encode())
