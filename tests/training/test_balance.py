"""The balance loss by its definition, and what it does to the gradient: nothing to the loss that is reported."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from training import balance, model
from training.data import as_batch
from training.experts import GROUPED
from training.loss import summed_loss
from training.shape import Experts

EXPERTS = {"num_routed": 4, "num_per_token": 2, "num_shared": 1, "intermediate_size": 16}
SHAPE = {
    "kind": "deepseek_v2",
    "num_kv_heads": None,
    "latent_attention": {"kv_rank": 16, "nope_head_size": 8, "rope_head_size": 4, "value_head_size": 8},
}


def build(settings, vocabulary, alpha):
    shape = settings(model={**SHAPE, "experts": {**EXPERTS, "balance_alpha": alpha}}).model
    return model.build(shape, vocabulary, seed=0).train()


@pytest.fixture
def batch(vocabulary):
    rows = [[0, *range(10, 24), 1, 2, 2], [0, 5, 5, 5, 5, 5, 5, 1, *range(30, 40)]]
    return as_batch(np.array(rows, dtype=np.int32), vocabulary)


def by_definition(logits, chosen, num_devices, devices_per_token) -> list[float]:
    """Equations 23 to 31 of 2405.04434, word for word, for one sequence: of experts, of devices, of communication."""
    num_tokens, num_experts, per_token = len(logits), len(logits[0]), len(chosen[0])
    scores = [torch.tensor(of_token).softmax(0).tolist() for of_token in logits]
    f, p = [], []
    for expert in range(num_experts):
        f.append(num_experts / (per_token * num_tokens) * sum(expert in of_token for of_token in chosen))
        p.append(sum(of_token[expert] for of_token in scores) / num_tokens)
    losses = [sum(f[expert] * p[expert] for expert in range(num_experts)), 0.0, 0.0]
    size = num_experts // num_devices
    for device in range(num_devices):
        held = range(device * size, (device + 1) * size)
        p_of_device = sum(p[expert] for expert in held)
        losses[1] += sum(f[expert] for expert in held) / size * p_of_device
        sent = sum(any(expert in held for expert in of_token) for of_token in chosen)
        losses[2] += num_devices / (devices_per_token * num_tokens) * sent * p_of_device
    return losses


@pytest.mark.parametrize("alphas", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.003, 0.05, 0.02)])
def test_the_balance_losses_are_the_papers_for_each_sequence(alphas):
    torch.manual_seed(0)
    logits = torch.randn(2, 6, 8)
    chosen = logits.topk(3, dim=-1).indices
    lengths = (6, 4)  # the rest is padding
    counted = torch.arange(6) < torch.tensor(lengths)[:, None]
    names = ("balance_alpha", "device_balance_alpha", "communication_balance_alpha")
    shape = {"num_routed": 8, "num_per_token": 3, "num_shared": 1, "intermediate_size": 8, "num_groups": 4}
    experts = Experts(**shape, groups_per_token=2, **dict(zip(names, alphas, strict=True)))
    found = balance.balance_loss(balance.Routing(logits.flatten(0, 1), chosen.flatten(0, 1)), counted, experts)
    for row, length in enumerate(lengths):
        losses = by_definition(logits[row, :length].tolist(), chosen[row, :length].tolist(), 4, 2)
        expected = sum(alpha * loss for alpha, loss in zip(alphas, losses, strict=True))
        assert float(found[row]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["device_balance_alpha", "communication_balance_alpha"])
def test_balance_over_devices_needs_groups_of_experts(name):
    with pytest.raises(ValidationError, match=rf"{name} .*need num_groups of 2 or more"):
        Experts(**EXPERTS, **{name: 0.05})


@pytest.mark.parametrize(
    ("loads", "violation"), [([4.0, 4.0, 4.0, 4.0], 0.0), ([8.0, 4.0, 4.0, 0.0], 1.0), ([16.0, 0.0, 0.0, 0.0], 3.0)]
)
def test_the_busiest_expert_tells_the_violation(loads, violation):
    assert balance.max_violation(torch.tensor([loads])).tolist() == pytest.approx([violation])


def test_it_moves_the_routers_but_not_the_loss(settings, vocabulary, batch):
    plain, balanced = build(settings, vocabulary, 0.0), build(settings, vocabulary, 0.5)
    losses = [summed_loss(network, batch) for network in (plain, balanced)]
    assert losses[0].item() == losses[1].item()
    routings = []
    hook = balanced.model.layers[1].mlp.gate.register_forward_hook(
        lambda _router, _arguments, outputs: routings.append(balance.Routing(outputs[0], outputs[2]))
    )
    summed_loss(balanced, batch)
    hook.remove()
    num_targets = (batch.targets != -100).sum(dim=1)
    counted = batch.tokens != vocabulary.pad
    extra = sum(balance.balance_loss(routing, counted, balanced.experts) for routing in routings)
    expected = torch.autograd.grad((extra * num_targets).sum(), balanced.model.layers[1].mlp.gate.weight)[0]
    for loss in losses:
        loss.backward()
    gates = [network.model.layers[1].mlp.gate.weight.grad for network in (plain, balanced)]
    torch.testing.assert_close(gates[1] - gates[0], expected, rtol=1e-4, atol=1e-6)


def test_every_token_but_padding_has_its_experts_and_none_is_dropped(settings, vocabulary, batch):
    network = build(settings, vocabulary, 0.001)
    summed_loss(network, batch)
    summed_loss(network.eval(), batch)  # validation does not count
    load = network.take_expert_load()
    assert load.shape == (1, 4)  # the first layer has no experts
    assert load.sum() == 2 * int((batch.tokens != vocabulary.pad).sum())
    assert network.take_expert_load() is None


def test_grouped_experts_are_one_after_the_other(settings, vocabulary, batch):
    network = build(settings, vocabulary, 0.0)
    assert network.config._experts_implementation == GROUPED
    results = []
    for implementation in (GROUPED, "eager"):
        network.config._experts_implementation = implementation
        network.zero_grad()
        loss = summed_loss(network, batch)
        loss.backward()
        results.append((loss.item(), torch.cat([p.grad.flatten() for p in network.parameters()])))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-6)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-5)
