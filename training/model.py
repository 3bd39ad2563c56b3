"""The model: a Hugging Face Llama or DeepSeek-V2, fresh or from a checkpoint, that trains on packed documents."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from training import attention, balance, context_parallel, hugging_face
from training.config import Kernels
from training.cross_entropy import check_liger, liger_cross_entropy, linear_cross_entropy
from training.data import IGNORED
from training.experts import GROUPED
from training.shape import Experts, Model
from training.tokenizer import Vocabulary


class Packed:
    """What training adds to a Hugging Face model: called with `targets`, it gives their summed loss, not logits.

    The loss is computed in `forward` because this is where DDP and FSDP have the weights in place.
    """

    kernels = Kernels()
    experts: Experts | None = None
    listener: balance.Listener
    expert_load: Tensor | None = None  # (layers with experts, experts): tokens since `take_expert_load`

    def forward(self, *arguments: Any, targets: Tensor | None = None, **keywords: Any) -> Any:
        if targets is None:
            return super().forward(*arguments, **keywords)  # type: ignore[misc]
        return self._loss(targets=targets, **keywords)

    def take_expert_load(self) -> Tensor | None:
        """How many tokens each expert got in training since this was last asked for; None without experts."""
        taken, self.expert_load = self.expert_load, None
        return taken

    def _loss(
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        targets: Tensor,
        boundaries: Tensor,
        longest: int,
        context: ProcessGroup | None = None,
    ) -> Tensor:
        model: Any = self
        embedded = _in_compute_precision(model.model.embed_tokens(input_ids))
        with self.listener.listening() as routings:
            hidden = model.model(
                inputs_embeds=embedded,
                position_ids=position_ids,
                attention_mask=None,
                use_cache=False,
                boundaries=boundaries,
                longest=longest,
                context=context,
            ).last_hidden_state.flatten(0, 1)
        hidden, matrix = _in_compute_precision(hidden), model.lm_head.weight
        if self.kernels.loss == "liger":
            loss = liger_cross_entropy(hidden, matrix, targets.flatten())
        else:
            loss = linear_cross_entropy(hidden, matrix, targets.flatten(), self.kernels.loss_chunk_tokens)
        if not (routings and model.training):
            return loss
        counted = input_ids != model.config.pad_token_id
        self._note_load(routings, counted)
        balancing = self._balance_loss(routings, counted, targets, context)
        return loss + (balancing - balancing.detach())  # adds nothing, but its gradient

    def _balance_loss(
        self, routings: list[balance.Routing], counted: Tensor, targets: Tensor, context: ProcessGroup | None
    ) -> Tensor:
        """Each sequence weighs as much as its targets do, so that it goes through the same mean as they."""
        assert self.experts is not None
        num_targets = context_parallel.total((targets != IGNORED).sum(dim=1), context)
        of_layers = [balance.balance_loss(routing, counted, self.experts, context) for routing in routings]
        return (torch.stack(of_layers).sum(dim=0) * num_targets).sum()

    def _note_load(self, routings: list[balance.Routing], counted: Tensor) -> None:
        with torch.no_grad():
            load = torch.stack([balance.load(routing, counted) for routing in routings])
            self.expert_load = load if self.expert_load is None else self.expert_load + load


class LlamaForCausalLM(Packed, transformers.LlamaForCausalLM):  # type: ignore[no-untyped-call]
    """Has the name of its parent, which then stands in the checkpoints."""


class DeepseekV2ForCausalLM(Packed, transformers.DeepseekV2ForCausalLM):  # type: ignore[no-untyped-call]
    """Has the name of its parent, which then stands in the checkpoints."""


CLASSES: dict[str, type[PreTrainedModel]] = {"llama": LlamaForCausalLM, "deepseek_v2": DeepseekV2ForCausalLM}


def build(shape: Model, vocabulary: Vocabulary, seed: int) -> PreTrainedModel:
    """Fresh weights, normal with deviation `shape.init_std`: the same on any device for the same seed."""
    torch.manual_seed(seed)
    return _ready(CLASSES[shape.kind](hugging_face.config_of(shape, vocabulary)), shape)


def load(folder: Path, shape: Model, vocabulary: Vocabulary) -> PreTrainedModel:
    """The weights of the Hugging Face checkpoint in `folder`, in float32, under the positions that `shape` asks for.

    ValueError where the folder is no checkpoint, or where its shape is another one than `shape`.
    """
    config = hugging_face.config_of(shape, vocabulary)
    hugging_face.check_shape(folder, config, shape)
    kind: Any = CLASSES[shape.kind]
    try:
        loaded, report = kind.from_pretrained(
            folder,
            config=config,
            output_loading_info=True,
            dtype=torch.float32,
            attn_implementation=config._attn_implementation,
            local_files_only=True,
            use_safetensors=True,
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"--init: the weights in {folder} cannot be loaded: {error}") from error
    if report["missing_keys"]:  # else they would be random
        raise ValueError(f"--init: {folder} has no weights {', '.join(sorted(report['missing_keys']))}; is it whole?")
    return _ready(loaded, shape)


def prepare(model: PreTrainedModel, kernels: Kernels, device: torch.device) -> str:
    """Sets the model up for `device` as `kernels` asks; returns which attention kernel runs. ValueError: not there."""
    chosen = attention.choose(kernels.attention, device)
    if kernels.loss == "liger":
        check_liger(device)
    model.set_attn_implementation(attention.implementation(chosen))
    packed: Any = model
    packed.kernels = kernels
    for layer in packed.model.layers:
        if kernels.compile:
            layer.forward = torch.compile(layer.forward)
        if kernels.activation_checkpointing:  # around what is compiled: inside of it, a graph break would undo both
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    return chosen


def num_parameters(model: nn.Module) -> int:
    """Tied weights count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def _ready(model: PreTrainedModel, shape: Model) -> PreTrainedModel:
    packed: Any = model
    if shape.experts:
        packed.config._experts_implementation = GROUPED
    packed.experts, packed.listener = shape.experts, balance.Listener(model)
    return model


def _in_compute_precision(tensor: Tensor) -> Tensor:
    """Autocast's, where it is on: else the sums along the layers would stay float32, at twice the memory."""
    kind = tensor.device.type
    return tensor.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else tensor
