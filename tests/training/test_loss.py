"""A packed sequence teaches what its documents teach one by one."""

import numpy as np
import pytest
import torch

from training import model
from training.data import Batch, as_batch
from training.loss import summed_loss

DOCUMENTS = [[0, *range(10, 30), 1], [0, 7, 1], [0, *range(50, 80), 1], [0, 9, 9, 9, 1]]


def gradients(network, batches) -> tuple[float, dict[str, torch.Tensor]]:
    network.zero_grad()
    losses = [summed_loss(network, batch) for batch in batches]
    for loss in losses:
        loss.backward()
    return sum(loss.item() for loss in losses), {name: p.grad.clone() for name, p in network.named_parameters()}


def largest_difference(left, right) -> float:
    return max(float((left[name] - right[name]).abs().max() / left[name].abs().max()) for name in left)


@pytest.fixture(params=[4, 2], ids=["multi-head", "grouped-query"])
def network(request, settings, vocabulary):
    return model.build(settings(model={"num_kv_heads": request.param}).model, vocabulary, seed=0)


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


def test_the_comparison_sees_a_leak(network, packed, separate):
    leaking = Batch(packed.tokens, torch.arange(packed.tokens.shape[1]).expand_as(packed.tokens), packed.targets)
    loss, together = gradients(network, [leaking])
    expected, apart = gradients(network, separate)
    assert loss != pytest.approx(expected, rel=1e-4)
    assert largest_difference(apart, together) > 1e-2
