"""One training step and one validation pass, the same on one process as on many."""

import math
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.data import Batch
from training.loss import summed_loss


@dataclass
class Progress:
    """How far a run has come, over all the times that it was started. What a checkpoint stores beside the tensors."""

    step: int = 0  # steps done
    tokens: int = 0  # positions trained on, padding included
    num_skipped: int = 0  # steps whose gradients were not finite
    num_skipped_in_a_row: int = 0
    train_seconds: float = 0.0  # in training steps, waiting for data included
    seconds: float = 0.0  # of wall time, with validation and saving
    cpu_seconds: float = 0.0  # of all processes
    peak_memory_bytes: int = 0  # of the main process


@dataclass
class State:
    """All that a step changes, and what it needs to do so."""

    accelerator: Accelerator
    model: nn.Module
    optimizer: torch.optim.Optimizer
    learning_rate: Callable[[int], float]  # of a step, from 0
    max_grad_norm: float
    sequences_per_pass: int
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True)
class StepMetrics:
    loss: float  # mean over the targets of the whole batch, in nats
    grad_norm: float  # before clipping
    learning_rate: float
    tokens: int  # of the whole batch
    skipped: bool  # the gradients were not finite, so the weights stayed
    seconds: float


def train_step(state: State, batch: Batch) -> StepMetrics:
    """Moves the weights along `batch`, this process's part of the whole, unless a gradient is not finite."""
    started = time.perf_counter()
    learning_rate = state.learning_rate(state.progress.step)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate
    state.model.train()
    num_targets, num_tokens = total(state, [batch.num_targets, batch.tokens.numel()])
    loss = total(state, [_accumulate_gradients(state, batch, num_targets)])[0] / num_targets
    grad_norm = float(state.accelerator.clip_grad_norm_(state.model.parameters(), state.max_grad_norm))
    skipped = not math.isfinite(grad_norm)
    if not skipped:
        state.optimizer.step()
    state.optimizer.zero_grad()
    _advance(state.progress, int(num_tokens), skipped)
    return StepMetrics(loss, grad_norm, learning_rate, int(num_tokens), skipped, time.perf_counter() - started)


def validation_loss(state: State, batches: Iterable[Batch]) -> float:
    """The mean loss in nats over the targets of all batches of all processes; the weights stay."""
    model = state.accelerator.unwrap_model(state.model).eval()  # processes may have unequal numbers of batches
    loss, num_targets = 0.0, 0
    with torch.no_grad():
        for batch in batches:
            loss += float(summed_loss(model, batch.to(state.accelerator.device)))
            num_targets += batch.num_targets
    loss, num_targets_of_all = total(state, [loss, num_targets])
    return loss / max(1.0, num_targets_of_all)


def total(state: State, values: list[float]) -> list[float]:
    """The sum of each value over all processes."""
    if state.accelerator.num_processes == 1:
        return values
    tensor = torch.tensor(values, dtype=torch.float64, device=state.accelerator.device)
    summed: Tensor = state.accelerator.reduce(tensor, reduction="sum")
    return summed.tolist()


def _accumulate_gradients(state: State, batch: Batch, num_targets: float) -> float:
    """This process's summed loss. Leaves the gradient of the mean loss of the whole batch behind, on every process."""
    loss = 0.0
    scale = state.accelerator.num_processes / max(1.0, num_targets)  # the processes' gradients get averaged
    passes = list(batch.passes(state.sequences_per_pass))
    for number, piece in enumerate(passes, start=1):
        with _synchronized(state, number == len(passes)):
            piece_loss = summed_loss(state.model, piece.to(state.accelerator.device))
            state.accelerator.backward(piece_loss * scale)
        loss += float(piece_loss.detach())
    return loss


def _synchronized(state: State, last: bool) -> AbstractContextManager[None]:
    """The gradients of all processes are averaged in the last pass only."""
    no_sync: AbstractContextManager[None] = state.accelerator.no_sync(state.model)
    return nullcontext() if last else no_sync


def _advance(progress: Progress, num_tokens: int, skipped: bool) -> None:
    progress.step += 1
    progress.tokens += num_tokens
    progress.num_skipped += skipped
    progress.num_skipped_in_a_row = progress.num_skipped_in_a_row + 1 if skipped else 0
