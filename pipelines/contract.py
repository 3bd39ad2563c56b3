"""The names of the stages, and the tables that they hand to one another. Needs pyarrow only.

A *text table* (FILE, PAGE) is written once. Every stage after it writes an *annotation* beside each of
its shards: same name, same number of rows, same order. `docs/data_contract.md` is generated from here.
"""

import hashlib
import json
from collections.abc import Iterator

import pyarrow as pa

# The stages of the data half, in order. A name is also that of a folder, an asset, a config table and an output.
FLOW = (
    "crawl",
    "rule_filter",
    "dependency_graph",
    "topological_sort",
    "repo_dedup",
    "quality_screen",
    "web_crawl",
    "page_dedup",
    "fasttext_recall",
    "ngram_decontamination",
    "parquet_shards",
    "token_sequences",
)
# Tables of a run's configuration that belong to the other half.
DOWNSTREAM = ("pretrain", "evaluation", "ablations")


def field(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False, limit: str = "") -> pa.Field:
    """A column. `limit` names the settings of its stage that bound it, from above (`max_...`) or below (`min_...`)."""
    metadata = {"meaning": meaning} | ({"limit": limit} if limit else {})
    return pa.field(name, kind, nullable=nullable, metadata=metadata)


def table(meaning: str, *fields: pa.Field) -> pa.Schema:
    return pa.schema(fields, metadata={"meaning": meaning})


REASON = field("reason", pa.string(), "why this stage dropped the row; null where it did not", nullable=True)
DETAIL = field("detail", pa.string(), "what was measured against which limit, as in `1500 > 1000`; empty where kept")

FILE = table(
    "One file of a repository. Rows are sorted by (repository, path); a repository lies in one row group. "
    "Shards are named files-00003-of-00016.parquet.",
    field("file_id", pa.string(), "20 hex digits: BLAKE2b-80 of repository, revision and path"),
    field("repository", pa.string(), "name of the repository, unique in a run, as in `owner/name`"),
    field("revision", pa.string(), "commit, or release version; empty where the source has neither"),
    field("path", pa.string(), "path inside the repository, with `/`"),
    field("license", pa.string(), "SPDX expression, as its source or else its own files state it; empty where unknown"),
    field("num_stars", pa.int32(), "stars of the repository at its host; 0 where unknown"),
    field("size_bytes", pa.int64(), "size of the file as it was found, before decoding"),
    field("encoding", pa.string(), "what the text was decoded from, as in `utf-8` or `gb18030`; empty where dropped"),
    field("content", pa.large_string(), "the text; empty where the crawl dropped the file"),
    REASON,
    DETAIL,
)

REPOSITORY = table(
    "One repository of a crawl, readable or not.",
    field("repository", pa.string(), "name of the repository, unique in a run"),
    field("revision", pa.string(), "commit, or release version; empty where the source has neither"),
    field("license", pa.string(), "SPDX expression; empty where unknown"),
    field("num_stars", pa.int32(), "stars at its host; 0 where unknown"),
    field("location", pa.string(), "where its source finds it"),
    field("source", pa.int32(), "number of the source in the configuration, from 0"),
    field("shard", pa.int32(), "number of the shard that its files are in"),
    field("key", pa.string(), "20 hex digits for all that decides its rows; empty where every crawl reads it again"),
    field("reason", pa.string(), "`empty_repository` or `unreadable_repository`; null where readable", nullable=True),
    field("detail", pa.string(), "what the source said; empty where readable"),
    field("default_branch", pa.string(), "name of its default branch at its host; empty where unknown"),
    field("fork_of", pa.string(), "the repository that it is a fork of, as its host says; empty where none"),
    field("topics", pa.list_(pa.string()), "what its owners file it under at its host"),
    field("created_at", pa.string(), "when it was made at its host, ISO 8601, UTC; empty where unknown"),
)

