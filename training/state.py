"""The state of a run: all that a step changes and a checkpoint stores, and how it begins."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import PreTrainedModel

from training import fp8, model, optimizer, parallel
from training.config import Skipping, TrainingConfig
from training.parallel import Layout
from training.schedule import learning_rate
from training.tokenizer import Vocabulary


@dataclass
class Progress:
    """How far a run has come, over all the times that it was started. What a checkpoint stores beside the tensors."""

    step: int = 0  # steps done
    tokens: int = 0  # positions trained on, padding included
    num_skipped: int = 0  # steps that left the weights alone
    num_skipped_in_a_row: int = 0
    num_losses: int = 0  # that the next two are made of
    loss_mean: float = 0.0  # running, of the steps that were not skipped
    loss_variance: float = 0.0
    train_seconds: float = 0.0  # in training steps, waiting for data included
    seconds: float = 0.0  # of wall time, with validation and saving
    cpu_seconds: float = 0.0  # of all processes
    peak_memory_bytes: int = 0  # of the main process: its tensors on a GPU, or all of it on a CPU


@dataclass
class State:
    """All that a step changes, and what it needs to do so."""

    accelerator: Accelerator
    layout: Layout
    model: nn.Module
    optimizer: torch.optim.Optimizer
    learning_rate: Callable[[int], float]  # of a step, from 0
    max_grad_norm: float
    sequences_per_pass: int
    zero_stage: int
    skipping: Skipping
    attention_kernel: str
    context: ProcessGroup | None  # the processes that hold the other parts of the sequences
    progress: Progress = field(default_factory=Progress)

    @property
    def bare_model(self) -> PreTrainedModel:
        """The model without what accelerate puts around it."""
        bare = self.accelerator.unwrap_model(self.model)
        assert isinstance(bare, PreTrainedModel)
        return bare

    def whole_weights(self) -> dict[str, Tensor]:
        """All weights by name, on the processor; empty on all but the main process. All call it, or none."""
        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        return cast(dict[str, Tensor], get_model_state_dict(self.bare_model, options=options))

    def take_expert_load(self) -> torch.Tensor | None:
        """How many tokens each expert got since this was last asked for, (layers, experts); None without experts."""
        load = getattr(self.bare_model, "take_expert_load", lambda: None)()
        if load is None:
            return None
        return torch.tensor(self.total(load.flatten().tolist())).view(load.shape)

    def total(self, values: list[float]) -> list[float]:
        """The sum of each value over all processes."""
        if self.accelerator.num_processes == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        return self.accelerator.reduce(tensor, reduction="sum").tolist()  # type: ignore[no-any-return]

    def total_of_batches(self, values: list[float]) -> list[float]:
        """The sum of each value over all batches, where all processes that share a batch give the same."""
        return [value / (self.layout.tensor * self.layout.context) for value in self.total(values)]

    def total_of_parts(self, value: float) -> float:
        """The sum over all batches, where the processes that share sequences give that of their part."""
        return self.total([value])[0] / self.layout.tensor


def new_state(config: TrainingConfig, vocabulary: Vocabulary, init: Path | None = None) -> State:
    """Fresh weights, or those of the checkpoint `init`, shared among as many processes as there are.

    They lie on this process's device, in float32; what is computed is bfloat16 on CUDA only.
    """
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),  # unless told so, it takes processes on CPUs for one process each
        mixed_precision="bf16" if torch.cuda.is_available() else "no",
    )
    assert accelerator.num_processes == int(os.environ.get("WORLD_SIZE", "1")), "each process would train on its own"
    num_sequences = config.batch.num_sequences
    place = parallel.layout(config.parallel, num_sequences, accelerator.num_processes, accelerator.process_index)
    build = partial(model.build, seed=config.seed) if init is None else partial(model.load, init)
    bare = build(config.model, vocabulary)
    parallel.check(bare, config.parallel)
    attention_kernel = model.prepare(bare, config.kernels, accelerator.device)
    if config.precision == "fp8":
        fp8.convert(bare, accelerator.device)
    network, adamw = _shared(config, bare, accelerator, place)
    return State(
        accelerator=accelerator,
        layout=place,
        model=network,
        optimizer=adamw,
        learning_rate=partial(learning_rate, peak=config.optimizer.peak_learning_rate, schedule=config.schedule),
        max_grad_norm=config.optimizer.max_grad_norm,
        sequences_per_pass=config.batch.sequences_per_pass or -(-num_sequences // place.num_data),
        zero_stage=config.parallel.zero_stage,
        skipping=config.skipping,
        attention_kernel=attention_kernel,
        context=parallel.context_group(place, accelerator.device),
    )


def _shared(
    config: TrainingConfig, network: PreTrainedModel, accelerator: Accelerator, place: Layout
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model and its optimizer, as this process holds them."""
    if config.parallel.strategy == "fsdp" and place.num_processes > 1:
        compute = torch.bfloat16 if accelerator.mixed_precision == "bf16" else torch.float32
        parallel.shard(network, config.parallel, place, accelerator.device, compute)
        return network, optimizer.build(network, config.optimizer)
    wrapped, adamw = accelerator.prepare(network, optimizer.build(network, config.optimizer))
    return wrapped, adamw
