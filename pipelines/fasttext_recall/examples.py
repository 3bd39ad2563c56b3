"""The first half of a round: which pages are examples of what, a sample of them, and the classifier trained on it."""

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from pipelines import rows, storage
from pipelines.fasttext_recall import classifier, domains, features, ranking, rounds
from pipelines.fasttext_recall.classifier import OTHER, TOPICS
from pipelines.fasttext_recall.rounds import Run
from pipelines.rows import RowGroup
from pipelines.stage import Output

EXAMPLE = pa.schema(
    [
        pa.field("label", pa.string(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),  # random, but of the page alone: decides the sample and its order
        pa.field("text", pa.large_string(), nullable=False),
    ]
)
Labelled = Iterator[tuple[RowGroup, list[str]]]


def labeller(run: Run, number: int) -> Callable[[str], Labelled]:
    """A function from a shard to its row groups, each with a label per page: a topic for a seed, `other`, or nothing.

    Seeds are the pages under the configured prefixes; each round adds the marked pages that the round before has not
    collected. What it has collected without being a seed is no example of anything.
    """
    if number == 1:
        prefixes = run.config.seeds.by_domain()
        return lambda shard: (
            (group, [domains.topic_of(*address, prefixes) or OTHER for address in _addresses(group)])
            for group in _groups(run, shard)
        )
    marks = domains.Marks.of(run.config.marked, rounds.read(run, number - 1, "related.parquet"))
    cutoffs = rounds.result(run, number - 1)["cutoffs"]

    def labelled(shard: str) -> Labelled:
        before = rounds.tables(run, number - 1, "scores", shard, ranking.SCORED.names)
        for group, scored in zip(_groups(run, shard), before, strict=True):
            known = zip(scored.column("seed_topic").to_pylist(), ranking.collected(scored, cutoffs), strict=True)
            yield (
                group,
                [
                    seed or ("" if topic else marks.topic(*address) or OTHER)
                    for address, (seed, topic) in zip(_addresses(group), known, strict=True)
                ],
            )

    return labelled


def _groups(run: Run, shard: str) -> Iterator[RowGroup]:
    return (group for group in rows.row_groups(run, shard) if len(group.table))


def _addresses(group: RowGroup) -> Iterator[tuple[str, str]]:
    return zip(group.table.column("url").to_pylist(), group.table.column("domain").to_pylist(), strict=True)


def write(run: Run, number: int) -> Callable[[str], Iterator[Output]]:
    """Writes a shard's share of the examples: of each label, the pages with the smallest keys."""
    labelled = labeller(run, number)
    quota = -(-run.config.max_examples // len(run.shards))

    def tables(shard: str) -> Iterator[Output]:
        best: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for group, labels in labelled(shard):
            for label, found in _smallest(group, labels, quota, run.config).items():
                best[label] = heapq.nsmallest(quota, best[label] + found)
        chosen = [{"label": label, "key": key, "text": text} for label in sorted(best) for key, text in best[label]]
        yield f"round-{number}/examples", pa.Table.from_pylist(chosen, EXAMPLE)

    return tables


def _smallest(
    group: RowGroup, labels: list[str], quota: int, config: rounds.FasttextRecallConfig
) -> dict[str, list[tuple[int, str]]]:
    """Label -> (key, text) of the pages of one row group with the smallest keys."""
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, (page_id, label) in enumerate(zip(group.table.column("page_id").to_pylist(), labels, strict=True)):
        if label:
            places[label].append((_key(page_id, config.random_seed), place))
    texts = group.table.column("content")
    return {
        label: [(key, texts[place].as_py()[: config.max_chars]) for key, place in heapq.nsmallest(quota, found)]
        for label, found in places.items()
    }


def _key(page_id: str, random_seed: int) -> int:
    key = str(random_seed).encode()
    return int.from_bytes(hashlib.blake2b(page_id.encode(), digest_size=8, key=key).digest(), "big")


def train(run: Run, number: int) -> None:
    """Trains the round's classifier, and in the first round the tokenizer of all rounds."""
    config = run.config
    parts = (part for shard in run.shards for part in rounds.tables(run, number, "examples", shard, EXAMPLE.names))
    chosen = sample([row for part in parts for row in part.to_pylist()], config)
    _check(chosen, config)
    texts, labels = [row["text"] for row in chosen], [row["label"] for row in chosen]
    if number == 1:
        made = features.train_tokenizer(texts, config.vocab_size)
        with storage.replacing(run.path(classifier.TOKENIZER)) as stream:
            stream.write(made.to_str().encode())
    tokenizer = classifier.load_tokenizer(run.path(classifier.TOKENIZER))
    classifier.train(texts, labels, tokenizer, config, rounds.path(run, number, classifier.MODEL))
    storage.write_json(rounds.path(run, number, "examples.json"), dict(sorted(Counter(labels).items())))


def sample(found: list[dict[str, Any]], config: rounds.FasttextRecallConfig) -> list[dict[str, Any]]:
    """At most `max_examples` of each topic, and negatives in proportion, by key: in random order."""
    by_label: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(found, key=_order):
        by_label[row["label"]].append(row)
    positives = [row for topic in TOPICS for row in by_label[topic][: config.max_examples]]
    negatives = by_label[OTHER][: round(config.negatives_per_positive * len(positives))]
    return sorted(positives + negatives, key=_order)


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["key"], row["label"], row["text"]


def _check(chosen: list[dict[str, Any]], config: rounds.FasttextRecallConfig) -> None:
    """ValueError where a topic has prefixes but no page, where no topic has any, or where nothing else is left."""
    labels = {row["label"] for row in chosen}
    asked = {topic for topic in TOPICS if getattr(config.seeds, topic)}
    for topic in sorted(asked - labels):
        prefixes = list(getattr(config.seeds, topic))
        raise ValueError(
            f"[fasttext_recall.seeds] {topic}: no page of the crawl is under any of {prefixes}; expected addresses of "
            "pages in the WARC files, such as 'stackoverflow.com/questions/'"
        )
    if not asked:
        raise ValueError(
            "[fasttext_recall.seeds]: no prefixes for code or math; expected addresses of pages that are about the "
            "topic, such as code = ['stackoverflow.com/questions/']"
        )
    if OTHER not in labels:
        raise ValueError(
            "[fasttext_recall.seeds]: every page of the crawl is a seed, so that there is no example of anything else; "
            "add WARC files with other pages"
        )
