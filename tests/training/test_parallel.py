"""The same numbers, however the work is shared: two processes go through a table of layouts, and are held to one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from pydantic import ValidationError

from training import parallel, sequences
from training.config import Parallel, TrainingConfig
from training.data import as_batch
from training.loss import summed_loss
from training.model import build, prepare
from training.state import new_state
from training.step import train_step, validation_loss
from training.tokenizer import Vocabulary

ROOT = Path(__file__).parents[2]
MODELS: dict[str, Any] = {
    "llama": {},
    "deepseek_v2": {
        "kind": "deepseek_v2",
        "num_kv_heads": None,
        "latent_attention": {
            "kv_rank": 16, "query_rank": 24, "nope_head_size": 8, "rope_head_size": 4, "value_head_size": 8
        },
        "experts": {
            "num_routed": 4, "num_per_token": 2, "num_shared": 1, "intermediate_size": 24, "num_groups": 2,
            "groups_per_token": 2, "balance_alpha": 0.3, "device_balance_alpha": 0.2,
            "communication_balance_alpha": 0.1,
        },
    },
}  # fmt: skip
LAYOUTS = {
    "llama, ddp": Parallel(),
    "llama, zero 1": Parallel(strategy="fsdp", zero_stage=1),
    "llama, zero 2": Parallel(strategy="fsdp", zero_stage=2),
    "llama, zero 3": Parallel(strategy="fsdp", zero_stage=3),
    "llama, tensor": Parallel(strategy="fsdp", tensor=2),
    "llama, context": Parallel(context=2),
    "llama, context, zero 2": Parallel(strategy="fsdp", zero_stage=2, context=2),
    "deepseek_v2, ddp": Parallel(),
    "deepseek_v2, zero 3": Parallel(strategy="fsdp", zero_stage=3),
    "deepseek_v2, tensor": Parallel(strategy="fsdp", tensor=2),
    "deepseek_v2, context": Parallel(context=2),
    "deepseek_v2, context, zero 3": Parallel(strategy="fsdp", context=2),
}


def steps(config: TrainingConfig, folder: Path, vocabulary) -> list[list[float]]:
    """Loss, gradient norm and validation loss of a few steps on this process's part of each batch."""
    split = sequences.open_split(sequences.open_folder(folder), "train")
    state = new_state(config, vocabulary)
    place = state.layout
    found = []
    for step in range(3):
        rows = np.array_split(np.arange(4 * step, 4 * step + 4), place.num_data)[place.data_rank]
        batch = as_batch(split.rows(rows, 448), vocabulary)
        metrics = train_step(state, batch)
        found.append([metrics.loss, metrics.grad_norm, validation_loss(state, [batch])])
    return found


def in_bfloat16(config: TrainingConfig, folder: Path, vocabulary) -> dict[str, list[str] | float]:
    """The types of weights and gradients where layers compute in bfloat16, as on GPUs, and the loss of a batch."""
    accelerator = Accelerator(cpu=True)
    place = parallel.layout(config.parallel, 4, accelerator.num_processes, accelerator.process_index)
    network = build(config.model, vocabulary, config.seed)
    prepare(network, config.kernels, accelerator.device)
    parallel.shard(network, config.parallel, place, accelerator.device, torch.bfloat16)
    split = sequences.open_split(sequences.open_folder(folder), "train")
    batch = as_batch(split.rows(np.arange(4), 448), vocabulary)
    loss = summed_loss(network, batch)
    loss.backward()
    kinds = {str(tensor.dtype) for p in network.parameters() for tensor in (p, p.grad)}
    return {"kinds": sorted(kinds), "loss": float(loss) / batch.num_targets}


