"""The stages of the data half, in order. Each name is also a folder here, an asset, a config table and an output."""

FLOW = (
    "crawl",
    "rule_filter",
    "dependency_graph",
    "topological_sort",
    "repo_dedup",
    "quality_screen",
    "web_crawl",
    "fasttext_recall",
    "ngram_decontamination",
    "parquet_shards",
    "token_sequences",
)
# Tables of a run's configuration that belong to the other half.
DOWNSTREAM = ("pretrain", "evaluation")
