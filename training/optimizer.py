"""AdamW with the decay where it belongs: on matrices, not on the scales of the norms."""

import torch
from torch import nn

from training.config import Optimizer


def build(model: nn.Module, settings: Optimizer) -> torch.optim.AdamW:
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    betas = (settings.beta1, settings.beta2)
    return torch.optim.AdamW(groups, lr=settings.peak_learning_rate, betas=betas, eps=settings.epsilon, fused=True)
