"""Each rule: the smallest file that violates it, and the nearest that does not."""

from math import isnan

import pyarrow as pa
import pytest

from pipelines import config
from pipelines.rule_filter.by_language import OFF
from pipelines.rule_filter.html import visible_text_chars
from pipelines.rule_filter.rules import REASONS, RuleFilterConfig
from pipelines.rule_filter.stage import STAGE, annotate


def verdict(path: str, content: str, **settings: object) -> tuple[str | None, str]:
    """(reason, detail) of one file."""
    table = pa.table({"repository": ["r"], "path": [path], "content": pa.array([content], pa.large_string())})
    found = annotate(table, RuleFilterConfig(**settings))
    return found.column("reason")[0].as_py(), found.column("detail")[0].as_py()


KEPT = (None, "")
XML = "<?xml version='1.0'?>"


def page(visible: int, size: int) -> str:
    """HTML of `size` characters, `visible` of which a reader sees."""
    text = "<p>" + "a" * visible + "</p>"
    head = "<style></style>"
    return f"<style>{'b' * (size - len(text) - len(head) - size // 50)}</style>" + "\n" * (size // 50) + text


def lines(*lengths: int) -> str:
    return "\n".join("a" * length for length in lengths)


BASE64 = "z1" * 31 + "z\n"
TABLE = "0xaf, 0xfa, " * 6 + "0xafff,\n"
WORDS = ("zy " * 20 + "\n") * 50
VIOLATED_AND_NEAREST = [
    ("language", "a.unknown", "abc", "unknown is not among the 89 languages", "a.py", "abc"),
    ("language", "a.md", "abc", "Markdown is not among the 89 languages", "a.rmd", "abc"),
    ("lock_file", "a/package-lock.json", "a" * 50, "package-lock.json", "a/package-locks.json", "a" * 50),
    ("minified", "a.min.js", "abc", "a.min.js", "amin.js", "abc"),
    ("generated", "a/node_modules/b.js", "abc", "/node_modules/ in its path", "a/modules/b.js", "abc"),
    ("generated", "a_pb2.py", "abc", "_pb2.py in its path", "a_pb.py", "abc"),
    ("vendored", "third_party/a.c", "abc", "third_party/ in its path", "third/a.c", "abc"),
    ("vendored", "a/vendor/b.py", "abc", "/vendor/ in its path", "a/vendors.py", "abc"),
    ("line_length_mean", "a.py", lines(100, 101), "100.5 > 100", "a.py", lines(100, 100)),
    ("line_length_mean", "a.py", "中" * 101, "101 > 100", "a.py", "中" * 100),
    ("line_length_mean", "a.py", lines(*[100] * 2999, 101), "100.00033333333333 > 100", "a.py", lines(100)),
    ("line_length_max", "a.py", lines(1001, *[1] * 20), "1001 > 1000", "a.py", lines(1000, *[1] * 20)),
    ("alphabetic_share", "a.py", "abc1234567890", "0.231 < 0.25", "a.py", "abc123456789"),
    ("encoded_run_chars", "a.py", WORDS + " " + BASE64 * 16 + "a", "1025 > 1024", "a.py", WORDS + " " + BASE64 * 16),
    ("encoded_data_share", "a.c", BASE64 + " " * 63, "0.504 > 0.5", "a.c", BASE64 + " " * 64),
    ("number_list_share", "a.c", TABLE + "zy" * 17, "0.702 > 0.7", "a.c", TABLE + "zy" * 18),
    ("xml_header", "a.py", "a" * 86 + "<?xml version=", "`<?xml version=` in the first 100 characters",
     "a.py", "a" * 86 + "\n<?xml version="),
    ("xml_header", "a.html", XML + page(500, 1000), "`<?xml version=` in the first 100 characters", "a.xsl", XML + "a"),
    ("html_visible_share", "a.html", page(199, 1000), "0.199 < 0.2", "a.html", page(200, 1000)),
    ("html_visible_text", "a.html", page(99, 200), "99 < 100", "a.html", page(100, 200)),
    ("data_size", "a.json", "a" * 49, "49 < 50", "a.json", "a" * 50),
    ("data_size", "a.yml", lines(*[49] * 100) + "a\n", "5001 > 5000", "a.yml", lines(*[49] * 100) + "\n"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "path", "content", "detail", "near_path", "near_content"), VIOLATED_AND_NEAREST)
def test_the_smallest_violation_and_the_nearest_file_that_is_kept(
    reason, path, content, detail, near_path, near_content
):
    assert verdict(path, content) == (reason, detail)
    assert verdict(near_path, near_content) == KEPT


def test_every_reason_has_a_case():
    assert {case[0] for case in VIOLATED_AND_NEAREST} == set(REASONS) == set(STAGE.reasons)


def test_the_defaults_are_those_of_the_paper():
    found = RuleFilterConfig().model_dump(exclude={"languages", "drop_foreign", "by_language", "redact"})
    assert found == {
        "max_line_length_mean": 100.0,
        "max_line_length": 1000,
        "min_alphabetic_share": 0.25,
        "max_encoded_run_chars": 1024,
        "max_encoded_data_share": 0.5,
        "max_number_list_share": 0.7,
        "xml_header_chars": 100,
        "min_visible_text_share": 0,
        "min_visible_text_chars": 0,
        "min_chars": 0,
        "max_chars": OFF,
    }
    assert RuleFilterConfig().by_language == {
        "HTML": {"min_visible_text_share": 0.2, "min_visible_text_chars": 100},
        "JSON": {"min_chars": 50, "max_chars": 5000},
        "XSLT": {"xml_header_chars": 0},
        "YAML": {"min_chars": 50, "max_chars": 5000},
    }


def test_the_first_violated_rule_is_the_reason():
    assert verdict("a.json", "1" * 1001)[0] == "line_length_mean"
    assert verdict("a.json", "1" * 10)[0] == "alphabetic_share"
    assert verdict("a.json", "a" * 10)[0] == "data_size"


@pytest.mark.parametrize(
    ("settings", "path", "content", "reason"),
    [
        ({"languages": ("C",)}, "a.py", "abc", "language"),
        ({"languages": ("C",)}, "a.c", "abc", None),
        ({"drop_foreign": False}, "vendor/a.py", "abc", None),
        ({"max_line_length_mean": 2.5}, "a.py", lines(2, 3), None),
        ({"max_line_length_mean": 2.4}, "a.py", lines(2, 3), "line_length_mean"),
        ({"max_line_length": 2}, "a.py", lines(2, 3), "line_length_max"),
        ({"min_alphabetic_share": 0.0}, "a.py", "1", None),
        ({"xml_header_chars": 0}, "a.py", XML + "abcdefghij", None),
        ({"max_encoded_run_chars": 64}, "a.py", BASE64 + "b" + WORDS, "encoded_run_chars"),
        ({"max_encoded_data_share": 1}, "a.py", BASE64, None),
        ({"max_number_list_share": 0}, "a.py", TABLE + WORDS, "number_list_share"),
        ({"min_chars": 4}, "a.py", "abc", "data_size"),
        ({"by_language": {"Python": {"max_chars": 2}}}, "a.py", "abc", "data_size"),
        ({"by_language": {"Python": {"max_chars": 2}}}, "a.c", "abc", None),
        ({"by_language": {"HTML": {"min_visible_text_share": 0.5}}}, "a.html", page(499, 1000), "html_visible_share"),
        ({"by_language": {"HTML": {"min_visible_text_chars": 101}}}, "a.html", page(100, 200), "html_visible_text"),
        ({"by_language": {"JSON": {"min_chars": 3}}}, "a.json", "abc", None),
        ({"by_language": {"JSON": {"max_chars": 51}}}, "a.json", "a" * 52, "data_size"),
        ({"by_language": {"JSON": {"max_chars": 51}}}, "a.json", "a" * 49, "data_size"),
    ],
)
def test_every_threshold_can_be_set(settings, path, content, reason):
    assert verdict(path, content, **settings)[0] == reason


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("min_alphabetic_share", 1.5, "got 1.5; Input should be less than or equal to 1"),
        ("max_line_length", "long", "got 'long'; Input should be a valid integer"),
        ("max_lines", 5, "unknown key"),
        ("by_language", {"JSON": {"max_lines": 5}}, "max_lines"),
        ("by_language", {"Jason": {"max_chars": 5}}, "no language is called 'Jason'"),
        (
            "languages",
            ["C", "Pyhton"],
            "no language is called 'Pyhton'; expected a preset (deepseek-coder, deepseek-coder-v2) or a language by "
            "GitHub Linguist's name, such as Python",
        ),
    ],
)
def test_a_bad_setting_is_refused(key, value, problem):
    with pytest.raises(ValueError, match=r"config table \[rule_filter\]:") as refused:
        config.parse(RuleFilterConfig, {key: value}, "rule_filter")
    line = str(refused.value).splitlines()[1]
    assert line.startswith(f"  {key}")
    assert problem in line
    assert str(refused.value).endswith(
        "known keys of [rule_filter]: by_language, max_line_length_mean, max_line_length, min_alphabetic_share, "
        "max_encoded_run_chars, max_encoded_data_share, max_number_list_share, xml_header_chars, "
        "min_visible_text_share, min_visible_text_chars, min_chars, max_chars, languages, drop_foreign, redact"
    )


@pytest.mark.parametrize(
    ("html", "visible"),
    [
        ("", 0),
        ("plain", 5),
        ("<p>one</p><p>two</p>", len("one two")),
        ("<p>a  \n b</p>", len("a b")),
        ("<p>a &amp; &#20013;</p>", len("a & 中")),
        ("<b>a</b><i>b</i>", len("ab")),
        ("<head><title>t</title><style>p {}</style></head><script>f()</script><!-- c -->x", 1),
        ("<body><noscript>no</noscript><template>t</template><img alt='a picture'><input value='v'>x", 1),
        ("<p style='display: none'>h</p>x", len("h x")),
        ("<p>never closed <b>at <i>all", len("never closed at all")),
        ("<" * 1000, None),
        ("<div>" * 20_000 + "x", 1),
    ],
)
def test_visible_text(html, visible):
    found = visible_text_chars(html)
    assert found == visible if visible is not None else 0 <= found <= len(html)


def test_the_annotation_says_what_was_measured():
    table = pa.table(
        {
            "repository": ["r"] * 2,
            "path": ["a.py", "b.html"],
            "content": pa.array(["ab\n1\n", page(100, 200)], pa.large_string()),
        }
    )
    found = annotate(table, RuleFilterConfig()).to_pylist()
    assert isnan(found[0].pop("visible_text_chars"))
    assert isnan(found[0].pop("visible_text_share"))
    assert found[0] == {
        "reason": None, "detail": "", "language": "Python", "num_chars": 5, "num_lines": 2, "line_length_mean": 1.5,
        "line_length_max": 2, "alphabetic_share": 0.4, "encoded_run_chars": 0, "encoded_data_share": 0,
        "number_list_share": 0, "num_secrets": 0, "num_emails": 0, "redactions": [],
    }  # fmt: skip
    assert (found[1]["language"], found[1]["visible_text_chars"], found[1]["num_chars"]) == ("HTML", 100, 200)
    assert found[1]["visible_text_share"] == 0.5
