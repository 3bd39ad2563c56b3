"""The model, made from the settings: a Hugging Face Llama with fresh weights. Also its size and its cost."""

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from training.config import Model
from training.tokenizer import Vocabulary


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


def llama_config(shape: Model, vocabulary: Vocabulary) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocab_size(shape, vocabulary),
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_kv_heads or shape.num_heads,
        max_position_embeddings=shape.max_sequence_length,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_base},
        rms_norm_eps=shape.norm_epsilon,
        initializer_range=shape.init_std,
        tie_word_embeddings=shape.tie_embeddings,
        bos_token_id=vocabulary.bos,
        eos_token_id=vocabulary.eos,
        pad_token_id=vocabulary.pad,
    )


def build(shape: Model, vocabulary: Vocabulary, seed: int) -> LlamaForCausalLM:
    """Fresh weights, normal with deviation `shape.init_std`: the same on any device for the same seed."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(llama_config(shape, vocabulary))


def num_parameters(model: nn.Module) -> int:
    """Tied weights count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def flops_per_token(shape: Model, sequence_length: int) -> int:
    """Forward and backward, without embeddings and logits: M = 72 n d^2 + 12 n d l (2401.02954, equation 2)."""
    return 12 * shape.num_layers * shape.hidden_size * (6 * shape.hidden_size + sequence_length)


def logits_flops_per_token(shape: Model, num_tokens: int) -> int:
    """Forward and backward of the output layer over `num_tokens` token ids, which the paper's M leaves out."""
    return 6 * shape.hidden_size * num_tokens
