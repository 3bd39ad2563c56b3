"""Wires tokenization: train the tokenizer on a sample of the training documents, then encode and pack each shard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from pipelines import contract, rows
from pipelines.config import StageConfig
from pipelines.stage import Local, Output, Stage, StageRun, Write
from pipelines.token_sequences import sample, tokenizer
from pipelines.token_sequences.encode import Encoder, batches
from pipelines.token_sequences.packing import pack

TOKENIZER = "tokenizer"


class TokenSequencesConfig(StageConfig):
    vocabulary_size: int = Field(32_000, ge=512)
    sequence_length: int = Field(4096, gt=1)
    fim_rate: float = Field(0.5, ge=0, le=1)
    tokenizer_sample_bytes: int = Field(100_000_000, gt=0)
    seed: int = 0


def _train(run: StageRun[TokenSequencesConfig]) -> None:
    shards = [shard for shard in run.shards if shard.startswith("train/")]
    urls = [run.upstream("parquet_shards", shard) for shard in shards]
    texts = sample.texts(urls, run.config.tokenizer_sample_bytes, run.config.seed)
    tokenizer.save(tokenizer.train(texts, run.config.vocabulary_size), Path(run.path(TOKENIZER)))


def _schema(config: TokenSequencesConfig) -> pa.Schema:
    return contract.sequence(config.sequence_length)


def _shards(run: StageRun[TokenSequencesConfig]) -> list[str]:
    return run.shards


def _tables(run: StageRun[TokenSequencesConfig]) -> Callable[[str], Iterator[Output]]:
    encoder = Encoder(tokenizer.load(Path(run.path(TOKENIZER))))
    length = run.config.sequence_length

    def documents(shard: str) -> Iterator[np.ndarray]:
        for table in rows.tables(run.upstream("parquet_shards", shard), ["document_id", "text"]):
            for batch in batches(table.to_pylist()):
                yield from encoder.encode(batch, run.config.fim_rate, run.config.seed)

    def tables(shard: str) -> Iterator[Output]:
        for block in pack(documents(shard), length, encoder.pad):
            tokens = pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), length)
            yield "", pa.Table.from_arrays([tokens], schema=contract.sequence(length))

    return tables


def _external(config: TokenSequencesConfig, run_folder: str) -> dict[str, Any]:
    return {"special_tokens": list(tokenizer.SPECIAL_TOKENS)}


STAGE = Stage(
    name="token_sequences",
    reads={"parquet_shards": ("document_id", "text")},
    writes=contract.sequence(1),
    reasons=(),
    config=TokenSequencesConfig,
    steps=(Local(TOKENIZER, _train), Write("sequences", _schema, _shards, _tables, suffix=".arrow")),
    packages=("tokenizers",),
    external=_external,
)
