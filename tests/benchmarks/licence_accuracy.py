"""Which licence each LICENSE file of this environment holds: our answer beside what its package's metadata states.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install 'identify[license]==2.6.20'
    python -m tests.benchmarks.licence_accuracy [--peer /tmp/peers/bin/python]

Prints agreement and CPU time of ours and, where a Python that has it is named, of `identify`; then each text on which
we do not agree with the metadata; then how many licences of the SPDX list are told by their own text.
"""

import argparse
import json
import re
import subprocess
import time
from importlib.metadata import distributions
from typing import NamedTuple

import numpy as np

from pipelines.crawl.licences import core_metadata, texts

LICENCE = re.compile(r"[^/]+\.dist-info/(licenses/)?(licen[cs]e|copying|unlicense)[^/]*", re.IGNORECASE)
ASK_IDENTIFY = """
import json, sys, tempfile, time
from identify import identify
answers = []
texts = json.load(sys.stdin)
with tempfile.NamedTemporaryFile("w") as file:
    started = time.process_time()
    for text in texts:
        file.seek(0); file.truncate(); file.write(text); file.flush()
        answers.append(identify.license_id(file.name) or "")
    seconds = time.process_time() - started
json.dump([answers, seconds], sys.stdout)
"""
PEER_MAX_CHARS = 60_000  # of a text: the peer's cost grows with the square


class Case(NamedTuple):
    package: str
    stated: str
    text: str


def cases() -> list[Case]:
    found = [
        Case(one.metadata["Name"], stated, path.locate().read_text(errors="replace"))
        for one in distributions()
        if (stated := core_metadata.stated(one.metadata))
        for path in one.files or ()
        if LICENCE.fullmatch(str(path)) and not str(path).endswith(".py")
    ]
    return sorted(found)


def spdx_texts() -> dict[str, str]:
    """The first text of every identifier of the list, normalized."""
    stored = np.load(texts.DATA, allow_pickle=False)
    parts = np.split(stored["words"][stored["codes"]], np.cumsum(stored["lengths"])[:-1])
    return dict(reversed([*zip(stored["identifiers"].tolist(), map(" ".join, parts), strict=True)]))


def ours(found: list[Case]) -> tuple[list[str], float]:
    texts.known()
    started = time.process_time()
    answers = [" AND ".join(texts.detect(case.text) or ()) for case in found]
    return answers, time.process_time() - started


def peer(python: str, found: list[Case]) -> tuple[list[str], float]:
    asked = json.dumps([case.text[:PEER_MAX_CHARS] for case in found])
    done = subprocess.run([python, "-c", ASK_IDENTIFY], input=asked, capture_output=True, text=True, check=True)
    answers, seconds = json.loads(done.stdout)
    return answers, seconds


def line(name: str, found: list[Case], answers: list[str], seconds: float) -> str:
    agree = sum(case.stated == answer for case, answer in zip(found, answers, strict=True))
    return (
        f"{name:<10} {agree:>4} agree, {answers.count(''):>3} say nothing, "
        f"{len(found) - agree - answers.count(''):>3} other, {1000 * seconds / len(found):>6.1f} CPU ms a text"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="a Python that has identify")
    options = parser.parse_args()
    found = cases()
    print(f"{len(found)} texts of {len({case.package for case in found})} packages")
    answers, seconds = ours(found)
    print(line("ours", found, answers, seconds))
    if options.peer:
        print(line("identify", found, *peer(options.peer, found)))
    for case, answer in zip(found, answers, strict=True):
        if case.stated != answer:
            print(f"  {case.package}: metadata {case.stated}; text {answer or 'unknown'}")
    own = {name: texts.detect(text) for name, text in spdx_texts().items() if name}
    print(f"{sum(told == [name] for name, told in own.items())} of {len(own)} licences of the list by their own text")


if __name__ == "__main__":
    main()
