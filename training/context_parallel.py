"""Long sequences over several processes, each with a part of every sequence: DeepSpeed-Ulysses (2309.14509, section 3).

All of a layer but its attention looks at one token at a time. Around attention the processes exchange: a part of the
sequence with all heads becomes the whole sequence with a part of the heads, and back. So every attention kernel works
as it is, and documents stay apart. (PyTorch's own ring attention knows no documents, and does not run on processors.)
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup

from training.data import Batch


def part(batch: Batch, group: ProcessGroup) -> Batch:
    """This process's tokens of each sequence. ValueError where they cannot be dealt out evenly."""
    size, length = group.size(), batch.tokens.shape[1]
    if length % size:
        raise ValueError(f"parallel.context is {size}, but the sequences are {length} tokens long; take a divisor")
    return Batch(*(t.chunk(size, dim=1)[group.rank()] for t in (batch.tokens, batch.positions, batch.targets)))


def total(tensor: Tensor, group: ProcessGroup | None) -> Tensor:
    """The sum over the processes of a group, if there is one; no gradient goes through it."""
    if group is None:
        return tensor
    summed = tensor.detach().clone()
    dist.all_reduce(summed, group=group)
    return summed


def whole_sequences(tensor: Tensor, group: ProcessGroup) -> Tensor:
    """(B, heads, part of T, d) to (B, part of the heads, T, d)."""
    return _exchanged(tensor, group, split=1, join=2)


def all_heads(tensor: Tensor, group: ProcessGroup) -> Tensor:
    """(B, T, part of the heads, d) to (B, part of T, heads, d)."""
    return _exchanged(tensor, group, split=1, join=2)


def _exchanged(tensor: Tensor, group: ProcessGroup, split: int, join: int) -> Tensor:
    exchanged: Tensor = _Exchange.apply(tensor, group, split, join)  # type: ignore[no-untyped-call]
    return exchanged


class _Exchange(torch.autograd.Function):
    """Deals the pieces of dimension `split` out to the processes, and puts what they send together along `join`."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: ProcessGroup, split: int, join: int) -> Tensor:
        ctx.back = group, join, split
        pieces = torch.stack(tensor.chunk(group.size(), dim=split))
        received = torch.empty_like(pieces)
        dist.all_to_all_single(received, pieces, group=group)
        return torch.cat(list(received), dim=join)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _exchanged(gradient, *ctx.back), None, None, None
