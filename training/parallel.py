"""How the processes of a run share the work: which batch each one sees, and which part of the model each one holds.

The sharding is PyTorch's own: DistributedDataParallel (put on by accelerate), or `fully_shard`, which covers ZeRO-1 to
3 (1910.02054, section 5), alone or over layers that `tensor_parallel` has split.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from training import tensor_parallel
from training.config import Parallel


@dataclass(frozen=True)
class Layout:
    """The place of this process: numbered by data first, tensor last, so that tensor neighbours share a machine."""

    num_processes: int
    rank: int
    tensor: int  # so many processes hold the parts of one layer, and see the same sequences
    context: int  # so many process groups of these hold the parts of a sequence

    @property
    def num_data(self) -> int:
        """How many processes see sequences of their own."""
        return self.num_processes // (self.tensor * self.context)

    @property
    def data_rank(self) -> int:
        return self.rank // (self.tensor * self.context)

    @property
    def num_averaged(self) -> int:
        """How many processes' gradients get averaged: each is of tokens of its own."""
        return self.num_processes // self.tensor


def layout(settings: Parallel, num_sequences: int, num_processes: int, rank: int) -> Layout:
    """ValueError where a step of `num_sequences` cannot be spread over the processes as the settings ask."""
    if num_processes % (settings.tensor * settings.context):
        raise ValueError(
            f"parallel.tensor is {settings.tensor} and parallel.context {settings.context}, but there are "
            f"{num_processes} processes; start a multiple of {settings.tensor * settings.context}"
        )
    place = Layout(num_processes, rank, settings.tensor, settings.context)
    if num_sequences < place.num_data:
        raise ValueError(
            f"batch.num_sequences is {num_sequences}, but there are {num_processes} processes; each needs at least one"
        )
    if settings.strategy == "fsdp" and num_sequences % place.num_data:
        raise ValueError(
            f'batch.num_sequences is {num_sequences}, but parallel.strategy = "fsdp" gives {place.num_data} processes '
            "an equal number each; take a multiple"
        )
    return place


def shard(model: nn.Module, settings: Parallel, place: Layout, device: torch.device, compute: torch.dtype) -> None:
    """Leaves this process its part of `model`, in place. Weights stay float32; `compute` is what layers work in."""
    mesh = init_device_mesh(device.type, (place.num_averaged, place.tensor), mesh_dim_names=("data", "tensor"))
    layers = model.get_submodule("model.layers")
    if settings.tensor > 1:
        for layer in layers.children():
            tensor_parallel.split(layer, mesh["tensor"])
    policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
    for module in [*layers.children(), model]:
        fully_shard(module, mesh=mesh["data"], mp_policy=policy, reshard_after_forward=settings.zero_stage == 3)


def context_group(place: Layout, device: torch.device) -> ProcessGroup | None:
    """The processes that hold the other parts of this one's sequences. All processes call it, or none."""
    if place.context == 1:
        return None
    sizes = (place.num_data, place.context, place.tensor)
    return init_device_mesh(device.type, sizes, mesh_dim_names=("data", "context", "tensor")).get_group("context")


def check(model: nn.Module, settings: Parallel) -> None:
    """ValueError where layers or sequences of `model` cannot be split as the settings ask."""
    config: Any = model.config
    split = settings.tensor * settings.context
    sizes = [config.intermediate_size]
    if config.model_type == "deepseek_v2":
        sizes += [config.n_routed_experts, config.n_shared_experts * config.moe_intermediate_size]
    if config.num_key_value_heads % split or any(size % settings.tensor for size in sizes):
        raise ValueError(
            f"parallel.tensor {settings.tensor} x parallel.context {settings.context} must divide the model's "
            f"{config.num_key_value_heads} key-value heads, and tensor its intermediate_size {config.intermediate_size}"
            + " and its experts"
            * (len(sizes) > 1)
        )


def synchronized(
    accelerator: Accelerator, model: nn.Module, zero_stage: int, last: bool
) -> AbstractContextManager[None]:
    """What surrounds a pass: where it is not the `last` of its step, processes exchange as little as they can."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(last or zero_stage >= 2)  # ZeRO-1 keeps whole gradients until the last pass
        model.set_reshard_after_backward(last or zero_stage == 3)  # ZeRO-1 and 2 keep whole weights until then
        model.set_is_last_backward(last)
    no_sync: AbstractContextManager[None] = accelerator.no_sync(model)
    return nullcontext() if last else no_sync


def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    """Scales all gradients so that their norm over all processes is at most `max_norm`; returns what it was."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    parts: dict[tuple[ProcessGroup, ...], list[Tensor]] = {}
    for gradient in gradients:
        parts.setdefault(_spread_over(gradient), []).append(_local(gradient))
    norm = torch.stack([_norm(tensors, groups) for groups, tensors in parts.items()]).norm()
    scale = max_norm / (float(norm) + 1e-6)
    if scale < 1:
        torch._foreach_mul_([_local(gradient) for gradient in gradients], scale)
    return float(norm)


def _spread_over(tensor: Tensor) -> tuple[ProcessGroup, ...]:
    """The groups of processes that each hold a different part of `tensor`."""
    if not isinstance(tensor, DTensor):
        return ()
    return tuple(
        tensor.device_mesh.get_group(dimension)
        for dimension, placement in enumerate(tensor.placements)
        if not placement.is_replicate()
    )


def _local(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _norm(tensors: list[Tensor], groups: tuple[ProcessGroup, ...]) -> Tensor:
    square = nn.utils.get_total_norm(tensors).square()
    for group in groups:
        dist.all_reduce(square, group=group)
    return square.sqrt()
