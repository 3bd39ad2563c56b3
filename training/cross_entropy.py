"""Next-token cross-entropy from hidden states, in float32, without ever holding the logits of all tokens.

At 128K tokens and 102,400 token ids the logits alone would be 54 GB. Here a chunk of tokens has its logits, its loss
and its gradient computed before the next one: the gradient is known in the forward pass, for the loss is the end.
"""

from typing import Any

import torch
from torch import Tensor

from training.data import IGNORED


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, chunk_tokens: int) -> Tensor:
    """The cross-entropy in nats of `hidden @ weight.T`, summed over the targets; a scalar, float32 or wider.

    `hidden` (N, d) and `targets` (N), int64, IGNORED where there is none; `weight` (V, d) is brought to the precision
    of `hidden` for the products, and its gradient is accumulated in float32.
    """
    loss: Tensor = _Chunked.apply(  # type: ignore[no-untyped-call]
        hidden, weight, targets, chunk_tokens, torch.is_grad_enabled()
    )
    return loss


def liger_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """The same from Liger's Triton kernel, where `check_liger` finds it."""
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

    loss: Tensor = liger_fused_linear_cross_entropy(
        hidden, weight.to(hidden.dtype), targets, ignore_index=IGNORED, reduction="sum"
    )
    return loss


def check_liger(device: torch.device) -> None:
    """ValueError where Liger's kernels cannot run."""
    if device.type != "cuda":
        raise ValueError(f'kernels.loss is "liger", whose kernels need a GPU, got the device {device}; set "chunked"')
    try:
        import liger_kernel.transformers.functional  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f'kernels.loss is "liger", which cannot be imported ({error}); install liger-kernel, or set "chunked"'
        ) from error


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk_tokens: int, with_gradients: bool
    ) -> Tensor:
        wide = torch.promote_types(hidden.dtype, torch.float32)
        matrix = weight.to(hidden.dtype)
        loss = torch.zeros((), dtype=wide, device=hidden.device)
        gradients = (torch.empty_like(hidden), torch.zeros_like(weight, dtype=wide)) if with_gradients else None
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(hidden), chunk_tokens):
                chunk = slice(start, start + chunk_tokens)
                losses, slopes = _losses(_product(hidden[chunk], matrix.T, wide), targets[chunk])
                loss += losses.sum()
                if gradients is not None:
                    slopes = slopes.to(hidden.dtype)
                    torch.mm(slopes, matrix, out=gradients[0][chunk])
                    gradients[1].add_(_product(slopes.T, hidden[chunk], wide))
        ctx.save_for_backward(*gradients or ())
        return loss

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> tuple[Tensor | None, ...]:
        of_hidden, of_weight = ctx.saved_tensors
        (scale,) = outputs
        return of_hidden * scale, of_weight * scale, None, None, None


def _losses(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Of each token the loss, and the slopes of its logits, which take the logits' place in memory."""
    counted = (targets != IGNORED)[:, None]
    places = torch.where(targets == IGNORED, 0, targets)[:, None]
    log_sums = torch.logsumexp(logits, dim=1, keepdim=True)
    losses = (log_sums - logits.gather(1, places)) * counted
    slopes = logits.sub_(log_sums).exp_()
    slopes.scatter_add_(1, places, slopes.new_full((), -1.0).expand_as(places))
    return losses, slopes.mul_(counted)


def _product(left: Tensor, right: Tensor, dtype: torch.dtype) -> Tensor:
    """A matrix product in `dtype`: on GPUs the sums of bfloat16 products leave the tensor cores unrounded."""
    if left.is_cuda and left.dtype != dtype:
        return torch.mm(left, right, out_dtype=dtype)
    return (left @ right).to(dtype)
