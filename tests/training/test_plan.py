"""Plans against the papers' numbers, memory against what PyTorch counts in a step, and what is no budget."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributed._tools.mem_tracker import MemTracker

from training import data, model, optimizer, plan_command, plan_memory, plan_shape
from training.__main__ import main
from training.config import Kernels, Optimizer, load
from training.hardware import DATA_SHEET_FLOPS, GPU_MEMORY_BYTES
from training.loss import summed_loss
from training.plan import Budget, Machine, plan
from training.plan_memory import Layout, memory
from training.plan_parameters import active_parameters, kv_cache_elements, num_parameters
from training.shape import Model
from training.tokenizer import Vocabulary

BILLION, TRILLION = 1e9, 1e12


def llama(layers, width, intermediate, heads, vocab_size, kv_heads=None, length=4096, **more) -> Model:
    return Model(
        num_layers=layers, hidden_size=width, intermediate_size=intermediate, num_heads=heads, num_kv_heads=kv_heads,
        vocab_size=vocab_size, max_sequence_length=length, **more,
    )  # fmt: skip


CODER = {"1.3b": llama(24, 2048, 5504, 16, 32256), "6.7b": llama(32, 4096, 11008, 32, 32256),
         "33b": llama(62, 7168, 19200, 56, 32256, 8)}  # fmt: skip
LLM = {"7b": llama(30, 4096, 11008, 32, 102400), "67b": llama(95, 8192, 22016, 64, 102400, 8)}
PUBLISHED = {"1.3b": 1_346_471_936, "6.7b": 6_740_512_768, "33b": 33_342_991_360, "7b": 6_910_365_696,
             "67b": 67_424_526_336}  # fmt: skip


@pytest.mark.parametrize("name", [*CODER, *LLM])
def test_parameters_of_the_published_models(name):
    shape = {**CODER, **LLM}[name]
    one = shape.model_copy(update={"num_layers": 1})
    with torch.device("meta"):
        built = model.build(one, Vocabulary(size=shape.vocab_size, bos=0, eos=1, pad=2), 0)
    assert model.num_parameters(built) == num_parameters(one)
    assert num_parameters(shape) == pytest.approx(PUBLISHED[name], rel=1e-3)


@pytest.mark.parametrize(
    ("shape", "batch", "rate"),
    [(LLM["7b"], 2252, 4.25e-4), (CODER["6.7b"], 2300, 4.21e-4), (CODER["33b"], 4033, 3.40e-4),
     (CODER["1.3b"], 1389, 5.11e-4)],
)  # fmt: skip
def test_the_laws_give_what_the_papers_nearly_chose(shape, batch, rate):
    found = plan(Budget(shape=shape, tokens=2 * TRILLION), Machine())
    assert found.batch_sequences == pytest.approx(batch, abs=1)
    assert found.peak_learning_rate == pytest.approx(rate, rel=0.002)


def test_a_known_budget_of_time_and_money():
    found = plan(Budget(shape=LLM["7b"], tokens=2 * TRILLION), Machine("A100", 1000, 0.5, 1.5))
    assert found.flops_per_token == 72 * 30 * 4096**2 + 12 * 30 * 4096 * 4096
    assert found.days == pytest.approx(found.flops_per_token * 2e12 / (1000 * 312e12 * 0.5) / 86400)
    assert found.dollars == pytest.approx(found.days * 24 * 1000 * 1.5)
    assert found.step_seconds * found.num_steps == pytest.approx(found.days * 86400)
    assert found.num_steps * found.batch_tokens == pytest.approx(2e12, rel=1e-3)


@pytest.mark.parametrize(
    ("preset", "parameters", "active", "kv_elements"),  # 2405.04434: abstract, appendix B, table 9
    [("deepseek-coder-v2-lite", 15.7e9, 2.4e9, 15.6e3), ("deepseek-coder-v2-236b", 236e9, 21e9, 34.6e3)],
)
def test_the_published_sizes_of_deepseek_v2(preset, parameters, active, kv_elements):
    shape = load(Path("training/configs") / f"{preset}.toml").model
    with torch.device("meta"):
        built = model.build(shape, Vocabulary(size=1000, bos=0, eos=1, pad=2), 0)
    assert num_parameters(shape) == model.num_parameters(built) == pytest.approx(parameters, rel=2e-3)
    assert active_parameters(shape) == pytest.approx(active, rel=0.025)
    assert kv_cache_elements(shape) == pytest.approx(kv_elements, rel=5e-3)


def test_keys_and_values_of_all_heads_are_what_latent_attention_saves():
    assert kv_cache_elements(llama(27, 2048, 5504, 16, 32256)) == pytest.approx(110.6e3, rel=1e-3)  # table 9
    assert kv_cache_elements(LLM["67b"]) == 2 * 95 * 8 * 128


@pytest.mark.parametrize("name", [*CODER, *LLM])
def test_a_size_becomes_a_shape_like_the_papers(name):
    published = {**CODER, **LLM}[name]
    shape = plan_shape.of_parameters(num_parameters(published), 4096, published.vocab_size)
    assert num_parameters(shape) == pytest.approx(num_parameters(published), rel=0.04)
    assert shape.hidden_size == pytest.approx(published.hidden_size, rel=0.15)


@pytest.mark.parametrize("flops", [1e15, 1e17, 1e19, 1e21, 3e23])
def test_compute_alone_is_spent_as_equation_4_says(flops):
    found = plan(Budget(flops=flops, vocab_size=1024), Machine())
    assert found.flops == pytest.approx(flops, rel=1e-6)
    assert found.tokens == pytest.approx(5.8316 * flops**0.4757, rel=0.15)  # the shape is of whole layers
    assert len([text for text in found.warnings if "beyond" in text]) == (2 if flops < 1e17 or flops > 3e20 else 0)


@pytest.mark.parametrize(
    "budget",
    [Budget(tokens=5.8316 * 1e20**0.4757), Budget(shape=plan(Budget(flops=1e20), Machine()).shape),
     Budget(days=1e20 / Machine().flops / 86400), Budget(flops=1e20, tokens=5.8316 * 1e20**0.4757)],
)  # fmt: skip
def test_every_way_to_say_a_budget_leads_to_the_same_plan(budget):
    found, expected = plan(budget, Machine()), plan(Budget(flops=1e20), Machine())
    assert found.shape == expected.shape
    assert found.flops == pytest.approx(1e20, rel=0.1)


def test_two_of_compute_model_and_tokens_give_the_third():
    found = plan(Budget(flops=1e20, parameters=BILLION), Machine())
    assert found.flops == pytest.approx(1e20)
    assert found.parameters == pytest.approx(BILLION, rel=0.05)
    assert plan(Budget(flops=1e20, tokens=1e10), Machine()).flops_per_token == pytest.approx(1e10, rel=0.05)


def deepseek(width, heads, latent, experts, **more) -> Model:
    return Model(
        kind="deepseek_v2", num_layers=3, hidden_size=width, intermediate_size=688, num_heads=heads, vocab_size=1024,
        max_sequence_length=512, latent_attention=latent, experts=experts, **more,
    )  # fmt: skip


SMALL = [
    llama(3, 256, 688, 4, 1024, kv_heads=2, length=512),
    llama(4, 128, 344, 4, 4096, length=512, tie_embeddings=True),
    deepseek(
        256, 4, {"kv_rank": 64, "nope_head_size": 64, "rope_head_size": 32, "value_head_size": 64},
        {"num_routed": 8, "num_per_token": 2, "num_shared": 1, "intermediate_size": 176},
    ),
    deepseek(
        128, 4, {"kv_rank": 32, "query_rank": 96, "nope_head_size": 32, "rope_head_size": 16, "value_head_size": 32},
        {"num_routed": 16, "num_per_token": 4, "num_shared": 2, "intermediate_size": 96},
    ),
]  # fmt: skip


def measured(shape: Model, checkpointing: bool) -> int:
    """The most bytes that tensors of a step take at once, as torch's MemTracker counts their storages: the second of
    two steps of 4 x 512 tokens, on the CPU, with chunks of 256 tokens in the loss."""
    vocabulary = Vocabulary(size=1000, bos=0, eos=1, pad=2)
    made = model.build(shape, vocabulary, 0)
    model.prepare(made, Kernels(loss_chunk_tokens=256, activation_checkpointing=checkpointing), torch.device("cpu"))
    adamw = optimizer.build(made, Optimizer(peak_learning_rate=1e-3))
    tokens = np.random.default_rng(0).integers(3, 1000, (4, 512)).astype(np.int32)
    tokens[:, [0, 200]] = vocabulary.bos
    batch = data.as_batch(tokens, vocabulary)
    tracker = MemTracker()
    tracker.track_external(made, adamw)
    with tracker:
        for _ in range(2):
            tracker.reset_mod_stats()
            summed_loss(made, batch).backward()
            adamw.step()
            adamw.zero_grad(set_to_none=False)
    (peak,) = tracker.get_tracker_snapshot("peak").values()
    return int(peak["Total"])


@pytest.mark.parametrize(
    ("shape", "checkpointing"), [*((shape, False) for shape in SMALL), (SMALL[0], True), (SMALL[2], True)]
)
def test_memory_is_that_of_a_real_step_within_a_tenth(shape, checkpointing):
    layout = Layout("dp", activation_checkpointing=checkpointing)
    planned = memory(shape, layout, 4 * 512, chunk_tokens=256, on_cpu=True)
    assert planned.total == pytest.approx(measured(shape, checkpointing), rel=0.1)


def saved_in_bfloat16(shape: Model) -> float:
    """Bytes a token of what a forward pass under autocast keeps, but for the weights: 2 x 256 tokens on the CPU."""
    vocabulary = Vocabulary(size=1000, bos=0, eos=1, pad=2)
    made = model.build(shape, vocabulary, 0).train()
    model.prepare(made, Kernels(loss_chunk_tokens=256), torch.device("cpu"))
    weights = {tuple(sorted(parameter.shape)) for parameter in made.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tuple(sorted(tensor.shape)) not in weights:  # neither they, nor their casts
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    tokens = np.random.default_rng(0).integers(3, 1000, (2, 256)).astype(np.int32)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x), torch.autocast("cpu", torch.bfloat16):
        summed_loss(made, data.as_batch(tokens, vocabulary))
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values()) / tokens.size


@pytest.mark.parametrize("shape", [SMALL[0], SMALL[2]], ids=["llama", "deepseek_v2"])
def test_activations_in_bfloat16_are_what_autocast_keeps(shape):
    planned = memory(shape, Layout("dp"), 512, chunk_tokens=256).activations / 512
    assert planned == pytest.approx(saved_in_bfloat16(shape), rel=0.06)  # a CPU keeps what attention gives twice


def test_what_each_layout_shares():
    shape, gpus = LLM["7b"], 8
    whole = memory(shape, Layout("dp", gpus), 4096)
    parts = {name: memory(shape, Layout(name, gpus), 4096) for name in ("zero1", "zero2", "zero3")}
    assert [whole.optimizer / part.optimizer for part in parts.values()] == pytest.approx([8, 8, 8])
    assert [whole.gradients / part.gradients for part in parts.values()] == pytest.approx([1, 8, 8])
    assert whole.total > parts["zero1"].total > parts["zero2"].total > parts["zero3"].total
    spread = memory(shape, Layout("zero3", gpus, tensor=8), 4096)
    assert spread.activations < 0.52 * whole.activations  # norms are not shared
    assert memory(shape, Layout("dp", 1), 4096).copies == pytest.approx(2 * num_parameters(shape))  # no buckets
    assert memory(shape, Layout("zero3", gpus, activation_checkpointing=True), 4096).activations < whole.activations / 8


def test_a_larger_vocabulary_and_longer_sequences_cost_what_they_cost():
    shape = LLM["7b"]
    wide = shape.model_copy(update={"vocab_size": 2 * shape.vocab_size})
    layout = Layout("zero3", 8)
    assert memory(wide, layout, 4096).logits > 1.9 * memory(shape, layout, 4096).logits
    assert memory(shape, layout, 8192).activations == pytest.approx(2 * memory(shape, layout, 4096).activations)
    longer, short = (memory(shape, layout, n).logits for n in (131072, 4096))
    assert longer < 1.5 * short  # chunks


@pytest.mark.parametrize(
    ("text", "value"), [("7B", 7e9), ("2T", 2e12), ("1e21", 1e21), ("1.5e3k", 1.5e6), ("6_700m", 6.7e9), ("12", 12.0)]
)
def test_numbers(text, value):
    assert plan_command.number(text) == pytest.approx(value)


def test_the_command_prints_a_table_and_json(capsys):
    arguments = ["plan", "--parameters", "6.7B", "--tokens", "2T", "--gpus", "64", "--gpu", "a100"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "64 x A100 at an MFU of 40%" in shown
    assert "zero3 16 x tp 4, checkpointing" in shown
    assert main([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    found = plan(Budget(parameters=6.7e9, tokens=2e12), replace(Machine(), gpu="A100", gpus=64))
    assert record["days"] == pytest.approx(found.days)
    assert record["fits"][0]["memory"]["total"] == pytest.approx(found.fits[0].memory.total)
    assert record["batch_tokens"] == found.batch_tokens


def test_a_configuration_is_planned_as_it_stands_beside_what_the_laws_would_choose(capsys):
    assert main(["plan", "--config", "training/configs/demo.toml", "--gpus", "1", "--vocab-size", "4096"]) == 0
    shown = capsys.readouterr().out
    assert "2 layers, width 256" in shown
    assert "614K" in shown
    assert re.search(r"batch +2 sequences of 512 \(by the law [13-9]\d*\): 1.02K tokens; 600 steps", shown)
    assert re.search(r"learning rate +0.001 at the peak \(by the law 0.0\d+\)", shown)
    assert "all its sequences in one pass" in shown


def test_memory_is_of_the_pass_that_a_configuration_asks_for(tmp_path, capsys):
    text = Path("training/configs/demo.toml").read_text().replace("num_sequences = 2", "num_sequences = 64")
    activations = {}
    for per_pass in (None, 4):
        asked = f"num_sequences = 64\nsequences_per_pass = {per_pass}" if per_pass else "num_sequences = 64"
        (tmp_path / "config.toml").write_text(text.replace("num_sequences = 64", asked, 1))
        assert main(["plan", "--config", str(tmp_path / "config.toml"), "--gpus", "2", "--json"]) == 0
        fits = json.loads(capsys.readouterr().out)["fits"]
        activations[per_pass] = {fit["layout"]["name"]: fit["memory"]["activations"] for fit in fits}
    assert activations[None]["dp 2"] == pytest.approx(8 * activations[4]["dp 2"])  # 32 of 64 sequences
    assert activations[None]["zero3 1 x cp 2"] == pytest.approx(activations[None]["dp 2"])  # 64 halves
    assert activations[4]["zero3 1 x cp 2"] == pytest.approx(activations[4]["dp 2"] / 2)


def test_the_layout_of_a_configuration_is_among_the_ways_and_marked(capsys):
    preset = "training/configs/deepseek-coder-v2-236b-128k.toml"
    assert main(["plan", "--config", preset, "--gpus", "768"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (marked,) = (line for line in lines if "as configured" in line)
    assert re.fullmatch(r"zero3 96 x cp 8, checkpointing .* fits, as configured", marked)
    assert main(["plan", "--config", preset, "--gpus", "100"]) == 0
    shown = capsys.readouterr().out
    assert "the trainer would refuse this: parallel.tensor is 1 and parallel.context 8, but there are 100" in shown
    assert "as configured" not in shown


def test_every_gpu_has_its_memory_and_its_speed():
    assert list(GPU_MEMORY_BYTES) == list(DATA_SHEET_FLOPS)


def test_a_mixture_of_experts_can_be_planned(capsys):
    assert main(["plan", "--config", "training/configs/deepseek-coder-v2-lite.toml", "--gpus", "64"]) == 0
    shown = capsys.readouterr().out
    assert "15.7B parameters, 27 layers, width 2048, 16 heads from a latent vector of 512 + 64" in shown
    assert "64 + 2 of 1408 in a layer, of which a token meets 6 + 2: 2.45B parameters" in shown
    assert "31.1K bytes a token" in shown
    assert "laws of dense models" in shown
    assert "zero3 64, checkpointing" in shown
    assert "zero3 8 x tp 8" in shown
    assert "zero3 8 x cp 8" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "a budget is one or two of: --flops (or --days with --gpus), --parameters, --tokens; or --config; got none",
        ),
        (["--flops", "1e20", "--days", "3"], "both say how much compute there is"),
        (["--flops", "1e20", "--tokens", "1B", "--parameters", "1B"], "got compute and a model and tokens"),
        (["--flops", "1e3"], "no model is near that size"),
        (["--flops", "1e20", "--gpu", "H9000"], "--gpu: got 'H9000'; expected one of B200, H200, H100"),
        (["--flops", "1e20", "--mfu", "40"], "a share up to 1"),
        (["--config", "training/configs/tiny.toml", "--tokens", "1B"], "give no other budget with it"),
        (["--config", "nowhere.toml"], "nowhere.toml, which is no file"),
    ],
)
def test_what_is_no_budget(arguments, message, capsys):
    assert main(["plan", *arguments]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--gpus", "--sequence-length", "--vocab-size"])
def test_what_cannot_be_counted(option, capsys):
    with pytest.raises(SystemExit):
        main(["plan", "--flops", "1e20", option, "0"])
    assert f"argument {option}: got '0'; expected a whole number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "many", "-3", "0", "1e", "7Q", "1e999"])
def test_what_is_no_number(text, capsys):
    with pytest.raises(SystemExit):
        main(["plan", "--flops", text])
    assert "expected a number above 0, as in 1e21, 6.7B or 2T" in capsys.readouterr().err or text == "-3"


def test_strategies_are_named_once():
    assert plan_memory.STRATEGIES == ("dp", "zero1", "zero2", "zero3")
