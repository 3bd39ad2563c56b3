"""Wires tokenization: train the tokenizer on a sample of the training documents, then encode and pack each shard."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from pipelines import contract, rows, storage
from pipelines.config import StageConfig
from pipelines.stage import Local, Output, Stage, StageRun, Write
from pipelines.token_sequences import fim, sample, tokenizer
from pipelines.token_sequences.encode import Encoder, Library
from pipelines.token_sequences.figures import of_packing, of_texts, summary
from pipelines.token_sequences.packing import Documents, Method, pack

TOKENIZER = "tokenizer"
FIGURES = "figures"
BATCH_BYTES = 16_000_000  # of text in memory at a time: with less, calls cost more than caches save
COLUMNS = ("document_id", "epoch", "text", "language", "source", "size_bytes")


class TokenSequencesConfig(StageConfig):
    preset: Literal["deepseek-coder", "deepseek-llm", "deepseek-v2"] = "deepseek-coder"
    vocabulary_size: int = Field(32_000, ge=512)  # special tokens among them; if unset, that of the preset
    tokenizer_sample_bytes: int = Field(100_000_000, gt=0)
    sequence_length: int = Field(4096, gt=1, le=1 << 20)
    packing: Method = "concat"
    fim_rate: float = Field(0.5, ge=0, le=1)  # of the documents; the next two are shares of those that are cut
    fim_spm_share: float = Field(0.0, ge=0, le=1)
    fim_msp_share: float = Field(0.0, ge=0, le=1)
    fim_epochs: int = Field(1, ge=1)  # the training documents are cut anew, and written, for so many epochs
    library: Library = "gigatoken"
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _of_preset(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        size = tokenizer.VOCABULARY_SIZES.get(given.get("preset", "deepseek-coder"), 32_000)
        return {"vocabulary_size": size, **given}

    @model_validator(mode="after")
    def _shares_fit(self) -> "TokenSequencesConfig":
        if self.fim_spm_share + self.fim_msp_share > 1:
            raise ValueError("fim_spm_share and fim_msp_share are shares of the same documents: at most 1 together")
        return self


Run = StageRun[TokenSequencesConfig]


def _train(run: Run) -> None:
    shards = [shard for shard in run.shards if shard.startswith("train/")]
    urls = [run.upstream("parquet_shards", shard) for shard in shards]
    texts = sample.texts(urls, run.config.tokenizer_sample_bytes, run.config.seed)
    tokenizer.save(tokenizer.train(texts, run.config.vocabulary_size), Path(run.path(TOKENIZER)))


def _schema(config: TokenSequencesConfig) -> pa.Schema:
    return contract.sequence(config.sequence_length, contract.token_id_type(config.vocabulary_size))


def _shards(run: Run) -> list[str]:
    """Those of the documents; further epochs of the training documents in folders of their own."""
    again = [
        contract.epoch_shard(shard, epoch)
        for epoch in range(1, run.config.fim_epochs)
        for shard in run.shards
        if shard.startswith("train/")
    ]
    return run.shards + again


def _tables(run: Run) -> Callable[[str], Iterator[Output]]:
    config = run.config
    token_id = contract.token_id_type(config.vocabulary_size).to_pandas_dtype()
    encoder = Encoder(tokenizer.load(Path(run.path(TOKENIZER))), config.library, token_id)
    shares = fim.Shares(config.fim_rate, config.fim_spm_share, config.fim_msp_share)

    def encoded(shard: str, epoch: int, figures: Counter[str]) -> Iterator[Documents]:
        for table in rows.batches(run.upstream("parquet_shards", shard), COLUMNS, BATCH_BYTES):
            # A document that the mixture repeats is cut elsewhere each time.
            names, times = (table[name].to_pylist() for name in ("document_id", "epoch"))
            keys = [f"{name}/{time}" for name, time in zip(names, times, strict=True)]
            spans = fim.cut(table["text"].chunk(0), keys, shares, config.seed, epoch)
            documents = encoder.encode(spans)
            figures.update(of_texts(table, spans, documents))
            yield documents

    def tables(name: str) -> Iterator[Output]:
        shard, epoch = contract.shard_and_epoch(name)
        figures: Counter[str] = Counter()
        lengths: list[np.ndarray] = []

        def watched() -> Iterator[Documents]:
            for documents in encoded(shard, epoch, figures):
                lengths.append(documents.lengths)
                yield documents

        for sequences in pack(watched(), config.sequence_length, encoder.pad, config.packing):
            tokens = pa.FixedSizeListArray.from_arrays(pa.array(sequences.reshape(-1)), config.sequence_length)
            yield "", pa.Table.from_arrays([tokens], schema=_schema(config))
        storage.write_json(run.path(FIGURES, f"{name}.json"), figures + of_packing(lengths, config.sequence_length))

    return tables


def _findings(run: Run) -> dict[str, Any]:
    """Of all shards of the first epoch, training and validation together."""
    figures: Counter[str] = Counter()
    for shard in run.shards:
        figures.update(storage.read_json(run.path(FIGURES, f"{shard}.json")))
    return summary(figures)


def _external(config: TokenSequencesConfig, run_folder: str) -> dict[str, Any]:
    return {"special_tokens": list(tokenizer.SPECIAL_TOKENS)}


STAGE = Stage(
    name="token_sequences",
    reads={"parquet_shards": COLUMNS},
    writes=contract.sequence(1),
    reasons=(),
    config=TokenSequencesConfig,
    steps=(Local(TOKENIZER, _train), Write("sequences", _schema, _shards, _tables, suffix=".arrow")),
    packages=("gigatoken", "tokenizers"),
    external=_external,
    findings=_findings,
)
