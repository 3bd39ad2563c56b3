"""Cross-entropy in chunks is that of all logits, in value and gradients; bfloat16 within the rounding of its inputs."""

import sys

import pytest
import torch
from torch.nn import functional

from training.cross_entropy import check_liger, linear_cross_entropy
from training.data import IGNORED


def case(dtype, num_tokens=50, width=16, vocab=37):
    torch.manual_seed(0)
    hidden = torch.randn(num_tokens, width).to(dtype).requires_grad_()
    weight = torch.randn(vocab, width).requires_grad_()
    targets = torch.randint(0, vocab, (num_tokens,))
    targets[::5] = IGNORED
    return hidden, weight, targets


def exact(hidden, weight, targets):
    """In float64, from the same rounded inputs."""
    hidden, weight = (t.detach().to(hidden.dtype).double().requires_grad_() for t in (hidden, weight))
    loss = functional.cross_entropy(hidden @ weight.T, targets, ignore_index=IGNORED, reduction="sum")
    return loss, *torch.autograd.grad(3 * loss, (hidden, weight))


@pytest.mark.parametrize("chunk_tokens", [1, 7, 50, 4096])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_it_is_the_cross_entropy_of_all_logits(dtype, tolerance, chunk_tokens):
    hidden, weight, targets = case(dtype)
    loss = linear_cross_entropy(hidden, weight, targets, chunk_tokens)
    found = (loss, *torch.autograd.grad(3 * loss, (hidden, weight)))  # 3: what comes from above matters
    assert loss.dtype == torch.promote_types(dtype, torch.float32)
    assert found[2].dtype == torch.float32  # of the weight, whatever the products are computed in
    for ours, expected in zip(found, exact(hidden, weight, targets), strict=True):
        assert float((ours.detach().double() - expected).norm() / expected.norm()) < tolerance


def test_without_targets_there_is_no_loss_and_no_gradient():
    hidden, weight, targets = case(torch.float32)
    loss = linear_cross_entropy(hidden, weight, torch.full_like(targets, IGNORED), 8)
    assert float(loss) == 0
    assert all(not grad.any() for grad in torch.autograd.grad(loss, (hidden, weight)))


def test_no_more_than_a_chunk_of_logits_is_ever_held(monkeypatch):
    sizes = []
    log_sum = torch.logsumexp
    monkeypatch.setattr(
        torch, "logsumexp", lambda logits, **k: sizes.append(tuple(logits.shape)) or log_sum(logits, **k)
    )
    hidden, weight, targets = case(torch.float32)
    with torch.no_grad():
        linear_cross_entropy(hidden, weight, targets, 20)
    assert sizes == [(20, 37), (20, 37), (10, 37)]


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", 'kernels.loss is "liger", which cannot be imported .* or set "chunked"'),
        ("cpu", 'kernels.loss is "liger", whose kernels need a GPU, got the device cpu; set "chunked"'),
    ],
)
def test_liger_where_it_cannot_run_says_what_to_do(monkeypatch, device, message):
    monkeypatch.setitem(sys.modules, "liger_kernel", None)
    with pytest.raises(ValueError, match=message):
        check_liger(torch.device(device))