PAGE = table(
    "One web page. Rows are in the order of the WARC records. Shards are named pages-00000-of-00001.parquet.",
    field("page_id", pa.string(), "20 hex digits: BLAKE2b-80 of the URL and the fetch time"),
    field("url", pa.string(), "address as it was fetched"),
    field("domain", pa.string(), "host name of the URL, lower case, without a leading `www.`"),
    field("fetched_at", pa.string(), "time of the fetch, ISO 8601, UTC"),
    field("size_bytes", pa.int64(), "size of the record's body as it was found"),
    field("content", pa.large_string(), "the visible text; empty where the crawl dropped the page"),
    REASON,
    DETAIL,
)


def annotation(meaning: str, *measured: pa.Field) -> pa.Schema:
    """The schema of a stage's annotation: row i is about row i of the text shard of the same name."""
    return table(
        meaning,
        field("row_id", pa.string(), "the file_id or page_id of the row"),
        field("measured", pa.bool_(), "whether this stage saw the row: false where an earlier stage had dropped it"),
        REASON,
        DETAIL,
        *measured,
    )


REDACTION = pa.struct([
    pa.field("kind", pa.string(), nullable=False),
    pa.field("start", pa.int64(), nullable=False),
    pa.field("end", pa.int64(), nullable=False),
])  # fmt: skip
RULE_FILTER = annotation(
    "What the rules of DeepSeek-Coder section 2.1 and of StarCoder2 (encoded data) measured on a file.",
    field("language", pa.string(), "programming language, in GitHub Linguist's spelling; empty where not known"),
    field("num_chars", pa.int64(), "length of the text in Unicode scalars", limit="min_chars max_chars"),
    field("num_lines", pa.int32(), "number of lines"),
    field("line_length_mean", pa.float32(), "mean length of a line, in characters", limit="max_line_length_mean"),
    field("line_length_max", pa.int32(), "length of the longest line, in characters", limit="max_line_length"),
    field("alphabetic_share", pa.float32(), "share of the characters that are letters", limit="min_alphabetic_share"),
    field("encoded_run_chars", pa.int64(), "length of the longest run of base64, hex or escapes, from 64 on",
          limit="max_encoded_run_chars"),
    field("encoded_data_share", pa.float32(), "share of the characters in such runs", limit="max_encoded_data_share"),
    field("number_list_share", pa.float32(), "share of the characters in lists of numbers, hex tables among them",
          limit="max_number_list_share"),
    field("visible_text_chars", pa.float32(), "HTML: length of the text that a reader sees; NaN elsewhere",
          limit="min_visible_text_chars"),
    field("visible_text_share", pa.float32(), "HTML: that as a share of the text; NaN elsewhere",
          limit="min_visible_text_share"),
    field("num_secrets", pa.int32(), "places of secrets that are redacted; 0 where that was not asked for"),
    field("num_emails", pa.int32(), "places of e-mail addresses that are redacted; 0 where that was not asked for"),
    field("redactions", pa.list_(REDACTION), "bytes of the content, by place, that the document has a placeholder for"),
)  # fmt: skip

DEPENDENCY_GRAPH = annotation(
    "Which files of its repository a file depends on (DeepSeek-Coder section 2.2).",
    field("dependencies", pa.list_(pa.int32()), "rows of this shard that the file depends on, ascending"),
    field("imported_as", pa.list_(pa.string()), "for each of them, the import or name that leads there, as written"),
    field("num_imports", pa.int32(), "number of imports found"),
    field("num_resolved", pa.int32(), "how many of them are files of the repository"),
    field("unresolved", pa.list_(pa.string()), "imports that are no file of the repository: external or broken"),
)

TOPOLOGICAL_SORT = annotation(
    "Where a file stands in its training sample (DeepSeek-Coder algorithm 1).",
    field("sample", pa.int32(), "the smallest row of the sample, which is a connected subgraph of its repository"),
    field("position", pa.int32(), "place in the sample, from 0: dependencies come first"),
    field("num_back_edges", pa.int32(), "dependencies that come after the file, because they lie on a cycle with it"),
)

REPO_DEDUP = annotation(
    "Duplicates among whole repositories (DeepSeek-Coder section 2.3), and among single files of those that stay.",
    field("keeper", pa.string(), "what is kept instead: a repository, or the file_id of a file; empty where kept"),
    field("similarity", pa.float32(), "Jaccard similarity to the keeper, 1 for a copy to the byte; 0 where kept"),
)

