"""Licences: told by their texts, by what manifests state, and allowed or not by the rules of a corpus."""

import re
from importlib.metadata import distributions

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import config
from pipelines.crawl import files
from pipelines.crawl.licences import texts
from pipelines.crawl.licences.expressions import is_allowed, permissive, spelled
from pipelines.crawl.licences.repository import licence_of, may_tell
from pipelines.crawl.licences.rules import LicenceRules
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources.source import Entry, Repository
from tests.benchmarks.licence_accuracy import spdx_texts

MIT = """MIT License

Copyright (c) 2020 Somebody <somebody@example.org>

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
REDISTRIBUTION = """Redistribution and use in source and binary forms, with or without modification, are permitted
provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
disclaimer in the documentation and/or other materials provided with the distribution.
"""
ENDORSEMENT = """3. Neither the name of Example Ltd nor the names of its contributors may be used to endorse or promote
products derived from this software without specific prior written permission.
"""
DISCLAIMER = """THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED
WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR
PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT,
INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE
GOODS OR SERVICES;
LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
BSD_2, BSD_3 = REDISTRIBUTION + DISCLAIMER, REDISTRIBUTION + ENDORSEMENT + DISCLAIMER
APACHE_NOTICE = """Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in
compliance with the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0
Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
"AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific
language governing permissions and limitations under the License.
"""
# Not a licence of its own: it takes the right to sell away from whatever stands beside it.
COMMONS_CLAUSE = """The Software is provided to you by the Licensor under the License, as defined below, subject to the
following condition. Without limiting other conditions in the License, the grant of rights under the License will not
include, and the License does not grant to you, the right to Sell the Software. For purposes of the foregoing, "Sell"
means practicing any or all of the rights granted to you under the License to provide to third parties, for a fee or
other consideration (including without limitation fees for hosting or consulting/ support services related to the
Software), a product or service whose value derives, entirely or substantially, from the functionality of the Software.
Any license notice or attribution required by this License must also include this Commons Clause License Condition
notice.
"""

