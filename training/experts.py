"""The routed experts of a layer as one grouped matrix product for each of their weights; none drops a token.

transformers has the same in `grouped_mm`, but that multiplies in float32 under autocast, at a fraction of the speed.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.integrations.moe import ExpertsInterface

from training import tensor_parallel

GROUPED = "packed_grouped"


@torch.compiler.disable  # type: ignore[untyped-decorator]  # compiled, PyTorch's grouped product takes bfloat16 only
def grouped_experts(experts: Any, hidden: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of what its experts make of each token: `hidden` (T, d), `chosen` and `weights` (T, K); (T, d).

    `experts` holds gate_up_proj (E, 2 f, d) and down_proj (E, d, f). bfloat16 under autocast, else as the weights are.
    Where a group of processes shares the experts (`training.tensor_parallel`), it holds those of this one.
    """
    group = getattr(experts, "group", None)
    if group is None:
        return _weighted_sum(experts, experts.gate_up_proj, experts.down_proj, hidden, chosen, weights)
    matrices = experts.gate_up_proj.to_local(), experts.down_proj.to_local()
    hidden, weights = tensor_parallel.shared(hidden, group), tensor_parallel.shared(weights, group)
    own = chosen - group.rank() * len(matrices[0])
    return tensor_parallel.summed(_weighted_sum(experts, *matrices, hidden, own, weights), group)


def _weighted_sum(
    experts: Any, gate_up: Tensor, down: Tensor, hidden: Tensor, chosen: Tensor, weights: Tensor
) -> Tensor:
    """Over the experts at hand, which are those of `gate_up` and `down`; another one of `chosen` adds nothing."""
    kind, per_token, number = hidden.device.type, chosen.shape[1], len(gate_up)
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else gate_up.dtype
    expert = chosen.flatten()
    if number < experts.num_experts:
        expert = torch.where((expert >= 0) & (expert < number), expert, number)  # those of other processes come last
    by_expert = expert.argsort(stable=True)
    ends = torch.bincount(expert, minlength=number)[:number].cumsum(0).to(torch.int32)
    if number < experts.num_experts:
        by_expert = by_expert[: int(ends[-1])]
    rows = hidden.to(dtype)[by_expert // per_token]  # each expert's together; (T K, d) where all are at hand
    gate, up = _product(rows, gate_up, ends).chunk(2, dim=-1)
    rows = _product(experts.act_fn(gate) * up, down, ends)
    in_order = rows.new_zeros(len(expert), rows.shape[1]).index_copy(0, by_expert, rows).view(*chosen.shape, -1)
    return (in_order * weights[..., None]).sum(dim=1).to(hidden.dtype)


def _product(rows: Tensor, matrices: Tensor, ends: Tensor) -> Tensor:
    """Each group of `rows` (R, i), which ends before `ends`, times its own of `matrices` (E, o, i): (R, o)."""
    product: Tensor = functional.grouped_mm(rows, matrices.to(rows.dtype).transpose(-2, -1), offs=ends)
    return product


ExpertsInterface.register(GROUPED, grouped_experts)
