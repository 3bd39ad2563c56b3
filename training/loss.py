"""The loss of packed sequences: next-token cross-entropy in which no document sees another."""

from torch import Tensor, nn
from torch.nn import functional

from training.data import IGNORED, Batch


def summed_loss(model: nn.Module, batch: Batch) -> Tensor:
    """The cross-entropy in nats, summed over the targets of the batch; a scalar, float32.

    Three conditions make transformers keep packed documents apart, and it says nothing when one is broken: positions
    that begin at 0 in every document, no attention mask, and no cache.
    """
    logits = model(
        input_ids=batch.tokens, position_ids=batch.positions, attention_mask=None, use_cache=False
    ).logits  # (sequences, length, vocabulary)
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), batch.targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )
