"""Cutoffs and what lies above them."""

import pyarrow as pa
import pytest

from pipelines.fasttext_recall import ranking, verdict


def scored(*rows):
    """A table of (seed topic, code score, math score)."""
    names = ("seed_topic", "code_score", "math_score")
    found = [
        {"page_id": f"{i}", "domain": "a", "section": "", **dict(zip(names, row, strict=True))}
        for i, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(found, ranking.SCORED)


TEN = scored(*(("", number / 10, 0.05) for number in range(10)))


@pytest.mark.parametrize(
    ("min_score", "max_share", "code", "math"),
    [
        (0.5, 1.0, 0.5, 0.5),
        (0.0, 1.0, 0.0, 0.0),
        (0.0, 0.3, 0.6001, 0.0501),  # the cutoff lies just above the best page that may not be collected
        (0.85, 0.3, 0.85, 0.85),
        (0.0, 0.0, 0.9001, 0.0501),
    ],
)
def test_cutoffs(min_score, max_share, code, math):
    ranked = ranking.Ranking()
    for part in (TEN.slice(0, 4), TEN.slice(4)):  # row group by row group
        ranked.add(part)
    found = ranked.cutoffs(min_score, max_share)
    assert found == {"code": pytest.approx(code), "math": pytest.approx(math)}
    kept = [topic for topic in ranking.collected(TEN, found) if topic == "code"]
    assert len(kept) <= max_share * 10


@pytest.mark.parametrize(
    ("what", "row", "topic"),
    [
        ("above", ("", 0.5, 0.0), "code"),
        ("below", ("", 0.49, 0.0), ""),
        ("the higher score", ("", 0.6, 0.7), "math"),
        ("only one is above its own cutoff", ("", 0.55, 0.58), "code"),
        ("equal scores", ("", 0.8, 0.8), "code"),
        ("a seed stays what it was declared", ("math", 0.9, 0.0), "math"),
        ("a seed with no score", ("code", 0.0, 0.0), "code"),
        ("the highest score", ("", 0.0, 1.0), "math"),
    ],
)
def test_collected(what, row, topic):
    assert ranking.collected(scored(row), {"code": 0.5, "math": 0.6}) == [topic]


def test_share_known():
    assert ranking.share_known([["code", ""], ["math", "code"]], [["code", "code"], ["", "math"]]) == pytest.approx(
        2 / 3
    )
    assert ranking.share_known([["", ""]], [["code", ""]]) == 1.0


def test_verdicts():
    found = verdict.verdicts(scored(("", 0.1, 0.55), ("code", 0.9, 0.0), ("", 0.45, 0.05)), {"code": 0.5, "math": 0.6})
    assert found.select(["reason", "detail", "topic", "is_seed"]).to_pylist() == [
        {"reason": "not_recalled", "detail": "math 0.550 < 0.600", "topic": "", "is_seed": False},
        {"reason": None, "detail": "", "topic": "code", "is_seed": True},
        {"reason": "not_recalled", "detail": "code 0.450 < 0.500", "topic": "", "is_seed": False},
    ]