TEXTS = [
    ("the text", MIT, ["MIT"]),
    ("without its title", MIT.partition("\n")[2], ["MIT"]),
    ("in a comment", "\n".join(f" * {line}" for line in MIT.splitlines()), ["MIT"]),
    ("on one line", " ".join(MIT.split()), ["MIT"]),
    ("with a line of thanks", MIT + "\nThanks to everybody who helped.\n", ["MIT"]),
    ("two clauses", BSD_2, ["BSD-2-Clause"]),
    ("three clauses", BSD_3, ["BSD-3-Clause"]),
    ("a notice for files", APACHE_NOTICE, ["Apache-2.0"]),
    ("two licences in one file", f"{BSD_3}\n\nParts are under this:\n\n{MIT}", ["BSD-3-Clause", "MIT"]),
    ("nothing that is a licence", "See the files beside this one.", []),
    ("nothing", "", []),
    ("a licence, less the right to sell", f"{COMMONS_CLAUSE}\n{MIT}", None),
    ("history beside a licence", MIT + " ".join(f"word{number}" for number in range(200)), ["MIT"]),
    ("a book beside a licence", MIT + " ".join(f"word{number}" for number in range(300)), None),
    ("a licence for some", MIT + "\nThe Software may be used for non-commercial purposes only.\n", None),
    ("a licence for some uses", MIT + "\nDo not use it to train models.\n", None),
    ("half a licence", MIT[: len(MIT) // 2], None),
    ("terms of somebody's own", " ".join(f"term{number}" for number in range(200)), None),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_the_licences_that_a_text_holds(text, expected):
    assert texts.detect(text) == expected


def test_a_licence_is_found_in_its_own_text():
    listed = spdx_texts()
    popular = ["0BSD", "AGPL-3.0-only", "Apache-2.0", "Artistic-2.0", "BSL-1.0", "CC0-1.0", "EPL-2.0", "EUPL-1.2",
               "GPL-2.0-only", "GPL-3.0-only", "ISC", "LGPL-2.1-only", "LGPL-3.0-only", "MIT-0", "MPL-2.0", "MS-PL",
               "NCSA", "OFL-1.1", "PostgreSQL", "Python-2.0", "UPL-1.0", "Unlicense", "WTFPL", "Zlib"]  # fmt: skip
    assert {name: texts.detect(listed[name]) for name in popular} == {name: [name] for name in popular}
    assert len(listed) > 600


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_an_answer(text):
    assert texts.detect(text) in ([], None) or set(texts.detect(text)) <= set(texts.known().identifiers)


def test_the_packages_of_this_environment():
    """Each licence file that names one known licence agrees with what its package's metadata states."""
    compared = [
        (found.metadata["Name"], found.metadata["License-Expression"], " AND ".join(detected))
        for found in distributions()
        if re.fullmatch(r"MIT|ISC|BSD-[23]-Clause|Apache-2\.0", found.metadata.get("License-Expression") or "")
        for path in found.files or ()
        if re.match(r"[^/]+dist-info/(licenses/)?LICEN[CS]E(\.txt|\.md|\.rst)?$", str(path))
        if (detected := texts.detect(path.locate().read_text(errors="replace")))
    ]
    several = [one for one in compared if " AND " in one[2] and one[1] in one[2]]  # bundled code, told in full
    assert [one for one in compared if one[1] != one[2] and one not in several] == []
    assert len(compared) > 40


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("mit", "MIT"), ("apache-2.0 or mit", "Apache-2.0 OR MIT"), ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"), ("LGPL-2.1 AND (MIT)", "LGPL-2.1-only AND (MIT)"),
        ("GPL-2.0-or-later", "GPL-2.0-or-later"), ("Apache-2.0 with llvm-exception", "Apache-2.0 WITH LLVM-exception"),
        ("LicenseRef-mine", "LicenseRef-mine"), ("NOASSERTION", ""), ("NONE", ""), ("UNLICENSED", ""), ("", ""),
        ("BSD", ""), ("MIT OR", ""), ("(" * 999, ""), ("MIT OR " * 500 + "MIT", ""),
    ],
)  # fmt: skip
def test_expressions_have_one_spelling(written, expected):
    assert spelled(written) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True), ("GPL-3.0-only", False), ("", False), ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT", True), ("MIT AND GPL-3.0-only", False), ("MIT AND ISC", True),
        ("Apache-2.0 WITH LLVM-exception", False), ("ISC WITH LLVM-exception", True),
        ("GPL-3.0-only AND (MIT OR ISC)", False), ("ISC AND (MIT OR GPL-3.0-only)", True),
        ("GPL-3.0-only OR (ISC AND MIT)", True), ("(GPL-3.0-only OR MIT) AND (ISC)", True),
        ("GPL-3.0-only AND MIT OR ISC", True), ("MIT AND LicenseRef-mine", False),
    ],
)  # fmt: skip
def test_what_an_expression_grants_under_mit_and_isc_alone(expression, expected):
    assert is_allowed(expression, {"MIT", "ISC"}) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", True), ("LICENCE.txt", True), ("license.md", True), ("COPYING", True), ("COPYING.LESSER", True),
        ("LICENSE-MIT", True), ("MIT-LICENSE.txt", True), ("UNLICENSE", True), ("LICENSES/MIT.txt", True),
        ("PKG-INFO", True), ("x-1.0.dist-info/METADATA", True), ("x-1.0.dist-info/LICENSE", True),
        ("x-1.0.dist-info/licenses/LICENSE.txt", True), ("x-1.0.dist-info/licenses/vendor/LICENSE", False),
        ("x-1.0.dist-info/RECORD", False), ("src/x-1.0.dist-info/LICENSE", False),
        ("pyproject.toml", True), ("Cargo.toml", True), ("package.json", True), ("src/LICENSE", False),
        ("license.py", False), ("LICENSE-3rd-party.txt", False), ("vendor/LICENSE", False),
        ("LICENSE.thirdparty", False),
        ("licensing.md", False), ("README.md", False), ("src/package.json", False),
    ],
)  # fmt: skip
def test_which_files_tell(path, expected):
    assert may_tell(path) is expected


