"""The shape of a model in Hugging Face's words, in which checkpoints are written."""

from pathlib import Path
from typing import Any

from transformers import DeepseekV2Config, LlamaConfig, PreTrainedConfig

from training import attention
from training.shape import Model, Rope
from training.tokenizer import Vocabulary

FIXED = (  # what a checkpoint and the settings must agree on; long context changes the rest
    "model_type",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "tie_word_embeddings",
    "rms_norm_eps",
    "kv_lora_rank",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "v_head_dim",
    "n_routed_experts",
    "n_shared_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "first_k_dense_replace",
    "routed_scaling_factor",
    "topk_method",
    "n_group",
    "topk_group",
)


def vocab_size(shape: Model, vocabulary: Vocabulary) -> int:
    """The rows of the embedding. ValueError where the tokenizer has more tokens than that."""
    if shape.vocab_size is None:
        return -(-vocabulary.size // 64) * 64  # matrix products are faster on such sizes
    if shape.vocab_size < vocabulary.size:
        raise ValueError(
            f"model.vocab_size is {shape.vocab_size}, but the tokenizer has {vocabulary.size} tokens; raise it to at "
            "least that, or leave it out"
        )
    return shape.vocab_size


def config_of(shape: Model, vocabulary: Vocabulary) -> LlamaConfig | DeepseekV2Config:
    common: dict[str, Any] = {
        "vocab_size": vocab_size(shape, vocabulary),
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_heads,
        "num_key_value_heads": shape.num_kv_heads or shape.num_heads,
        "max_position_embeddings": shape.max_sequence_length,
        "rope_parameters": rope_parameters(shape.rope),
        "rms_norm_eps": shape.norm_epsilon,
        "initializer_range": shape.init_std,
        "tie_word_embeddings": shape.tie_embeddings,
        "bos_token_id": vocabulary.bos,
        "eos_token_id": vocabulary.eos,
        "pad_token_id": vocabulary.pad,
        "attn_implementation": attention.implementation("sdpa"),
    }
    if shape.kind == "llama":
        return LlamaConfig(**common)
    return DeepseekV2Config(**common, **_latent_attention_and_experts(shape))


def rope_parameters(rope: Rope) -> dict[str, Any]:
    """As transformers wants them. Without both mscale keys it would sharpen cosines instead of the softmax."""
    common = {"rope_type": rope.kind, "rope_theta": rope.base}
    if rope.kind == "default":
        return common
    if rope.kind == "linear":
        return {**common, "factor": rope.factor}
    return {
        **common,
        "factor": rope.factor,
        "original_max_position_embeddings": rope.original_length,
        "beta_fast": rope.beta_fast,
        "beta_slow": rope.beta_slow,
        "mscale": rope.mscale,
        "mscale_all_dim": rope.mscale,
    }


def check_shape(folder: Path, config: PreTrainedConfig, shape: Model) -> None:
    """That a checkpoint differs from `config` in nothing but what long context changes."""
    if not (folder / "config.json").is_file():
        raise ValueError(f"--init: {folder} has no config.json; expected the checkpoint of a finished run")
    found = PreTrainedConfig.get_config_dict(folder)[0]
    for key in FIXED:
        expected = getattr(config, key, None)
        if found.get(key, expected) != expected:
            raise ValueError(
                f"--init: {folder} has {key} {found[key]}, but [model] asks for {expected}; they must agree"
            )
    trained_on = found.get("max_position_embeddings", shape.max_sequence_length)
    if shape.rope.kind == "default" and shape.max_sequence_length > trained_on:
        raise ValueError(
            f"model.max_sequence_length is {shape.max_sequence_length}, but {folder} was trained on {trained_on} "
            'tokens; give [model.rope] with kind = "linear" or "yarn", factor and original_length'
        )


def _latent_attention_and_experts(shape: Model) -> dict[str, Any]:
    latent, experts = shape.latent_attention, shape.experts
    assert latent is not None
    assert experts is not None
    return {
        "kv_lora_rank": latent.kv_rank,
        "q_lora_rank": latent.query_rank,
        "qk_nope_head_dim": latent.nope_head_size,
        "qk_rope_head_dim": latent.rope_head_size,
        "v_head_dim": latent.value_head_size,
        "n_routed_experts": experts.num_routed,
        "n_shared_experts": experts.num_shared,
        "num_experts_per_tok": experts.num_per_token,
        "moe_intermediate_size": experts.intermediate_size,
        "first_k_dense_replace": experts.num_dense_layers,
        "routed_scaling_factor": experts.scaling_factor,
        "topk_method": "greedy" if experts.num_groups == 1 else "group_limited_greedy",
        "n_group": experts.num_groups,
        "topk_group": experts.groups_per_token,
        "norm_topk_prob": False,
        "aux_loss_alpha": experts.balance_alpha,
        "seq_aux": True,
    }
