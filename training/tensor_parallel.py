"""Layers over several processes: heads of attention and columns of an MLP (1909.08053, section 3), and whole experts.

Every process sees the same tokens, so experts need no exchange of tokens: each process adds up what its own experts
make of them, and one sum over the processes follows, as after an MLP.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, ParallelStyle, RowwiseParallel, parallelize_module

COLUMNS = ("q_proj", "k_proj", "v_proj", "q_b_proj", "kv_b_proj", "gate_proj", "up_proj")  # of heads, or of an MLP
ROWS = ("o_proj", "down_proj")


def split(layer: nn.Module, mesh: DeviceMesh) -> None:
    """Leaves this process its part of a layer of a Llama or DeepSeek-V2, in place.

    What is small stays whole everywhere: norms, routers, and what makes the latent vectors of DeepSeek-V2.
    """
    plan: dict[str, ParallelStyle] = {}
    for name, module in layer.named_modules():
        kind = name.rpartition(".")[2]
        if kind in COLUMNS:
            plan[name] = ColwiseParallel()
        elif kind in ROWS and isinstance(module, nn.Linear):
            plan[name] = RowwiseParallel()
        elif kind == "kv_a_proj_with_mqa":
            plan[name] = _SharedKeys(layer.get_submodule("self_attn"))
        elif kind == "experts":
            plan[name] = _WholeExperts()
    parallelize_module(layer, mesh, plan)


def shared(tensor: Tensor, group: ProcessGroup) -> Tensor:
    """The same tensor, which all processes have: its gradient is the sum of theirs."""
    result: Tensor = _Shared.apply(tensor, group)  # type: ignore[no-untyped-call]
    return result


def summed(tensor: Tensor, group: ProcessGroup) -> Tensor:
    """The sum of the processes' tensors: its gradient, which all have, is that of each."""
    result: Tensor = _Summed.apply(tensor, group)  # type: ignore[no-untyped-call]
    return result


class _SharedKeys(ParallelStyle):
    """Every head has the same keys with positions: each process's heads give a part of their gradient. (That of the
    latent vector is summed by the projection which comes after it.)"""

    def __init__(self, attention: Any) -> None:
        self._sizes = [attention.kv_lora_rank, attention.qk_rope_head_dim]

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        group = device_mesh.get_group()

        def share(_module: nn.Module, _arguments: Any, output: Tensor) -> Tensor:
            latent, keys = torch.split(output, self._sizes, dim=-1)
            return torch.cat([latent, shared(keys, group)], dim=-1)

        module.register_forward_hook(share)
        return module


class _WholeExperts(ParallelStyle):
    """Each process holds as many experts as any other, in order; `training.experts` finds the group with them."""

    def _apply(self, module: nn.Module, device_mesh: DeviceMesh) -> nn.Module:
        for name, parameter in list(module.named_parameters()):
            module.register_parameter(name, nn.Parameter(distribute_tensor(parameter, device_mesh, [Shard(0)])))
        module.group = device_mesh.get_group()  # type: ignore[assignment]
        return module


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: ProcessGroup) -> Tensor:
        ctx.group = group
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        gradient = gradients[0].contiguous().clone()
        dist.all_reduce(gradient, group=ctx.group)
        return gradient, None


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: ProcessGroup) -> Tensor:
        total = tensor.contiguous().clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None
