"""The shape of a model, as the table [model] tells it, and what a token costs in it."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic import model_validator as validator

from training.table import Table


class Rope(Table):
    """Rotary positions. `linear` (2401.14196, section 3.6) and `yarn` (2405.04434, 3.1.4) stretch trained ones."""

    kind: Literal["default", "linear", "yarn"] = "default"
    base: PositiveFloat = 10_000.0
    factor: float = Field(1.0, ge=1)  # linear, yarn: how often the original length fits into the new one
    original_length: PositiveInt | None = None  # linear, yarn: that of the first training
    beta_slow: PositiveFloat = 1.0  # yarn: the paper's alpha
    beta_fast: PositiveFloat = 32.0  # yarn: the paper's beta
    mscale: PositiveFloat = 0.707  # yarn: softmax is sharpened by (0.1 mscale ln(factor) + 1)^2

    @validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.kind == "default") != (self.original_length is None):
            raise ValueError(
                f"kind {self.kind} {'has no' if self.kind == 'default' else 'needs an'} original_length: the number of "
                "tokens that the model was first trained on"
            )
        return self

    @property
    def longest(self) -> int | None:
        """The longest sequence that the positions can tell apart; None: as long as the model is trained on."""
        return None if self.original_length is None else int(self.factor * self.original_length)


class LatentAttention(Table):
    """Multi-head latent attention (2405.04434, section 2.1): keys and values are kept as one small vector."""

    kv_rank: PositiveInt
    query_rank: PositiveInt | None = None  # None: queries are not compressed (V2-Lite)
    nope_head_size: PositiveInt = 128  # of queries and keys, without positions
    rope_head_size: PositiveInt = 64  # of queries and keys, with positions
    value_head_size: PositiveInt = 128

    @property
    def query_head_size(self) -> int:
        return self.nope_head_size + self.rope_head_size


class Experts(Table):
    """DeepSeekMoE (2405.04434, section 2.2): a few of many small feed-forward layers, and some for every token."""

    num_routed: PositiveInt
    num_per_token: PositiveInt
    num_shared: PositiveInt
    intermediate_size: PositiveInt  # of one expert
    num_dense_layers: NonNegativeInt = 1  # the first ones, which have no experts
    scaling_factor: PositiveFloat = 1.0  # of the routed experts' weights
    num_groups: PositiveInt = 1  # device-limited routing: of experts, as many as devices
    groups_per_token: PositiveInt = 1
    balance_alpha: float = Field(0.001, ge=0)  # of the balance loss of each sequence, over experts; 0: none
    device_balance_alpha: float = Field(0.0, ge=0)  # over groups of experts, a device's each
    communication_balance_alpha: float = Field(0.0, ge=0)  # over what tokens send to these devices

    @validator(mode="after")
    def _groups_fit(self) -> Self:
        if self.num_routed % self.num_groups:
            raise ValueError(f"num_routed {self.num_routed} must be a multiple of num_groups {self.num_groups}")
        if self.groups_per_token > self.num_groups:
            raise ValueError(f"groups_per_token {self.groups_per_token} is more than num_groups {self.num_groups}")
        reachable = self.num_routed // self.num_groups * self.groups_per_token
        if self.num_per_token > reachable:
            raise ValueError(f"num_per_token {self.num_per_token} is more than the {reachable} experts in reach")
        if self.num_groups == 1 and (self.device_balance_alpha or self.communication_balance_alpha):
            raise ValueError("device_balance_alpha and communication_balance_alpha both need num_groups of 2 or more")
        return self


class Model(Table):
    """RMSNorm before, SwiGLU, RoPE, no biases: a Llama, or DeepSeek-V2 with latent attention and experts."""

    kind: Literal["llama", "deepseek_v2"] = "llama"
    num_layers: PositiveInt
    hidden_size: PositiveInt
    intermediate_size: PositiveInt
    num_heads: PositiveInt
    num_kv_heads: PositiveInt | None = None  # llama; None: as many as heads
    max_sequence_length: PositiveInt
    vocab_size: PositiveInt | None = None  # None: the tokenizer's, rounded up to a multiple of 64
    norm_epsilon: PositiveFloat = 1e-6
    init_std: PositiveFloat = 0.006
    tie_embeddings: bool = False
    rope: Rope = Rope()
    latent_attention: LatentAttention | None = None  # deepseek_v2
    experts: Experts | None = None  # deepseek_v2

    @validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden_size % self.num_heads or self.hidden_size // self.num_heads % 2:
            raise ValueError(f"hidden_size {self.hidden_size} must split into {self.num_heads} heads of an even size")
        if self.num_kv_heads is not None and self.num_heads % self.num_kv_heads:
            raise ValueError(f"num_heads {self.num_heads} must be a multiple of num_kv_heads {self.num_kv_heads}")
        return self

    @validator(mode="after")
    def _parts_are_those_of_its_kind(self) -> Self:
        needed = self.kind == "deepseek_v2"
        for name, part in (("latent_attention", self.latent_attention), ("experts", self.experts)):
            if (part is not None) != needed:
                raise ValueError(f"kind {self.kind} {'needs a' if needed else 'has no'} table [model.{name}]")
        if needed and self.num_kv_heads is not None:
            raise ValueError("kind deepseek_v2 has no num_kv_heads: its keys and values come from one latent vector")
        return self

    @validator(mode="after")
    def _rope_holds(self) -> Self:
        longest = self.rope.longest
        if longest is not None and self.max_sequence_length > longest:
            raise ValueError(
                f"max_sequence_length {self.max_sequence_length} is longer than RoPE holds: {self.rope.kind}, "
                f"{self.rope.factor:g} x {self.rope.original_length} = {longest}; raise model.rope.factor"
            )
        return self

    def flops_per_token(self, sequence_length: int) -> int:
        """Forward and backward, without embeddings and logits; attention over the whole length, as if not causal.

        Where the feed-forward layer is 8/3 as wide as the model and all heads have keys of their own, this is M of the
        scaling laws, 72 n d^2 + 12 n d l (2401.02954, equation 2).
        """
        return 6 * self.matrix_weights_per_token() + self.attention_flops_per_token(sequence_length)

    def attention_flops_per_token(self, keys: float) -> int:
        """Of the two products of attention, forward and backward, where a token sees `keys` keys."""
        latent = self.latent_attention
        head_size = self.hidden_size // self.num_heads
        sizes = latent.query_head_size + latent.value_head_size if latent else 2 * head_size
        return int(6 * self.num_layers * self.num_heads * sizes * keys)

    def logits_flops_per_token(self, num_tokens: int) -> int:
        """Forward and backward of the output layer over `num_tokens` token ids, which the paper's M leaves out."""
        return 6 * self.hidden_size * num_tokens

    def matrix_weights_per_token(self) -> int:
        """The weights that a token is multiplied with, without embeddings and logits: of the experts, its own."""
        dense = 3 * self.hidden_size * self.intermediate_size
        if self.experts is None:
            return self.num_layers * (self.attention_weights() + dense)
        experts = self.experts
        active = 3 * experts.intermediate_size * (experts.num_per_token + experts.num_shared) + experts.num_routed
        sparse_layers = self.num_layers - experts.num_dense_layers
        feed_forward = experts.num_dense_layers * dense + sparse_layers * self.hidden_size * active
        return self.num_layers * self.attention_weights() + feed_forward

    def attention_weights(self) -> int:
        """Of one layer, without its norms."""
        width, latent = self.hidden_size, self.latent_attention
        if latent is None:
            kv_width = width // self.num_heads * (self.num_kv_heads or self.num_heads)
            return 2 * width * width + 2 * width * kv_width
        queries = self.num_heads * latent.query_head_size
        to_queries = latent.query_rank * (width + queries) if latent.query_rank else width * queries
        expanded = self.num_heads * (latent.nope_head_size + latent.value_head_size)
        return (
            to_queries
            + width * (latent.kv_rank + latent.rope_head_size)
            + latent.kv_rank * expanded
            + self.num_heads * latent.value_head_size * width
        )
