"""What is a secret or an address, what is not, and that the text with placeholders parses as before."""

import re
from importlib.metadata import files
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import grammars
from pipelines.parquet_shards.assemble import document
from pipelines.rule_filter.redaction import SECRETS, find, redacted
from pipelines.rule_filter.rules import RuleFilterConfig
from pipelines.rule_filter.stage import annotate

KINDS = ("secrets", "emails")
PEM_LINE = "MIIEpAIBAAKCAQEA7bq8m3oXv0Yz1kQ2b9Tt4Rr5Ss6Uu7Vv8Ww9Xx0Yy1Zz2Aa3"
PEM_BEGINS = "-----BEGIN RSA PRIVATE " + "KEY-----"
# Made up of parts, so that nobody's scanner takes this file for a leak.
TOKENS = {
    "anthropic_key": "sk-ant-" + "api03-" + "aB3_" * 20,
    "aws_access_key": "AKIA" + "IOSFODNN7EXAMPLQ",
    "github_token": "ghp_" + "aB3d" * 9,
    "gitlab_token": "glpat-" + "aB3d_" * 4,
    "google_api_key": "AIza" + "Sy-aB" * 7,
    "google_oauth_token": "ya29." + "aB3_" * 10,
    "huggingface_token": "hf_" + "aBcD" * 8 + "ab",
    "json_web_token": "eyJ" + "hbGciOiJIUzI1.eyJ" + "zdWIiOiIxMjM0." + "aB3d_" * 4,
    "npm_token": "npm_" + "aB3d" * 9,
    "openai_key": "sk-" + "aB3d" * 5 + "T3Blbk" + "FJ" + "aB3d" * 5,
    "pypi_token": "pypi-" + "AgE" + "aB3d_" * 12,
    "sendgrid_key": "SG." + "aB" * 11 + "." + "aB3" * 14 + "a",
    "slack_token": "xoxb-" + "1234567890-" + "aB3d" * 5,
    "stripe_key": "sk_" + "live_" + "aB3d" * 6,
}
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
IN_CONTEXT = [
    (f'aws_secret_access_key = "{AWS_SECRET}"\n', 'aws_secret_access_key = "AWS_SECRET_KEY"\n'),
    (f'"AwsSecretKey": "{AWS_SECRET}",', '"AwsSecretKey": "AWS_SECRET_KEY",'),
    ("https://hooks.slack.com/services/" + "T0AAAAAAA/B0BBBBBBB/" + "aB3d" * 6,
     "https://hooks.slack.com/services/SLACK_WEBHOOK"),
    (PEM_BEGINS + f'\\n"\n  "{PEM_LINE}\\n"\n  "{PEM_LINE}\\n"\n"-----END RSA PRIVATE KEY-----',
     PEM_BEGINS + '\\n"\n  "PRIVATE_KEY\\n"\n  "PRIVATE_KEY\\n"\n"-----END RSA PRIVATE KEY-----'),
    ("# Jane Doe <jane.doe+code@lab.corp.io>, 2020", "# Jane Doe <name@example.com>, 2020"),
    ("mailto:a@b.de?subject=x", "mailto:name@example.com?subject=x"),
    ("x = 'é@x.com', 'a@x.com'", "x = 'é@x.com', 'name@example.com'"),
]  # fmt: skip
NOT_FOUND = [
    "AKIA" + "IOSFODNN7EXAMPLQ" + "TOOLONG", "ghp_short", "task-" + "ant-api03-x", "eyJhbGciOi.eyJ",
    f'checksum = "{AWS_SECRET}"', "-----BEGIN PRIVATE " + "KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PUBLIC " + f"KEY-----\n{PEM_LINE}\n-----END PUBLIC KEY-----",
    "git@github.com:owner/name.git", "user@example.com", "user@host.example", "user@localhost", "@decorator.com",
    "icon@2x.png", "lodash@4.17.21", "self@module.py", "a @ b.com", "w@x.dot(y)", "m@n.io(f)", "@a@b@c", "a@b",
    "x@y.com.5",
]  # fmt: skip


def clean(text: str) -> str:
    encoded = text.encode()
    return redacted(encoded, [span._asdict() for span in find(encoded, KINDS)]).decode()


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_gives_way_to_the_name_of_its_format(kind):
    assert clean(f"x = '{TOKENS[kind]}'  # {TOKENS[kind]}\n") == f"x = '{kind.upper()}'  # {kind.upper()}\n"


