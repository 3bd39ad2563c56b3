"""Whole runs of models that are no fresh Llama: from a checkpoint with positions stretched, and with experts."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from training import model
from training.pretrain import Outcome, pretrain
from training.recipe import fingerprint

STRETCHED = {"max_sequence_length": 256, "rope": {"kind": "linear", "base": 1e5, "factor": 4.0, "original_length": 64}}


def test_long_context_goes_on_from_a_checkpoint(undisturbed, settings, sequences_folder, tokenizer_folder, tmp_path):
    config = settings(
        model=STRETCHED, schedule={"num_steps": 2, "warmup_steps": 0}, optimizer={"peak_learning_rate": 1e-9}
    )
    checkpoint = undisturbed / "checkpoint"
    inputs = (config, sequences_folder, tokenizer_folder, tmp_path)
    assert pretrain(*inputs, checkpoint) is Outcome.FINISHED
    before, after = (AutoModelForCausalLM.from_pretrained(folder) for folder in (checkpoint, tmp_path / "checkpoint"))
    assert after.config.rope_parameters == {"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0}
    assert after.config.max_position_embeddings == 256
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(new, old, atol=1e-6, rtol=0)
    assert json.loads((tmp_path / "manifest.json").read_text())["made_from"]["init"] == fingerprint(checkpoint)
    assert pretrain(*inputs, checkpoint) is Outcome.UP_TO_DATE


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"max_sequence_length": 128},
            r"is 128, but .* was trained on 64 tokens; give \[model.rope\]",
        ),
        ({"hidden_size": 64}, r"has hidden_size 32, but \[model\] asks for 64; they must agree"),
        ({"vocab_size": 512}, r"has vocab_size 448, but \[model\] asks for 512; they must agree"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    undisturbed, settings, sequences_folder, tokenizer_folder, tmp_path, changed, message
):
    with pytest.raises(ValueError, match=message):
        pretrain(settings(model=changed), sequences_folder, tokenizer_folder, tmp_path, undisturbed / "checkpoint")
    with pytest.raises(ValueError, match=r"has no \*.safetensors; expected the checkpoint of a finished run"):
        pretrain(settings(model=changed), sequences_folder, tokenizer_folder, tmp_path, tmp_path)


EXPERTS = {
    "kind": "deepseek_v2",
    "num_kv_heads": None,
    "latent_attention": {"kv_rank": 16, "nope_head_size": 8, "rope_head_size": 4, "value_head_size": 8},
    "experts": {"num_routed": 4, "num_per_token": 2, "num_shared": 1, "intermediate_size": 16},
    "rope": {"kind": "yarn", "factor": 40.0, "original_length": 64},
}


def test_a_model_with_experts_trains_and_tells_of_their_balance(settings, sequences_folder, tokenizer_folder, tmp_path):
    assert pretrain(settings(model=EXPERTS), sequences_folder, tokenizer_folder, tmp_path) is Outcome.FINISHED
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert all(0 <= line["max_violation"] <= 1 for line in lines)  # two of four experts: at most twice the mean
    assert [line["expert_load"] is not None for line in lines] == [
        line["validation_loss"] is not None for line in lines
    ]
    assert sum(lines[-1]["expert_load"][0]) == pytest.approx(4, abs=0.01)
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoint")
    assert type(network).__module__.startswith("transformers.")
    assert network.model.layers[0].self_attn.scaling == pytest.approx(
        12**-0.5 * 1.589626, rel=1e-5
    )  # 2405.04434, 3.1.4


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"num_per_token": 1}, "has num_experts_per_tok 2, but [model] asks for 1"),
        ({"num_dense_layers": 0}, "has first_k_dense_replace 1, but [model] asks for 0"),
        ({"scaling_factor": 2.0}, "has routed_scaling_factor 1.0, but [model] asks for 2.0"),
        ({"num_groups": 2}, "has topk_method greedy, but [model] asks for group_limited_greedy"),
    ],
)
def test_experts_that_would_be_routed_otherwise_or_begin_anew_are_refused(
    settings, vocabulary, tmp_path, changed, message
):
    shape = settings(model=EXPERTS).model
    model.build(shape, vocabulary, seed=0).save_pretrained(tmp_path)
    assert model.load(tmp_path, shape, vocabulary)
    other = settings(model={**EXPERTS, "experts": {**EXPERTS["experts"], **changed}}).model
    with pytest.raises(ValueError, match=re.escape(message)):
        model.load(tmp_path, other, vocabulary)


def test_a_checkpoint_without_some_weights_is_refused(settings, vocabulary, tmp_path):
    shape = settings().model
    model.build(shape, vocabulary, seed=0).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"has no weights model.layers.1.mlp.up_proj.weight; is it whole\?"):
        model.load(tmp_path, shape, vocabulary)
