"""Keeps a mixture of experts in balance (2405.04434, section 2.2.3), and tells how well it is.

transformers' DeepSeek-V2 routes, but has no balance loss. No token is ever dropped: experts take as many as they get.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2TopkRouter

from training.context_parallel import total
from training.shape import Experts


@dataclass(frozen=True)
class Routing:
    """What the router of one layer decided, over all tokens in order."""

    logits: Tensor  # (tokens, experts), before the softmax
    chosen: Tensor  # (tokens, experts per token)


class Listener:
    """Hears what the routers of a model decide, in the order of the layers."""

    def __init__(self, model: nn.Module) -> None:
        self._heard: list[Routing] | None = None
        for module in model.modules():
            if isinstance(module, DeepseekV2TopkRouter):
                module.register_forward_hook(self._note)

    @contextmanager
    def listening(self) -> Iterator[list[Routing]]:
        """While entered, the list that is yielded gains a routing from each router that is passed."""
        heard: list[Routing] = []
        self._heard = heard
        try:
            yield heard
        finally:
            self._heard = None  # the backward pass may compute a layer once more, which must not count

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # compiled code would keep the list that it first met
    def _note(self, _router: nn.Module, _arguments: Any, outputs: tuple[Tensor, Tensor, Tensor]) -> None:
        if self._heard is not None:
            self._heard.append(Routing(outputs[0], outputs[2]))


def balance_loss(routing: Routing, counted: Tensor, experts: Experts, context: ProcessGroup | None = None) -> Tensor:
    """Of each sequence, over the tokens that are `counted` (S, T): the balance losses of one layer, each times its
    alpha; shape (S,).

    All are sums of f P (equations 23 to 31), and 1 is perfect balance. Over experts: f_i is the share of tokens that
    chose expert i, times experts / experts per token; P_i the mean of its score after the softmax. Over devices, which
    hold a group of experts each: the mean of their f_i, and the sum of their P_i. Over what is sent to devices: the
    share of tokens that chose any of their experts, times devices / devices per token, and again the sum of P_i.

    With `context`, of which each process holds a part of every sequence, f is of the whole and P is the part's share
    in it: the losses of the processes add up to the loss, and so do their gradients.
    """
    num_tokens = total(counted.sum(dim=1, keepdim=True), context).clamp(min=1)
    scores = routing.logits.float().softmax(dim=-1).view(*counted.shape, -1)
    mean_scores = (scores * counted[..., None]).sum(dim=1) / num_tokens
    times = total(_times_chosen(routing, counted), context) / num_tokens
    shares = times * (experts.num_routed / experts.num_per_token)
    losses: Tensor = experts.balance_alpha * (shares * mean_scores).sum(dim=-1)
    if not (experts.device_balance_alpha or experts.communication_balance_alpha):
        return losses
    by_device = (len(counted), experts.num_groups, -1)
    scores_of_devices, shares_of_devices = mean_scores.view(by_device).sum(dim=-1), shares.view(by_device).mean(dim=-1)
    sent = total(_times_sent(routing, counted, experts), context) / num_tokens
    sent *= experts.num_groups / experts.groups_per_token
    weights = experts.device_balance_alpha * shares_of_devices + experts.communication_balance_alpha * sent
    losses += (weights * scores_of_devices).sum(dim=-1)
    return losses


def load(routing: Routing, counted: Tensor) -> Tensor:
    """How many of the counted tokens each expert got; shape (experts,)."""
    return _times_chosen(routing, counted).sum(dim=0)


def max_violation(loads: Tensor) -> Tensor:
    """Of each layer, how far its busiest expert is above the mean: 0 is perfect, 1 is twice the mean (2408.15664)."""
    return loads.max(dim=-1).values / loads.mean(dim=-1).clamp(min=1e-9) - 1


def _times_chosen(routing: Routing, counted: Tensor) -> Tensor:
    """(S, experts), float32."""
    times = torch.zeros(len(counted), routing.logits.shape[-1], device=counted.device)
    weights = counted[..., None].expand(-1, -1, routing.chosen.shape[-1]).flatten(1).float()
    return times.scatter_add(1, routing.chosen.view(len(counted), -1), weights)


def _times_sent(routing: Routing, counted: Tensor, experts: Experts) -> Tensor:
    """To each device, however many of its experts a token chose: (S, devices), float32."""
    devices = routing.chosen // (experts.num_routed // experts.num_groups)
    sent = torch.zeros(len(devices), experts.num_groups, device=devices.device).scatter(1, devices, 1.0)
    times: Tensor = (sent.view(*counted.shape, -1) * counted[..., None]).sum(dim=1)
    return times
