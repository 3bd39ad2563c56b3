"""The second half of a round: scores of all pages, the ranking, and what it says about domains."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from pipelines import rows, storage
from pipelines.fasttext_recall import classifier, domains, examples, ranking, rounds
from pipelines.fasttext_recall.classifier import TOPICS, Classifier
from pipelines.fasttext_recall.rounds import Run
from pipelines.stage import Output

GROUP = pa.schema([("first_page_id", pa.string()), ("shard", pa.string()), ("group", pa.int32())])


def score(run: Run, number: int) -> Callable[[str], Iterator[Output]]:
    """Writes the scores of a shard's living pages."""
    labelled = examples.labeller(run, number)
    model = Classifier(rounds.path(run, number, classifier.MODEL), run.path(classifier.TOKENIZER), run.config.max_chars)

    def tables(shard: str) -> Iterator[Output]:
        for group, labels in labelled(shard):
            found = model.scores(group.table.column("content").to_pylist())
            columns = [
                group.table.column("page_id"),
                group.table.column("domain"),
                pa.array([domains.section(url) for url in group.table.column("url").to_pylist()], pa.string()),
                pa.array([label if label in TOPICS else "" for label in labels], pa.string()),
                *(pa.array(found[:, column]) for column in range(len(TOPICS))),
            ]
            yield f"round-{number}/scores", pa.Table.from_arrays(columns, schema=ranking.SCORED)

    return tables


def rank(run: Run, number: int) -> None:
    """Sets the cutoffs, counts what was collected, and says how much of it the round before had."""
    ranked = ranking.Ranking()
    groups: list[dict[str, Any]] = []
    for shard in run.shards:
        for group, table in enumerate(_scored(run, number, shard)):
            ranked.add(table)
            groups.append({"first_page_id": table.column("page_id")[0].as_py(), "shard": shard, "group": group})
    rounds.write(run, number, "groups.parquet", pa.Table.from_pylist(groups, GROUP))
    cutoffs = ranked.cutoffs(run.config.min_score, run.config.max_share)
    topics = Counter(topic for part in _collected(run, number, cutoffs) for topic in part)
    found = {
        "cutoffs": cutoffs,
        "num_pages": topics.total(),
        "num_collected": {topic: topics[topic] for topic in TOPICS},
        "share_known": _share_known(run, number, cutoffs),
    }
    storage.write_json(rounds.path(run, number, "result.json"), found)


def _share_known(run: Run, number: int, cutoffs: dict[str, float]) -> float:
    if number == 1:
        return 0.0
    before = rounds.result(run, number - 1)["cutoffs"]
    return ranking.share_known(_collected(run, number, cutoffs), _collected(run, number - 1, before))


def _scored(run: Run, number: int, shard: str) -> Iterator[pa.Table]:
    return rounds.tables(run, number, "scores", shard, ranking.SCORED.names)


def _collected(run: Run, number: int, cutoffs: dict[str, float]) -> Iterator[list[str]]:
    """The topic of every living page, row group by row group; empty where the round did not collect it."""
    return (ranking.collected(table, cutoffs) for shard in run.shards for table in _scored(run, number, shard))


def domain_counts(run: Run, number: int, shard: str) -> dict[tuple[str, str], domains.Counts]:
    """(domain, section) -> pages of one shard, and how many of them were collected."""
    cutoffs = rounds.result(run, number)["cutoffs"]
    table = pa.concat_tables([ranking.SCORED.empty_table(), *_scored(run, number, shard)])
    names = [table.column(name).to_pylist() for name in ("domain", "section")]
    return domains.count(names[0], names[1], ranking.collected(table, cutoffs))


def relate(run: Run, number: int) -> None:
    """Finds the related domains, and in them the sections to take seeds from."""
    folder = rounds.path(run, number, "domains")
    names = domains.COUNTED.names
    parts = [part for name in storage.names(folder) for part in rows.tables(f"{folder}/{name}", names)]
    counted = pa.concat_tables([domains.COUNTED.empty_table(), *parts])
    found = domains.related(counted, run.config.related_share, run.config.section_share)
    rounds.write(run, number, "related.parquet", found)
