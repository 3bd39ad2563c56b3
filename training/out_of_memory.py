"""Says what to lower when memory runs out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from training.config import TrainingConfig

SIGNS = ("out of memory", "can't allocate memory", "not enough memory")  # of PyTorch's allocators, which share no type


@contextmanager
def explained(config: TrainingConfig, sequence_length: int, num_processes: int) -> Iterator[None]:
    """Turns a failed allocation into a ValueError that names the settings that help, the cheapest first."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not any(s in str(error) for s in SIGNS):
            raise
        advice = "; ".join(_advice(config, num_processes))
        first_line = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"out of memory at sequences of {sequence_length} tokens ({first_line}). The last checkpoint is as it was. "
            f"In the settings, {advice}; none of these changes the result"
        ) from error


def _advice(config: TrainingConfig, num_processes: int) -> Iterator[str]:
    parallel = config.parallel
    num_data = max(1, num_processes // (parallel.tensor * parallel.context))
    held = config.batch.sequences_per_pass or -(-config.batch.num_sequences // num_data)
    if held > 1:
        yield f"lower batch.sequences_per_pass from {held} to {held // 2}"
    if not config.kernels.activation_checkpointing:
        yield "set kernels.activation_checkpointing = true"
    if parallel.strategy == "ddp":
        yield 'set parallel.strategy = "fsdp" and start several processes, which then hold a part of the model each'
        return
    if parallel.zero_stage < 3:
        yield f"raise parallel.zero_stage from {parallel.zero_stage} to 3"
    yield f"for long sequences, raise parallel.context from {parallel.context} to {2 * parallel.context}"
    yield f"start more processes, or raise parallel.tensor from {parallel.tensor} to {2 * parallel.tensor}"
