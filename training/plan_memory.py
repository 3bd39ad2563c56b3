"""What a training step takes of a GPU's memory, part by part, for every way to share a model between GPUs.

A model as this package trains it: weights, gradients and Adam's two moments in float32, layers computed in bfloat16,
attention that keeps no scores (FlashAttention), and a loss whose logits exist for one chunk of tokens at a time.
"""

from dataclasses import dataclass
from typing import Literal

from training import plan_activations, plan_parameters
from training.plan_activations import FULL
from training.plan_parameters import HALF
from training.shape import Model

Strategy = Literal["dp", "zero1", "zero2", "zero3"]
STRATEGIES: tuple[Strategy, ...] = ("dp", "zero1", "zero2", "zero3")


@dataclass(frozen=True)
class Layout:
    """How a run is spread: `tensor` GPUs hold the parts of a layer, `context` GPUs the parts of a sequence."""

    strategy: Strategy
    gpus: int = 1
    tensor: int = 1
    context: int = 1
    activation_checkpointing: bool = False  # keeps what goes into a layer, and computes the layer twice

    @property
    def num_data(self) -> int:
        """How many GPUs see sequences of their own."""
        return self.gpus // (self.tensor * self.context)

    @property
    def num_sharing(self) -> int:
        """How many GPUs the zero strategies spread weights, gradients or the optimizer over."""
        return self.gpus // self.tensor

    @property
    def name(self) -> str:
        split = f" x tp {self.tensor}" * (self.tensor > 1) + f" x cp {self.context}" * (self.context > 1)
        return f"{self.strategy} {self.num_data}{split}{', checkpointing' * self.activation_checkpointing}"


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU at the fullest moment of a step, the end of the last forward pass."""

    weights: float  # float32
    gradients: float  # float32
    optimizer: float  # Adam's two moments
    copies: float  # weights gathered or cast for computing, buckets on their way to other GPUs
    activations: float  # what the backward pass needs of the forward pass
    logits: float  # one chunk of the loss, and the gradient of the output matrix that it has computed

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.optimizer + self.copies + self.activations + self.logits


def memory(shape: Model, layout: Layout, tokens: int, chunk_tokens: int = 4096, on_cpu: bool = False) -> Memory:
    """`tokens` are those of one pass on one GPU. A CPU computes in float32 instead, and one document after the other.

    Not in it: the workspaces of the libraries, and what the allocator loses in gaps (set aside about a tenth).
    """
    compute = FULL if on_cpu else HALF
    layer = plan_parameters.largest_layer_parameters(shape) / layout.tensor
    rest = plan_parameters.rest_parameters(shape)
    held = plan_parameters.layers_parameters(shape) / layout.tensor + rest  # of one GPU, were nothing sharded over data
    sharded = held / layout.num_sharing
    is_sharded = layout.strategy != "dp"
    return Memory(
        weights=FULL * (sharded if is_sharded else held),
        gradients=FULL * (sharded if layout.strategy in ("zero2", "zero3") else held),
        optimizer=2 * FULL * (sharded if is_sharded else held),
        copies=_copies(layout, held, layer, rest, compute),
        activations=_activations(shape, layout, tokens, compute),
        logits=_logits(shape, tokens, compute, chunk_tokens),
    )


def _copies(layout: Layout, held: float, layer: float, rest: float, compute: int) -> float:
    cast = compute if compute < FULL else 0
    if layout.num_sharing == 1:
        return cast * held
    if layout.strategy == "dp":
        return cast * held + FULL * held  # DistributedDataParallel's buckets
    if layout.strategy == "zero3":
        return compute * (rest + 2 * layer) + FULL * (rest + layer)  # two layers are gathered, one is reduced
    return compute * held + FULL * (rest + layer) * (layout.strategy == "zero2")


def _activations(shape: Model, layout: Layout, tokens: int, compute: int) -> float:
    num_sparse = plan_parameters.num_sparse_layers(shape)
    dense, sparse = (plan_activations.of_layer(shape, is_sparse, layout.tensor, compute) for is_sparse in (False, True))
    per_token = (shape.num_layers - num_sparse) * dense + num_sparse * sparse
    if layout.activation_checkpointing:
        kept = shape.hidden_size * compute  # what goes into a layer: the residual stream
        per_token = shape.num_layers * kept + (sparse if num_sparse else dense)
    return tokens * (per_token + plan_activations.around_layers(shape, compute))


def _logits(shape: Model, tokens: int, compute: int, chunk_tokens: int) -> float:
    vocabulary, width = shape.vocab_size or 0, shape.hidden_size
    cast = compute if compute < FULL else 0
    chunk = min(tokens, chunk_tokens) * vocabulary * (FULL + cast)
    return chunk + vocabulary * width * (FULL + cast) + tokens * width * compute