QUALITY_SCREEN = annotation(
    "Whether a file compiles, and how well it reads (DeepSeek-Coder section 2.4).",
    field("syntax_error_share", pa.float32(), "share of the bytes that lie inside syntax errors; 0 without a grammar",
          limit="max_syntax_error_share"),
    field("num_syntax_errors", pa.int32(), "number of syntax errors, missing tokens among them"),
    field("compile_error", pa.string(), "Python: what its compiler says against the file; empty where nothing"),
    field("generated_by", pa.string(), "the phrase in the first lines that says that a program wrote the file"),
    field("comment_share", pa.float32(), "share of the bytes that are comments or docstrings",
          limit="max_comment_share"),
    field("docstring_share", pa.float32(), "share of the bytes that are docstrings"),
    field("duplicate_line_share", pa.float32(), "share of the bytes in lines that stand earlier in the file, too",
          limit="max_duplicate_line_share"),
    field("literal_run_bytes", pa.int32(), "most bytes of strings and numbers that no name or keyword interrupts",
          limit="max_literal_run_bytes"),
    field("num_identifiers", pa.int32(), "number of different names and keywords in the code"),
    field("identifier_length_mean", pa.float32(), "mean bytes of the different names and keywords; NaN below 50",
          limit="min_identifier_length_mean"),
    field("identifier_entropy", pa.float32(), "entropy of the bytes of these, in bits; NaN below 50",
          limit="min_identifier_entropy"),
    field("function_lines_max", pa.int32(), "lines of the longest function, inner ones left out; 0 below ten",
          limit="max_function_lines"),
    field("stub_share", pa.float32(), "share of the lines with TODO or its like, or of `pass` and `...` alone",
          limit="max_stub_share"),
    field("notebook_output_share", pa.float32(), "notebooks: share of the bytes that are outputs; 0 elsewhere",
          limit="max_notebook_output_share"),
    field("repository_test_share", pa.float32(), "share of the bytes of the file's repository that are tests",
          limit="max_repository_test_share"),
    field("quality_score", pa.float32(), "what the quality model says, 0 to 1; 0 without a model",
          limit="min_quality_score"),
)  # fmt: skip

PAGE_DEDUP = annotation(
    "Duplicates among web pages: the same address, the same text, or nearly the same text (DeepSeekMath section 2.1).",
    field("keeper", pa.string(), "the page_id of the page that is kept instead; empty where kept"),
    field("similarity", pa.float32(), "Jaccard similarity to the keeper, 1 for the same address or text; 0 where kept"),
)

FASTTEXT_RECALL = annotation(
    "Whether a page is about code or mathematics (DeepSeekMath section 2.1, DeepSeek-Coder-V2 section 2).",
    field("topic", pa.string(), "`code` or `math`, whichever scored higher; empty where neither was recalled"),
    field("code_score", pa.float32(), "probability of code, 0 to 1"),
    field("math_score", pa.float32(), "probability of mathematics, 0 to 1"),
    field("is_seed", pa.bool_(), "whether the page trained the classifier as a positive example"),
)

NGRAM_DECONTAMINATION = annotation(
    "Text that a row shares with a benchmark (DeepSeek-Coder section 2.4).",
    field("benchmark", pa.string(), "the benchmark that the row shares text with; empty where none"),
    field("task_id", pa.string(), "the task of that benchmark; empty where none"),
    field("ngram", pa.string(), "a shared n-gram, normalised, also where it may be kept; empty where none"),
    field("place_bytes", pa.int64(), "where that n-gram begins in the content, in UTF-8 bytes; 0 where none"),
    field("num_ngrams", pa.int32(), "how many different n-grams the row shares with benchmarks"),
)

