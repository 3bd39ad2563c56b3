"""The annotation of every page, from the scores of the last round."""

from collections.abc import Mapping

import pyarrow as pa

from pipelines import rows
from pipelines.fasttext_recall import ranking, rounds
from pipelines.fasttext_recall.classifier import TOPICS
from pipelines.fasttext_recall.rounds import Run
from pipelines.stage import Kernel


def kernel(run: Run) -> Kernel:
    """A function from a row group of living pages to their verdicts.

    It is not told which shard the pages are of, but the id of the first one says where their scores lie.
    """
    number = rounds.last(run)
    if number == 0:
        return lambda pages: verdicts(ranking.SCORED.empty_table(), dict.fromkeys(TOPICS, 0.0))
    cutoffs = rounds.result(run, number)["cutoffs"]
    groups = rounds.read(run, number, "groups.parquet").to_pylist()
    places = {place["first_page_id"]: (place["shard"], place["group"]) for place in groups}
    assert len(places) == len(groups), "two row groups begin with the same page"

    def annotate(pages: pa.Table) -> pa.Table:
        if not len(pages):
            return verdicts(ranking.SCORED.empty_table(), cutoffs)
        ids = pages.column("page_id")
        shard, group = places[ids[0].as_py()]
        url = rounds.path(run, number, "scores", shard)
        with rows.open_parquet(url) as file:
            scored = rows.read_group(file, url, group, ranking.SCORED.names)
        assert scored.column("page_id").equals(ids), f"{url}: row group {group} is of other pages"
        return verdicts(scored, cutoffs)

    return annotate


def verdicts(scored: pa.Table, cutoffs: Mapping[str, float]) -> pa.Table:
    """Scores to `reason`, `detail` and what the annotation holds besides."""
    topics = ranking.collected(scored, cutoffs)
    scores = list(zip(*(scored.column(f"{topic}_score").to_pylist() for topic in TOPICS), strict=True))
    details = ["" if topic else _detail(row, cutoffs) for topic, row in zip(topics, scores, strict=True)]
    return pa.table(
        {
            "reason": pa.array([None if topic else "not_recalled" for topic in topics], pa.string()),
            "detail": pa.array(details, pa.string()),
            "topic": pa.array(topics, pa.string()),
            **{f"{topic}_score": scored.column(f"{topic}_score") for topic in TOPICS},
            "is_seed": pa.array([bool(topic) for topic in scored.column("seed_topic").to_pylist()], pa.bool_()),
        }
    )


def _detail(scores: tuple[float, ...], cutoffs: Mapping[str, float]) -> str:
    """The topic that came nearest: `code 0.231 < 0.500`."""
    gap, score, topic = max((score - cutoffs[topic], score, topic) for score, topic in zip(scores, TOPICS, strict=True))
    return f"{topic} {score:.3f} < {score - gap:.3f}"
