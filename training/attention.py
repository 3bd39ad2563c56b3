"""Causal attention in which no document of a packed batch sees another: one function, three kernels under it.

It is registered with transformers' AttentionInterface, without a mask function: so transformers builds no mask at all,
and the only thing that keeps documents apart is `boundaries`, which `training.loss` passes through the model.
"""

import inspect
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.nn import functional
from transformers import AttentionInterface

from training import context_parallel

KERNELS = ("flash_attn", "varlen", "sdpa")
BUILT_IN_VARLEN = "torch.nn.attention.varlen"


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    kernel: str,
    scaling: float,
    boundaries: Tensor | None = None,
    longest: int | None = None,
    context: ProcessGroup | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Queries (B, heads, T, d) to outputs (B, T, heads, d of values); keys and values may have fewer heads.

    `boundaries`, int32, are the places in the flattened B x T where a document begins, and at last B x T; None: each
    row is one document. `longest` is no less than the length of the longest document, in tokens.
    `context`: the processes that hold the other parts of the sequences, which `boundaries` and `longest` are of.
    """
    assert attention_mask is None, "a mask would be another idea of what sees what"
    assert dropout == 0.0
    if context is not None:
        query, key, value = (context_parallel.whole_sequences(tensor, context) for tensor in (query, key, value))
    rows, _heads, length, _size = query.shape
    if boundaries is None:
        boundaries = torch.arange(0, (rows + 1) * length, length, dtype=torch.int32, device=query.device)
    q, k, v = (tensor.transpose(1, 2).flatten(0, 1) for tensor in (query, key, value))  # (B T, heads, d)
    attend = {"flash_attn": _flash_attn, "varlen": _varlen, "sdpa": _sdpa}[kernel]
    attended = attend(q, k, v, boundaries, longest or length, scaling)
    attended = attended.view(rows, length, *attended.shape[1:])
    return attended if context is None else context_parallel.all_heads(attended, context), None


def implementation(kernel: str) -> str:
    """The name of `packed_attention` with this kernel, for transformers."""
    return f"packed_{kernel}"


for _kernel in KERNELS:
    AttentionInterface.register(implementation(_kernel), partial(packed_attention, kernel=_kernel))


def choose(asked: str, device: torch.device) -> str:
    """The kernel for `device`. ValueError where there is none as asked: nothing slower is taken unasked."""
    on_gpu = device.type == "cuda"
    there = {"flash_attn": on_gpu and _is_there("flash_attn"), "varlen": on_gpu and _is_there(BUILT_IN_VARLEN)}
    there["sdpa"] = asked == "sdpa" or not on_gpu
    found = [kernel for kernel in KERNELS if there[kernel] and asked in ("auto", kernel)]
    if found:
        return found[0]
    raise ValueError(
        f"kernels.attention is {asked!r}, but no such kernel is there for {device}: "
        f"flash_attn needs a GPU and the package flash-attn, varlen a GPU and {BUILT_IN_VARLEN} of "
        'PyTorch 2.10 or newer; install one, or set "sdpa", which attends to one document after the other'
    )


def describe(kernel: str) -> str:
    """For the line that a run begins with."""
    return {
        "flash_attn": "flash-attn package",
        "varlen": f"{BUILT_IN_VARLEN} (FlashAttention in PyTorch)",
        "sdpa": "scaled_dot_product_attention, document by document",
    }[kernel]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


@torch.compiler.disable  # type: ignore[untyped-decorator]  # other lengths would be compiled anew
def _sdpa(query: Tensor, key: Tensor, value: Tensor, boundaries: Tensor, _longest: int, scale: float) -> Tensor:
    """One document after the other."""
    value, size = _as_wide_as(query, value), value.shape[-1]
    lengths = [length for length in boundaries.diff().tolist() if length]
    documents = zip(*(torch.split(tensor, lengths) for tensor in (query, key, value)), strict=True)
    grouped = query.shape[1] != key.shape[1]
    outputs = [
        functional.scaled_dot_product_attention(
            q.transpose(0, 1)[None],
            k.transpose(0, 1)[None],
            v.transpose(0, 1)[None],
            is_causal=True,
            scale=scale,
            enable_gqa=grouped,
        )[0, ..., :size].transpose(0, 1)
        for q, k, v in documents
    ]
    return torch.cat(outputs)


def _varlen(query: Tensor, key: Tensor, value: Tensor, boundaries: Tensor, longest: int, scale: float) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = _in_half_precision(query, key, value)
    keywords = _varlen_keywords(query.shape[1] != key.shape[1])
    if "enable_gqa" not in keywords:
        repeats = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
    if "scale" in keywords:
        keywords["scale"] = scale
    else:
        query = query * (scale * query.shape[-1] ** 0.5)
    value, size = _as_wide_as(query, value), value.shape[-1]
    attended = varlen_attn(query, key, value, boundaries, boundaries, longest, longest, **keywords)
    assert isinstance(attended, Tensor)
    return attended[..., :size]


@cache
def _varlen_parameters() -> frozenset[str]:
    from torch.nn.attention.varlen import varlen_attn

    return frozenset(inspect.signature(varlen_attn).parameters)


def _varlen_keywords(grouped: bool) -> dict[str, Any]:
    """What says "causal" and "grouped" to the function of this PyTorch: it changed from 2.10 to 2.13."""
    known = _varlen_parameters()
    keywords: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in known else {"is_causal": True}
    if "scale" in known:
        keywords["scale"] = None
    if "enable_gqa" in known:
        keywords["enable_gqa"] = grouped
    return keywords


def _flash_attn(query: Tensor, key: Tensor, value: Tensor, boundaries: Tensor, longest: int, scale: float) -> Tensor:
    from flash_attn import flash_attn_varlen_func

    query, key, value = _in_half_precision(query, key, value)
    value, size = _as_wide_as(query, value), value.shape[-1]
    attended: Tensor = flash_attn_varlen_func(
        query, key, value, boundaries, boundaries, longest, longest, softmax_scale=scale, causal=True
    )
    return attended[..., :size]


def _as_wide_as(query: Tensor, value: Tensor) -> Tensor:
    """MLA has values of another size than keys, but kernels that keep no scores know one size only."""
    missing = query.shape[-1] - value.shape[-1]
    return functional.pad(value, (0, missing)) if missing else value


def _in_half_precision(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Under autocast, rotary positions leave float32 behind. ValueError where nothing says which half to take."""
    if tensors[0].dtype in (torch.bfloat16, torch.float16):
        return tuple(tensor.to(tensors[0].dtype) for tensor in tensors)
    if not torch.is_autocast_enabled("cuda"):
        raise ValueError(
            f"FlashAttention works in bfloat16, got {tensors[0].dtype}; train in bfloat16, or set kernels.attention to "
            '"sdpa"'
        )
    return tuple(tensor.to(torch.get_autocast_dtype("cuda")) for tensor in tensors)