def test_every_format_has_a_case():
    assert {*TOKENS, "aws_secret_key", "private_key", "slack_webhook"} == set(SECRETS)


@pytest.mark.parametrize(("text", "expected"), IN_CONTEXT)
def test_what_is_replaced_and_what_around_it_stays(text, expected):
    assert clean(text) == expected
    assert clean(expected) == expected


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_no_secret_and_nobody_s_address(text):
    assert clean(text) == text


SOURCES = {
    "Python": 'key = "{}"\nother = f"{{key}} {}"  # {}\n',
    "JavaScript": "const key = '{}'; // {}\nfetch(`https://x/${{key}}?{}`);\n",
    "C": '/* {} */\nstatic const char *key = "{}"\n  "{}";\n',
    "Go": "// {}\npackage a\n\nvar key = `{}\n{}`\n",
    "Java": 'class A {{ /* {} */ String a = "{}", b = "{}"; }}\n',
    "YAML": "# {}\nkey: {}\nother:\n  - '{}'\n",
    "JSON": '{{"key": "{}", "other": ["{}", "{}"]}}\n',
    "Shell": "# {}\nexport KEY={}\ncurl -H \"Authorization: {}\" x\n",
    "PHP": "<?php // {}\n$key = '{}'; $b = \"{}\";\n",
    "Ruby": "# {}\nkey = '{}'\nb = %w[{}]\n",
}  # fmt: skip


def num_errors(language: str, source: bytes) -> int:
    parser = grammars.parser(language)
    assert parser
    waiting, found = [parser.parse(source).root_node], 0
    while waiting:
        node = waiting.pop()
        found += node.is_error or node.is_missing
        waiting += node.children if node.has_error else []
    return found


@pytest.mark.parametrize("language", SOURCES)
def test_what_parsed_still_parses(language):
    for token in (*TOKENS.values(), "jane.doe+code@corp.io"):
        text = SOURCES[language].format(token, token, token)
        assert num_errors(language, clean(text).encode()) == num_errors(language, text.encode()) == 0
        assert token not in clean(text)


def test_real_files_parse_as_before_and_keep_their_lines():
    """Sources of installed packages that name their authors."""
    changed = 0
    for name in ("numpy", "hypothesis", "pytest", "pydantic", "Pygments"):
        for listed in (path for path in files(name) if path.suffix == ".py"):
            source = Path(str(listed.locate())).read_bytes()
            found = redacted(source, [span._asdict() for span in find(source, KINDS)])
            if found != source and len(source) < 60_000:
                changed += 1
                assert found.count(b"\n") == source.count(b"\n")
                assert re.findall(rb"['\"`\\]", found) == re.findall(rb"['\"`\\]", source)
                assert num_errors("Python", found) == num_errors("Python", source)
    assert changed >= 10


@given(st.lists(st.sampled_from([*TOKENS.values(), "a.b@c.io", " ", "é", "\n", "'", "@", "x", "中="]), max_size=12))
def test_spans_are_apart_and_what_is_clean_stays(pieces):
    text = "".join(pieces)
    spans = find(text.encode(), KINDS)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert find(clean(text).encode(), ("secrets",)) == []


def test_the_annotation_counts_and_the_document_has_placeholders():
    content = f"# é jane@corp.io\nKEY = '{TOKENS['github_token']}'\n"
    table = pa.table({"repository": ["r"] * 2, "path": ["a.py", "vendor/b.py"],
                      "content": pa.array([content] * 2, pa.large_string())})  # fmt: skip
    plain = annotate(table, RuleFilterConfig()).to_pylist()
    assert [(row["num_secrets"], row["num_emails"], row["redactions"]) for row in plain] == [(0, 0, [])] * 2
    kept, dropped = annotate(table, RuleFilterConfig(redact=("secrets", "emails"))).to_pylist()
    assert (kept["num_secrets"], kept["num_emails"], len(kept["redactions"])) == (1, 1, 2)
    assert (dropped["reason"], dropped["redactions"]) == ("vendored", [])
    file = {"path": "a.py", "language": "Python", "content": content, "repository": "r", "revision": "", "license": "",
            "file_id": "f", "redactions": kept["redactions"]}  # fmt: skip
    found = document([file, file])
    assert found["text"].decode() == "# a.py\n# é name@example.com\nKEY = 'GITHUB_TOKEN'\n" * 2
    assert found["file_offsets"] == [0, found["size_bytes"] // 2]
