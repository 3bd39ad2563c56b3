"""A small corpus of real code, its tokenizer and its packed sequences, and settings of a tiny model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from pipelines import contract
from training.config import TrainingConfig
from training.pretrain import Outcome, pretrain
from training.tokenizer import Vocabulary

SPECIAL = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}
LENGTH = 64
SETTINGS: dict[str, Any] = {
    "model": {
        "num_layers": 2, "hidden_size": 32, "intermediate_size": 88, "num_heads": 4, "num_kv_heads": 2,
        "max_sequence_length": LENGTH, "init_std": 0.1, "tie_embeddings": True,
    },
    "batch": {"num_sequences": 4},
    "optimizer": {"peak_learning_rate": 0.01},
    "schedule": {"num_steps": 8, "warmup_steps": 2},
    "validation": {"num_sequences": 6, "every_steps": 4},
    "checkpoints": {"every_steps": 2},
}  # fmt: skip
Settings = Callable[..., TrainingConfig]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)  # the models are too small for two, and the machine may be busy


@pytest.fixture(scope="session")
def documents() -> list[str]:
    """The json package of the Python that runs the tests."""
    return [path.read_text() for path in sorted(Path(json.__file__).parent.glob("*.py"))]


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory, documents: list[str]) -> Path:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(SPECIAL.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """That of `tokenizer_folder`."""
    return Vocabulary(size=400, bos=0, eos=1, pad=2)


CLEANED = {"rule": {"gram_words": 10}, "benchmarks": [{"name": "b", "version": "v", "tasks_sha256": "s"}]}


@pytest.fixture(scope="session")
def write_sequences() -> Callable[..., Path]:
    """Writes token sequences as the stage token_sequences does: `tokens` maps a split to rows of ids."""

    def write(
        folder: Path, tokens: dict[str, Any], recipe: str = "a" * 16, token_id: Any = np.int32, **manifest: Any
    ) -> Path:
        shards = [f"{split}/sequences-00000-of-00001.arrow" for split in tokens]
        for split, rows in tokens.items():
            array = np.asarray(rows, dtype=token_id)
            schema = contract.sequence(array.shape[1], pa.from_numpy_dtype(token_id)).with_metadata({"recipe": recipe})
            (folder / split).mkdir(parents=True)
            with pa.ipc.new_file(str(folder / split / "sequences-00000-of-00001.arrow"), schema) as writer:
                for block in np.array_split(array, 2):  # two record batches
                    column = pa.FixedSizeListArray.from_arrays(pa.array(block.ravel()), array.shape[1])
                    writer.write_batch(pa.record_batch([column], schema=schema))
            config = {"sequence_length": int(array.shape[1])}
        (folder / "manifest.json").write_text(
            json.dumps({"recipe": recipe, "config": config, "shards": shards, **manifest})
        )
        return folder

    return write


@pytest.fixture(scope="session")
def sequences_folder(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[str],
    tokenizer_folder: Path,
    write_sequences: Callable[..., Path],
) -> Path:
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    ids = [token for text in documents for token in (0, *tokenizer.encode(text).ids, 1)]
    rows = np.array(ids + [2] * (-len(ids) % LENGTH)).reshape(-1, LENGTH)
    folder = tmp_path_factory.mktemp("token_sequences")
    return write_sequences(folder, {"train": rows[8:], "validation": rows[:8]}, decontamination=CLEANED)


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of a tiny model; keyword arguments replace keys of the tables that they name."""

    def make(**changed: dict[str, Any]) -> TrainingConfig:
        return TrainingConfig.model_validate(
            {**SETTINGS, **{name: {**SETTINGS.get(name, {}), **table} for name, table in changed.items()}}
        )

    return make


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, sequences_folder: Path, tokenizer_folder: Path
) -> Path:
    """The output of a run from start to end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert pretrain(settings(), sequences_folder, tokenizer_folder, folder) is Outcome.FINISHED
    return folder


@pytest.fixture(scope="session")
def assert_same_result(undisturbed: Path) -> Callable[[Path], None]:
    """That an output is the undisturbed run's, bit by bit."""
    keys = ("step", "loss", "validation_loss", "learning_rate", "grad_norm", "tokens")

    def numbers(folder: Path) -> list[list[Any]]:
        return [[json.loads(line)[key] for key in keys] for line in (folder / "metrics.jsonl").read_text().splitlines()]

    def check(folder: Path) -> None:
        assert numbers(folder) == numbers(undisturbed)
        for expected in sorted((undisturbed / "checkpoint").iterdir()):
            assert (folder / "checkpoint" / expected.name).read_bytes() == expected.read_bytes(), expected.name

    return check