DOCUMENT = table(
    "One training document: the files of a connected subgraph in dependency order, or a web page.",
    field("document_id", pa.string(), "20 hex digits: BLAKE2b-80 of the text"),
    field("source", pa.string(), "one of `SOURCES`: what the mixture tells apart"),
    field("origin", pa.string(), "the repository, or the URL of the page"),
    field("revision", pa.string(), "commit or release of the repository; fetch time of the page"),
    field("language", pa.string(), "language of most of the bytes; empty for a page"),
    field("license", pa.string(), "SPDX expression; empty where unknown"),
    field("paths", pa.list_(pa.string()), "the files in order, dependencies first; the URL for a page"),
    field("file_ids", pa.list_(pa.string()), "file_id of each path, or the page_id"),
    field("file_offsets", pa.list_(pa.int64()), "where each file begins in `text`, in UTF-8 bytes"),
    field("num_files", pa.int32(), "number of files"),
    field(
        "epoch", pa.int32(), "which time the document stands in the corpus, from 0; more than once by the mixture only"
    ),
    field("size_bytes", pa.int64(), "length of `text` in UTF-8 bytes"),
    field("text", pa.large_string(), "the files one after the other, each headed by its path in a comment"),
)

# repository_text: prose of repositories, as Markdown; web_chinese: pages that are mostly Chinese, whatever their topic.
SOURCES = ("repository", "repository_text", "web_code", "web_math", "web_chinese")
SPLITS = ("train", "validation", "test")  # there is a test split where `test_share` asks for one


TOKEN_ID_TYPES = (pa.uint16(), pa.int32())


def token_id_type(vocabulary_size: int) -> pa.DataType:
    """The narrower of TOKEN_ID_TYPES that holds every id: mostly half the bytes to write and to keep."""
    return TOKEN_ID_TYPES[0] if vocabulary_size <= 1 << 16 else TOKEN_ID_TYPES[1]


def sequence(length: int, token_id: pa.DataType = TOKEN_ID_TYPES[1]) -> pa.Schema:
    """The schema of packed training sequences of `length` tokens."""
    return table(
        "One packed training sequence, in memory-mapped Arrow files. A document begins with the BOS token and ends "
        "with the EOS token. So a document, or the rest of one, begins at the start of a sequence and after every EOS "
        "token; padding is PAD tokens at the end of a sequence. Sequences of the first epoch lie in `<split>/`, those "
        "of the further epochs that FIM was redone for in `<split>/epoch-<number>/`.",
        field("tokens", pa.list_(token_id, length), "token ids; `uint16` where the vocabulary has at most 65,536"),
    )


def epoch_shard(shard: str, epoch: int) -> str:
    """The shard of sequences for `epoch`: `train/files.arrow`, and from epoch 1 on `train/epoch-1/files.arrow`."""
    split, name = shard.split("/")
    return f"{split}/epoch-{epoch}/{name}" if epoch else shard


def shard_and_epoch(name: str) -> tuple[str, int]:
    """What `epoch_shard` was given."""
    split, *folder, file = name.split("/")
    return f"{split}/{file}", int(folder[0].removeprefix("epoch-")) if folder else 0


BENCHMARK_TASK = table(
    "One task of a benchmark, as eval reads it and as decontamination looks for it.",
    field("benchmark", pa.string(), "name of the benchmark, as in `humaneval`"),
    field("version", pa.string(), "first 12 hex digits of the SHA-256 of the data file"),
    field("task_id", pa.string(), "the benchmark's own id of the task"),
    field("language", pa.string(), "programming language of the answer; empty for prose"),
    field("prompt", pa.string(), "what the model is given (or, for infilling, what stands before the gap)"),
    field("suffix", pa.string(), "infilling only: what stands after the gap; empty elsewhere"),
    field("solution", pa.string(), "the reference answer"),
    field("test", pa.string(), "the code that checks an answer; empty where answers are compared as text"),
    field("test_is_shown", pa.bool_(), "whether the model is shown the test, which then carries the problem"),
    field("entry_point", pa.string(), "the function that the test calls; empty where none"),
    field("category", pa.string(), "the benchmark's own division, as a difficulty or a library; empty where none"),
    field("context", pa.string(), "excerpts of other files that may stand above the prompt, as JSON; empty elsewhere"),
)


