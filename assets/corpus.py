"""The corpus, as the method section of the paper has it: one line per stage."""

from assets.stage_asset import stage_asset
from pipelines.crawl.stage import STAGE as CRAWL
from pipelines.dependency_graph.stage import STAGE as DEPENDENCY_GRAPH
from pipelines.fasttext_recall.stage import STAGE as FASTTEXT_RECALL
from pipelines.ngram_decontamination.stage import STAGE as NGRAM_DECONTAMINATION
from pipelines.page_dedup.stage import STAGE as PAGE_DEDUP
from pipelines.parquet_shards.stage import STAGE as PARQUET_SHARDS
from pipelines.quality_screen.stage import STAGE as QUALITY_SCREEN
from pipelines.repo_dedup.stage import STAGE as REPO_DEDUP
from pipelines.rule_filter.stage import STAGE as RULE_FILTER
from pipelines.token_sequences.stage import STAGE as TOKEN_SEQUENCES
from pipelines.topological_sort.stage import STAGE as TOPOLOGICAL_SORT
from pipelines.web_crawl.stage import STAGE as WEB_CRAWL

# DeepSeek-Coder section 2: from repositories to documents whose files stand in the order of their dependencies.
crawl = stage_asset(CRAWL, "repositories")  # 2.1 the text, written once
rule_filter = stage_asset(RULE_FILTER, "repositories")  # 2.1 line lengths, letters, XML, HTML, JSON and YAML
dependency_graph = stage_asset(DEPENDENCY_GRAPH, "repositories")  # 2.2 imports, resolved to files
topological_sort = stage_asset(TOPOLOGICAL_SORT, "repositories")  # 2.2 algorithm 1: dependencies first
repo_dedup = stage_asset(REPO_DEDUP, "repositories")  # 2.3 whole repositories, so no structure breaks
quality_screen = stage_asset(QUALITY_SCREEN, "repositories")  # 2.4 files that do not parse

# DeepSeekMath section 2.1, DeepSeek-Coder-V2 section 2: code and mathematics recalled from the web.
web_crawl = stage_asset(WEB_CRAWL, "web")  # the visible text of WARC records
page_dedup = stage_asset(PAGE_DEDUP, "web")  # one page for each address and each text
fasttext_recall = stage_asset(FASTTEXT_RECALL, "web")  # seeds, classifier, domains

# DeepSeek-Coder sections 2.4 and 3.1: what the model is trained on.
ngram_decontamination = stage_asset(NGRAM_DECONTAMINATION, "corpus", "benchmark_tasks")  # 2.4 no shared 10-gram
parquet_shards = stage_asset(PARQUET_SHARDS, "corpus")  # documents; train and validation by repository
token_sequences = stage_asset(TOKEN_SEQUENCES, "corpus")  # 3.1 byte-level BPE, fill in the middle, packing

CORPUS = [
    crawl, rule_filter, dependency_graph, topological_sort, repo_dedup, quality_screen, web_crawl, page_dedup,
    fasttext_recall, ngram_decontamination, parquet_shards, token_sequences,
]  # fmt: skip