def worker(folder: str, configs: str) -> None:
    """What each of the two processes runs."""
    torch.set_num_threads(1)
    vocabulary = Vocabulary(size=400, bos=0, eos=1, pad=2)
    tables = json.loads(configs)
    results = {n: steps(TrainingConfig.model_validate(t), Path(folder), vocabulary) for n, t in tables.items()}
    table = TrainingConfig.model_validate(tables["llama, zero 3"])
    results["bfloat16"] = in_bfloat16(table, Path(folder), vocabulary)
    if os.environ["RANK"] == "0":
        print(json.dumps(results))
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="session")
def by_two(settings, sequences_folder) -> dict[str, list[list[float]]]:
    """The numbers of each layout with two processes."""
    tables = {
        name: settings(
            model=MODELS[name.partition(",")[0]], batch={"sequences_per_pass": 1}, parallel=layout.model_dump()
        ).model_dump(mode="json")
        for name, layout in LAYOUTS.items()
    }
    arguments = [str(sequences_folder), json.dumps(tables)]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", __file__, *arguments],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def by_one(settings, sequences_folder, vocabulary) -> dict[str, list[list[float]]]:
    """The numbers of each model with one process."""
    return {name: steps(settings(model=model), sequences_folder, vocabulary) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_two_processes_find_the_numbers_of_one(by_two, by_one, name):
    assert np.array(by_two[name]) == pytest.approx(np.array(by_one[name.partition(",")[0]]), rel=2e-5)


def test_layers_compute_in_bfloat16_on_float32_weights_and_gradients(by_two, by_one):
    assert by_two["bfloat16"]["kinds"] == ["torch.float32"]
    loss = by_one["llama"][0][0]
    assert by_two["bfloat16"]["loss"] == pytest.approx(loss, rel=5e-3)
    assert by_two["bfloat16"]["loss"] != pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_the_numbers_move(by_one, model):
    """Else the test above would show nothing."""
    losses = [loss for loss, _, _ in by_one[model]]
    assert losses[0] - losses[2] > 0.05


@pytest.mark.parametrize(
    ("shows", "settings", "num_sequences", "num_processes", "message"),
    [
        ("too few", {}, 4, 8, "batch.num_sequences is 4, but there are 8 processes; each needs at least one"),
        ("uneven", {"strategy": "fsdp"}, 6, 4, "batch.num_sequences is 6, .* gives 4 processes an equal number each"),
        (
            "odd",
            {"strategy": "fsdp", "tensor": 2},
            6,
            3,
            "parallel.tensor is 2 .* but there are 3 processes; start a mul",
        ),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(shows, settings, num_sequences, num_processes, message):
    with pytest.raises(ValueError, match=message):
        parallel.layout(Parallel(**settings), num_sequences, num_processes, rank=0)


def test_tensor_neighbours_see_the_same_sequences():
    places = [parallel.layout(Parallel(strategy="fsdp", tensor=2), 4, 4, rank) for rank in range(4)]
    assert [(place.num_data, place.data_rank) for place in places] == [(2, 0), (2, 0), (2, 1), (2, 1)]


def test_context_neighbours_see_the_same_sequences():
    places = [parallel.layout(Parallel(strategy="fsdp", tensor=2, context=2), 4, 8, rank) for rank in range(8)]
    assert [(place.num_data, place.data_rank) for place in places] == [(2, 0)] * 4 + [(2, 1)] * 4


@pytest.mark.parametrize(
    ("model", "layout", "message"),
    [
        ("deepseek_v2", {"context": 8}, "must divide the model's 4 key-value heads"),
        ("deepseek_v2", {"strategy": "fsdp", "tensor": 8}, "key-value heads, and tensor its .* and its experts"),
        ("llama", {"context": 4}, "must divide the model's 2 key-value heads"),
    ],
)
def test_a_model_that_cannot_be_split_is_refused(settings, vocabulary, model, layout, message):
    network = build(settings(model=MODELS[model]).model, vocabulary, seed=0)
    with pytest.raises(ValueError, match=message):
        parallel.check(network, Parallel(**layout))


def test_tensor_parallelism_needs_fsdp():
    with pytest.raises(ValidationError, match='tensor = 2 needs strategy = "fsdp"'):
        Parallel(tensor=2)


if __name__ == "__main__":
    worker(*sys.argv[1:])
