"""The licence that a Python package states in its core metadata: `METADATA` of a wheel, `PKG-INFO` of an sdist."""

import re
from email.message import Message
from importlib.metadata import PackageMetadata

from pipelines.crawl.licences.expressions import spelled

# Trove classifiers and free texts that stand for exactly one SPDX licence. "BSD License" and "Python Software
# Foundation License" are not among them: they stand for several, and matplotlib means yet another by the latter.
SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "the unlicense (unlicense)": "Unlicense",
}


def stated(metadata: Message | PackageMetadata) -> str:
    """The SPDX expression of a package's licence; empty where its metadata does not say exactly."""
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classified = {c.rsplit(" :: ", 1)[-1] for c in metadata.get_all("Classifier", []) if c.startswith("License ::")}
    classifiers = [_identifier(text) for text in sorted(classified - {"OSI Approved"})]
    texts = [identifier for text in metadata.get_all("License", []) if (identifier := _identifier(text))]
    # A classifier that says nothing exact may stand for a further licence, unless the text says what is meant.
    found_all = texts if "" in classifiers else [*classifiers, *texts]
    return " AND ".join(sorted(set(found_all)))


def _identifier(text: str) -> str:
    """The SPDX expression that `text` is, or stands for; else empty."""
    return spelled(text.strip()) or SPDX.get(re.sub(r"\s+", " ", text).strip().lower(), "")