FILES = [
    ("a text", {"LICENSE": MIT}, "MIT"),
    ("a text and a manifest that agree", {"LICENSE": MIT, "package.json": '{"license": "MIT"}'}, "MIT"),
    ("a text and a manifest that do not", {"LICENSE": MIT, "package.json": '{"license": "ISC"}'}, "MIT"),
    ("a manifest alone", {"Cargo.toml": '[package]\nlicense = "MIT/Apache-2.0"'}, "MIT OR Apache-2.0"),
    ("a table", {"pyproject.toml": '[project]\nlicense = {text = "mit"}'}, "MIT"),
    ("poetry", {"pyproject.toml": '[tool.poetry]\nlicense = "BSD-3-Clause"'}, "BSD-3-Clause"),
    ("an old package.json", {"package.json": '{"license": {"type": "ISC", "url": "x"}}'}, "ISC"),
    ("a choice", {"composer.json": '{"license": ["MIT", "GPL-2.0"]}'}, "MIT OR GPL-2.0-only"),
    ("two texts", {"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE_NOTICE}, "Apache-2.0 AND MIT"),
    ("two texts, and how they go together",
     {"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE_NOTICE, "Cargo.toml": '[package]\nlicense = "MIT OR Apache-2.0"'},
     "MIT OR Apache-2.0"),
    ("one of two texts is not understood", {"COPYING": COMMONS_CLAUSE, "LICENSE": MIT}, ""),
    ("a file that only points at others", {"LICENSE": "See LICENSE.BSD.", "LICENSE.BSD": BSD_2}, "BSD-2-Clause"),
    ("a tag", {"LICENSE": "SPDX-License-Identifier: GPL-2.0+\n"}, "GPL-2.0-or-later"),
    ("a tag with a choice", {"COPYING": MIT, "LICENSE": "# SPDX-License-Identifier: ISC OR MIT\n"},
     "(ISC OR MIT) AND MIT"),
    ("somebody else's", {"vendor/LICENSE": MIT, "LICENSE-third-party": MIT}, ""),
    ("manifests that are none", {"package.json": "{", "pyproject.toml": "=", "Cargo.toml": "x = 1"}, ""),
    ("a manifest that nests", {"package.json": "[" * 100_000}, ""),
    ("a manifest that would take a minute", {"pyproject.toml": ".".join(["a"] * 70_000) + " = 1"}, ""),
    ("a manifest of another shape", {"package.json": "[1]", "Cargo.toml": "package = 1", "composer.json": "3"}, ""),
    ("an sdist", {"PKG-INFO": "Name: x\nLicense-Expression: MIT\n\nLicense: none"}, "MIT"),
    ("an sdist of two licences", {"LICENSE": f"{MIT}\n{BSD_2}", "PKG-INFO": "License: MIT OR BSD-2-Clause\n"},
     "MIT OR BSD-2-Clause"),
    ("a wheel", {"x-1.0.dist-info/METADATA": "Name: x\n", "x-1.0.dist-info/licenses/LICENSE": MIT}, "MIT"),
    ("nothing", {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_the_licence_of_a_repository(files, expected):
    assert licence_of(files.items()) == expected


@pytest.mark.parametrize(
    ("rules", "expression", "refused"),
    [
        ({}, "GPL-3.0-only", False), ({}, "", False),
        ({"permissive_only": True}, "MIT", False), ({"permissive_only": True}, "mit", False),
        ({"permissive_only": True}, "GPL-3.0-only", True), ({"permissive_only": True}, "GPL-3.0 OR MIT", False),
        ({"permissive_only": True}, "not SPDX", True), ({"permissive_only": True}, "", True),
        ({"permissive_only": True, "keep_unknown": True}, "", False),
        ({"permissive_only": True, "keep_unknown": True}, "GPL-3.0-only", True),
        ({"permissive_only": True, "permissive": ["ISC"]}, "MIT", True),
    ],
)  # fmt: skip
def test_the_rules_of_a_corpus(rules, expression, refused):
    assert LicenceRules(**rules).refuse(expression) is refused


def test_the_list_of_permissive_licences_is_blue_oaks():
    assert {"MIT", "Apache-2.0", "BSD-3-Clause", "ISC", "CC0-1.0", "Unlicense"} <= set(permissive())
    assert not [name for name in permissive() if re.match("A?GPL|LGPL|MPL|EPL|SSPL|BUSL|CC-BY-NC", name)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mit"], "'mit' is no identifier of the SPDX list; SPDX writes it MIT"),
        (["MIT", "Beer"], "'Beer' is no identifier of the SPDX list: see https://spdx.org/licenses"),
    ],
)
def test_a_list_with_a_name_that_spdx_does_not_have_is_refused(names, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        config.parse(LicenceRules, {"permissive": names}, "crawl.licences")


CRAWLED = [
    ("stated by the source", "ISC", {"a.py": "a = 1\n", "LICENSE": MIT}, [("ISC", None, ""), ("ISC", None, "")]),
    ("in the last file of all", "", {"a.py": "a = 1\n", "license": MIT}, [("MIT", None, ""), ("MIT", None, "")]),
    ("refused", "GPL-3.0-only", {"a.py": "a = 1\n"}, [("GPL-3.0-only", "licence", "GPL-3.0-only")]),
    ("found, and refused", "", {"a.py": "a = 1\n", "Cargo.toml": '[package]\nlicense = "GPL-2.0"'},
     [("", "licence", "GPL-2.0-only")]),
    ("unknown", "", {"a.py": "a = 1\n", "LICENSE": "\0"}, [("", "licence", "unknown")]),
]  # fmt: skip


@pytest.mark.parametrize(("stated", "texts_by_path", "expected"), [case[1:] for case in CRAWLED],
                         ids=[case[0] for case in CRAWLED])  # fmt: skip
def test_every_row_of_a_repository_has_its_licence(stated, texts_by_path, expected):
    """(licence, reason, detail) of each row, where only permissive ones may come in."""
    entries = [Entry(path, len(text), text.encode) for path, text in texts_by_path.items()]
    limits = Limits(licences={"permissive_only": True})
    found = files.batches(Repository("a/b", "1", stated, 0, "x"), lambda: entries, limits)
    rows = [row for batch in found for row in batch.to_pylist()]
    assert [(row["license"], row["reason"], row["detail"]) for row in rows] == expected


def test_a_refused_repository_is_not_even_fetched():
    limits = Limits(licences={"permissive_only": True})
    [batch] = files.batches(Repository("a/b", "1", "GPL-3.0-only", 0, "x"), lambda: 1 / 0, limits)
    assert batch.column("reason").to_pylist() == ["licence"]
