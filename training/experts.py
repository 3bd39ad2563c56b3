"""The routed experts of a layer as one grouped matrix product for each of their weights; none drops a token.

transformers has the same in `grouped_mm`, but that multiplies in float32 under autocast, at a fraction of the speed.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers.integrations.moe import ExpertsInterface

GROUPED = "packed_grouped"


@torch.compiler.disable  # type: ignore[untyped-decorator]  # compiled, PyTorch's grouped product takes bfloat16 only
def grouped_experts(experts: Any, hidden: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of what its experts make of each token: `hidden` (T, d), `chosen` and `weights` (T, K); (T, d).

    `experts` holds gate_up_proj (E, 2 f, d) and down_proj (E, d, f). bfloat16 under autocast, else as the weights are.
    """
    kind, per_token = hidden.device.type, chosen.shape[1]
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else experts.gate_up_proj.dtype
    by_expert = chosen.flatten().argsort(stable=True)
    ends = torch.bincount(chosen.flatten(), minlength=experts.num_experts).cumsum(0).to(torch.int32)
    rows = hidden.to(dtype)[by_expert // per_token]  # (T K, d), each expert's together
    gate, up = _product(rows, experts.gate_up_proj, ends).chunk(2, dim=-1)
    rows = _product(experts.act_fn(gate) * up, experts.down_proj, ends)
    places = torch.empty_like(by_expert).scatter_(0, by_expert, torch.arange(len(by_expert), device=hidden.device))
    in_order = rows[places].view(*chosen.shape, -1)
    return (in_order * weights[..., None]).sum(dim=1).to(hidden.dtype)


def _product(rows: Tensor, matrices: Tensor, ends: Tensor) -> Tensor:
    """Each group of `rows` (R, i), which ends before `ends`, times its own of `matrices` (E, o, i): (R, o)."""
    product: Tensor = functional.grouped_mm(rows, matrices.to(rows.dtype).transpose(-2, -1), offs=ends)
    return product


ExpertsInterface.register(GROUPED, grouped_experts)
