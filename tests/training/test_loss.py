"""A packed sequence teaches what its documents teach one by one."""

from functools import partial

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters
from torch.nn import functional

from training import model
from training.config import Kernels
from training.data import Batch, as_batch
from training.loss import document_boundaries, summed_loss

DOCUMENTS = [[0, *range(10, 30), 1], [0, 7, 1], [0, *range(50, 80), 1], [0, 9, 9, 9, 1]]


def gradients(network, batches) -> tuple[float, dict[str, torch.Tensor]]:
    network.zero_grad()
    losses = [summed_loss(network, batch) for batch in batches]
    for loss in losses:
        loss.backward()
    return sum(loss.item() for loss in losses), {name: p.grad.clone() for name, p in network.named_parameters()}


def largest_difference(left, right) -> float:
    return max(float((left[name] - right[name]).abs().max() / left[name].abs().max()) for name in left)


SHAPES = {
    "multi-head": {"num_kv_heads": 4},
    "grouped-query": {"num_kv_heads": 2},
    "latent, experts": {
        "kind": "deepseek_v2",
        "num_kv_heads": None,
        "latent_attention": {
            "kv_rank": 16, "query_rank": 24, "nope_head_size": 8, "rope_head_size": 4, "value_head_size": 8
        },
        "experts": {
            "num_routed": 8, "num_per_token": 2, "num_shared": 1, "intermediate_size": 16, "balance_alpha": 0.0
        },
    },
}  # fmt: skip


@pytest.fixture(params=SHAPES)
def network(request, settings, vocabulary):
    return model.build(settings(model=SHAPES[request.param]).model, vocabulary, seed=0)


@pytest.fixture
def packed(vocabulary) -> Batch:
    """Two rows, so that it is no matter of the batch having one, and padding at the end."""
    rows = [[token for document in order for token in document] + [2] * 4 for order in (DOCUMENTS, DOCUMENTS[::-1])]
    return as_batch(np.array(rows, dtype=np.int32), vocabulary)


@pytest.fixture
def separate(vocabulary) -> list[Batch]:
    return [as_batch(np.array([document], dtype=np.int32), vocabulary) for document in DOCUMENTS] * 2


def test_packed_documents_have_the_loss_and_gradients_of_separate_ones(network, packed, separate):
    loss, together = gradients(network, [packed])
    expected, apart = gradients(network, separate)
    assert packed.num_targets == sum(batch.num_targets for batch in separate)
    assert loss == pytest.approx(expected, rel=1e-6)
    assert largest_difference(apart, together) < 1e-5


def test_the_loss_is_that_of_transformers_own_attention_and_all_logits(network, packed):
    loss, ours = gradients(network, [packed])
    network.set_attn_implementation("sdpa")
    network.zero_grad()
    logits = network(input_ids=packed.tokens, position_ids=packed.positions, use_cache=False).logits
    expected = functional.cross_entropy(logits.flatten(0, 1), packed.targets.flatten(), reduction="sum")
    expected.backward()
    assert loss == pytest.approx(float(expected), rel=1e-6)
    assert largest_difference({name: p.grad for name, p in network.named_parameters()}, ours) < 1e-5


@pytest.mark.parametrize("checkpointing", [False, True])
def test_computing_each_layer_twice_changes_nothing(network, packed, checkpointing):
    loss, expected = gradients(network, [packed])
    network.train()
    model.prepare(network, Kernels(activation_checkpointing=checkpointing, loss_chunk_tokens=7), torch.device("cpu"))
    again, found = gradients(network, [packed])
    assert again == pytest.approx(loss, rel=1e-6)
    assert largest_difference(expected, found) < 1e-5


COMPILED = {
    "llama": {},
    "deepseek_v2": SHAPES["latent, experts"] | {
        "experts": {"num_routed": 8, "num_per_token": 2, "num_shared": 1, "intermediate_size": 16,
                    "balance_alpha": 0.5, "num_dense_layers": 0},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", COMPILED)
def test_compiled_layers_computed_twice_change_nothing(settings, vocabulary, packed, monkeypatch, kind):
    """Without inductor and its C++ compiler: what they add is not ours."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch._dynamo.reset()
    counters.clear()
    found = []
    for kernels in (Kernels(), Kernels(compile=True, activation_checkpointing=True)):
        network = model.build(settings(model={"num_layers": 1, **COMPILED[kind]}).model, vocabulary, seed=0).train()
        model.prepare(network, kernels, torch.device("cpu"))
        results = [gradients(network, [packed]) for _ in range(2)]  # the second by what the first compiled
        found.append((results, network.take_expert_load()))
    assert counters["stats"]["unique_graphs"] > 1
    (plain, load), (compiled, load_of_compiled) = found
    for (loss, expected), (again, others) in zip(plain, compiled, strict=True):
        assert again == pytest.approx(loss, rel=1e-6)
        assert largest_difference(expected, others) < 1e-5
    assert (load is None) == (kind == "llama")
    assert load is None or load.equal(load_of_compiled)


@pytest.mark.parametrize(
    ("positions", "boundaries", "longest"),
    [
        ([[0, 1, 2, 0], [0, 0, 1, 2]], [0, 3, 4, 5, 8, 8, 8, 8, 8], 4),  # four documents; room for eight
        ([[0, 1, 2, 3, 4]], [0, 5, 5], 8),
    ],
)
def test_documents_are_where_positions_begin(positions, boundaries, longest):
    found, at_most = document_boundaries(torch.tensor(positions))
    assert (found.tolist(), found.dtype, at_most) == (boundaries, torch.int32, longest)


def test_the_comparison_sees_a_leak(network, packed, separate):
    leaking = Batch(packed.tokens, torch.arange(packed.tokens.shape[1]).expand_as(packed.tokens), packed.targets)
    loss, together = gradients(network, [leaking])
    expected, apart = gradients(network, separate)
    assert loss != pytest.approx(expected, rel=1e-4)
    assert largest_difference(apart, together) > 1e-2