def fingerprint(tasks: pa.Table) -> str:
    """SHA-256 of BENCHMARK_TASK rows, in their order: what a corpus was cleaned against, or a model asked."""
    rows = [list(row.values()) for row in tasks.select(BENCHMARK_TASK.names).to_pylist()]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


COMPLETION = table(
    "What a model answered to a task.",
    field("benchmark", pa.string(), "name of the benchmark"),
    field("task_id", pa.string(), "the benchmark's own id of the task"),
    field("sample", pa.int32(), "number of the answer to this task, from 0"),
    field("completion", pa.string(), "the generated text, up to the stop string"),
    field("finish_reason", pa.string(), "`stop` (end token or stop string) or `length`"),
)

RESULT = table(
    "How an answer was judged.",
    field("benchmark", pa.string(), "name of the benchmark"),
    field("task_id", pa.string(), "the benchmark's own id of the task"),
    field("sample", pa.int32(), "number of the answer to this task, from 0"),
    field("outcome", pa.string(), "`passed`, `failed`, `timeout`, `out_of_memory`, `skipped` or `error`"),
    field("score", pa.float64(), "0 to 1, higher is better"),
    field("seconds", pa.float64(), "wall time of the judgement"),
    field("detail", pa.string(), "the last line of the error, or the expected answer; empty where passed"),
    field("program", pa.string(), "what was extracted from the answer and run; empty where nothing was"),
    field("output", pa.string(), "the end of what it printed, errors too"),
    field(
        "mode",
        pa.string(),
        "where it was judged: `rpc` (the tests ran in a process that never ran the answer), `in_process` (beside it), "
        "`exit_status` (of a whole program) or `text` (nothing was run)",
    ),
)

TABLES = {
    "file": FILE,
    "repository": REPOSITORY,
    "page": PAGE,
    "rule_filter": RULE_FILTER,
    "dependency_graph": DEPENDENCY_GRAPH,
    "topological_sort": TOPOLOGICAL_SORT,
    "repo_dedup": REPO_DEDUP,
    "quality_screen": QUALITY_SCREEN,
    "page_dedup": PAGE_DEDUP,
    "fasttext_recall": FASTTEXT_RECALL,
    "ngram_decontamination": NGRAM_DECONTAMINATION,
    "document": DOCUMENT,
    "sequence": sequence(1),
    "benchmark_task": BENCHMARK_TASK,
    "completion": COMPLETION,
    "result": RESULT,
}


def mismatches(found: pa.Schema, expected: pa.Schema) -> Iterator[str]:
    """How `found` differs from `expected` in names, types or nullability, one sentence each. Metadata may differ."""
    for name in expected.names:
        if name not in found.names:
            yield f"column {name!r} is missing"
        elif found.field(name).type != expected.field(name).type:
            yield f"column {name!r} is {found.field(name).type}, expected {expected.field(name).type}"
        elif found.field(name).nullable != expected.field(name).nullable:
            yield f"column {name!r} has nullable={found.field(name).nullable}, expected {expected.field(name).nullable}"
    for name in found.names:
        if name not in expected.names:
            yield f"column {name!r} is unknown"


def markdown() -> str:
    """The whole contract as the page `docs/data_contract.md`."""
    lines = ["# Data contract", "", "Generated by `python -m pipelines contract`; do not edit.", ""]
    for name, schema in TABLES.items():
        lines += [
            f"## {name}",
            "",
            schema.metadata[b"meaning"].decode(),
            "",
            "| field | type | meaning |",
            "|---|---|---|",
        ]
        lines += [_markdown_row(column, name) for column in schema]
        lines.append("")
    return "\n".join(lines)


def _markdown_row(column: pa.Field, table_name: str) -> str:
    kind = "fixed_size_list<uint16 or int32>[sequence length]" if table_name == "sequence" else str(column.type)
    kind = kind.replace("element: ", "").replace(" not null", "") + (", nullable" if column.nullable else "")
    return f"| {column.name} | `{kind}` | {column.metadata[b'meaning'].decode()} |"
