"""The stage from documents to sequences: every document is there, the manifest tells, sharding decides nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import contract, runner
from pipelines.checks import schemas
from pipelines.manifest import Cost, Counts, Manifest
from pipelines.stage import load
from pipelines.token_sequences import tokenizer
from pipelines.token_sequences.encode import Encoder
from pipelines.token_sequences.fim import Shares, cut
from pipelines.token_sequences.stage import TokenSequencesConfig
from training import sequences
from training.data import as_batch
from training.tokenizer import read_vocabulary

ROOT = Path(__file__).parents[3]
TEXTS = [path.read_text() for path in sorted(ROOT.glob("pipelines/[a-m]*/*.py"))]
PAD = 2
SMALL = {"vocabulary_size": 600, "sequence_length": 256}


def write_documents(folder: Path, num_shards: int) -> None:
    """What parquet_shards leaves, one document for validation, and the manifests of all stages."""
    shards: dict[str, list[int]] = {"validation/files-00000-of-00001.parquet": [0]}
    for number in range(num_shards):
        name = f"train/files-{number:05}-of-{num_shards:05}.parquet"
        shards[name] = list(range(1 + number, len(TEXTS), num_shards))
    for name, numbers in shards.items():
        rows = [_document(number) for number in numbers]
        (folder / "parquet_shards" / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, contract.DOCUMENT), folder / "parquet_shards" / name)
    for stage in contract.FLOW[:-1]:
        written = sorted(shards) if stage == "parquet_shards" else []
        done = Manifest(stage, "recipe", "", {}, {}, {}, written, Counts(), Cost(0, 0, 0), {})
        done.write(str(folder / stage))


def _document(number: int) -> dict[str, Any]:
    size = len(TEXTS[number].encode())
    return {
        "document_id": f"{number:020x}", "source": "repository" if number % 2 else "web_code",
        "language": "Python" if number % 2 else "", "origin": "", "license": "", "revision": "",
        "paths": [], "file_ids": [], "file_offsets": [], "num_files": 0, "epoch": 0,
        "size_bytes": size, "text": TEXTS[number],
    }  # fmt: skip


def run(folder: Path, num_shards: int = 2, **settings: Any) -> Manifest:
    write_documents(folder, num_shards)
    return runner.run_stage(load("token_sequences"), str(folder), {"token_sequences": {**SMALL, **settings}})


def documents_of(folder: Path) -> list[list[int]]:
    """The training tokens as the trainer reads them, cut where it sees that a document begins."""
    stage = folder / "token_sequences"
    split = sequences.open_split(sequences.open_folder(stage), "train")
    batch = as_batch(split.rows(np.arange(len(split)), 600), read_vocabulary(stage / "tokenizer"))
    begins = np.flatnonzero(batch.positions.ravel() == 0)
    pieces = np.split(batch.tokens.ravel().numpy(), begins[1:])
    return [piece[piece != PAD].tolist() for piece in pieces]


@pytest.mark.parametrize("method", ["concat", "best_fit"])
def test_every_document_is_found_again_at_its_borders(tmp_path, method):
    run(tmp_path, fim_rate=0.0, packing=method, sequence_length=2048)
    encoder = Encoder(tokenizer.load(tmp_path / "token_sequences/tokenizer"))
    whole = [cut(pa.array([text], pa.large_string()), ["a"], Shares(0.0), seed=0) for text in TEXTS[1:]]
    expected = [encoder.encode(one).tokens.tolist() for one in whole]
    found = documents_of(tmp_path)
    assert sorted(token for one in found for token in one) == sorted(token for one in expected for token in one)
    whole = [one for one in expected if one in found]
    assert all(one in whole for one in expected if len(one) <= 2048) == (method == "best_fit")
    assert len(whole) > len(expected) / 3


def test_the_manifest_tells_what_the_sequences_are(tmp_path):
    found = run(tmp_path, packing="best_fit", sequence_length=2048).findings
    assert found["documents"] == len(TEXTS)
    assert found["packing"]["concat"]["padding_share"] < 3 * 2048 / found["tokens"], "at the end of each shard"
    assert 0 < found["packing"]["best_fit"]["cut_share"] < found["packing"]["concat"]["cut_share"] <= 1
    assert 0.25 < found["fim_share"] < 0.75
    assert set(found["languages"]) == {"Python", "web_code"}
    assert sum(row["bytes"] for row in found["languages"].values()) == sum(len(text.encode()) for text in TEXTS)
    assert all(2 < row["bytes_per_token"] < 4 for row in found["languages"].values())
    texts = sum(row["tokens"] for row in found["languages"].values())
    assert found["tokens"] == texts + 2 * len(TEXTS) + 3 * round(found["fim_share"] * len(TEXTS))


def test_the_training_documents_are_cut_anew_for_each_epoch(tmp_path):
    done = run(tmp_path, num_shards=1, fim_epochs=3)
    names = [f"train/{epoch}files-00000-of-00001.arrow" for epoch in ("", "epoch-1/", "epoch-2/")]
    assert done.shards == sorted([*names, "validation/files-00000-of-00001.arrow"])
    tables = [pa.ipc.open_file(pa.memory_map(str(tmp_path / "token_sequences" / name))).read_all() for name in names]
    streams = [table["tokens"].combine_chunks().flatten().to_numpy().tolist() for table in tables]
    assert len({tuple(stream) for stream in streams}) == 3
    assert [stream.count(0) for stream in streams] == [len(TEXTS) - 1] * 3


def test_how_documents_are_sharded_does_not_decide_the_tokenizer(tmp_path):
    made = []
    for num_shards in (1, 3):
        run(tmp_path / str(num_shards), num_shards, tokenizer_sample_bytes=50_000)
        made.append((tmp_path / str(num_shards) / "token_sequences/tokenizer/tokenizer.json").read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize(("size", "expected"), [(600, "uint16"), (65_537, "int32")])
def test_a_large_vocabulary_has_wider_ids(tmp_path, size, expected):
    shard = run(tmp_path, vocabulary_size=size).shards[0]
    table = pa.ipc.open_file(tmp_path / "token_sequences" / shard)
    assert str(table.schema.field("tokens").type.value_type) == expected
    assert schemas(load("token_sequences"), str(tmp_path)) == []


def test_both_libraries_write_the_same_sequences(tmp_path):
    for library in ("gigatoken", "tokenizers"):
        run(tmp_path / library, library=library)
    assert documents_of(tmp_path / "gigatoken") == documents_of(tmp_path / "tokenizers")


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, 32_000),
        ({"preset": "deepseek-v2"}, 102_400),
        ({"preset": "deepseek-llm"}, 102_400),
        ({"preset": "deepseek-v2", "vocabulary_size": 600}, 600),
    ],
)
def test_a_preset_is_a_vocabulary_size(given, size):
    assert TokenSequencesConfig(**given).vocabulary_size == size


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"preset": "deepseek"}, "preset"),
        ({"packing": "first_fit"}, "packing"),
        ({"fim_spm_share": 0.7, "fim_msp_share": 0.4}, "at most 1 together"),
        ({"fim_epochs": 0}, "fim_epochs"),
        ({"sequence_length": 1}, "sequence_length"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        TokenSequencesConfig(**given)
