import re
from pathlib import Path

import pytest

import training
from training.config import TrainingConfig, load
from training.shape import Experts, Model

CONFIGS = Path(training.__file__).parent / "configs"
MINIMAL = """
[model]
num_layers = 1
hidden_size = 8
intermediate_size = 16
num_heads = 2
max_sequence_length = 16
[batch]
num_sequences = 2
[optimizer]
peak_learning_rate = 1e-3
[schedule]
num_steps = 10
warmup_steps = 1
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_bundled_config_is_valid(path):
    assert load(path).schedule.num_steps > 0


def test_defaults_are_the_papers(tmp_path):
    config = load(write(tmp_path, MINIMAL))
    adamw = config.optimizer
    assert (adamw.beta1, adamw.beta2, adamw.weight_decay, adamw.max_grad_norm) == (0.9, 0.95, 0.1, 1.0)
    assert config.model.init_std == 0.006
    assert (config.schedule.milestones, config.schedule.factors) == ((0.8, 0.9), (0.316, 0.1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("num_layers", "num_layer"), "model.num_layer: unknown key; known: kind, num_layers, hidden_size,"),
        (("[batch]", "[bach]"), "bach: unknown key; known: seed, precision, model, batch,"),
        (("num_steps = 10", ""), "schedule.num_steps: missing"),
        (("num_steps = 10", "num_steps = -10"), "schedule.num_steps: got -10; Input should be greater than 0"),
        (("warmup_steps = 1", "warmup_steps = 10"), "warmup_steps 10 must be less than num_steps 10"),
        (("warmup_steps = 1", "warmup_steps = 1\nmilestones = [0.5]"), "must ascend and pair up with factors"),
        (
            ("warmup_steps = 1", "warmup_steps = 1\nmilestones = [0.8, 1.2]"),
            "schedule: milestones (0.8, 1.2) must be shares",
        ),
        (
            ("warmup_steps = 1", "warmup_steps = 1\nfactors = [-0.3, 0.1]"),
            "factors (-0.3, 0.1) of the peak, not below 0",
        ),
        (("num_heads = 2", "num_heads = 3"), "model: hidden_size 8 must split into 3 heads of an even size"),
        (("num_heads = 2", "num_heads = 2\nnum_kv_heads = 3"), "num_heads 2 must be a multiple of num_kv_heads 3"),
        (("[model]", "[model"), "is not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path, change, message):
    with pytest.raises(ValueError, match="config: ") as error:
        load(write(tmp_path, MINIMAL.replace(*change)))
    assert message in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent.toml, which is no file; expected a TOML file"):
        load(tmp_path / "absent.toml")


def test_only_what_decides_the_result_is_in_the_recipe(settings):
    same: list[TrainingConfig] = [
        settings(),
        settings(checkpoints={"every_steps": 3, "max_seconds": 1.0}),
        settings(batch={"sequences_per_pass": 1}),
        settings(kernels={"activation_checkpointing": True, "loss_chunk_tokens": 7}),
    ]
    assert len({str(config.deciding()) for config in same}) == 1
    assert settings(schedule={"num_steps": 9}).deciding() != settings().deciding()


def test_settings_on_the_command_line_go_on_top_of_the_files(tmp_path):
    changes = ["schedule.num_steps=20", "schedule.kind=cosine", "seed=3", "model.tie_embeddings=true"]
    config = load(write(tmp_path, MINIMAL), [*changes, "schedule.milestones=[0.5, 0.75]", "validation.every_steps=7"])
    assert (config.schedule.num_steps, config.schedule.kind, config.seed) == (20, "cosine", 3)
    assert config.schedule.milestones == (0.5, 0.75)
    assert config.model.tie_embeddings
    assert config.validation.every_steps == 7
    assert config.schedule.warmup_steps == 1  # the file's


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("schedule.num_steps", "--set: got 'schedule.num_steps'; expected TABLE.KEY=VALUE"),
        ("schedule.steps=3", "schedule.steps: unknown key; known: num_steps,"),
        ("schedule.num_steps=many", "schedule.num_steps: got 'many'"),
        ("seed.first=1", "seed: got {'first': 1}"),
        ("schedule.num_steps.more=1", "num_steps is a key, not a table"),
    ],
)
def test_bad_settings_on_the_command_line(tmp_path, change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load(write(tmp_path, MINIMAL), [change])


LLM_7B = {
    "model": {
        "num_layers": 30, "hidden_size": 4096, "intermediate_size": 11008, "num_heads": 32, "max_sequence_length": 4096
    },
    "schedule": {"num_steps": 211_930},
}  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "rate", "expected"),
    [
        (2304, 4.2e-4, (2304, 4.2e-4)),
        (2304, "scaling_law", (2304, pytest.approx(4.2e-4, rel=0.03))),
        ("scaling_law", "scaling_law", (pytest.approx(2304, rel=0.05), pytest.approx(4.2e-4, rel=0.03))),
    ],
)
def test_batch_and_learning_rate_can_be_those_of_the_scaling_law(batch, rate, expected):
    tables = {**LLM_7B, "batch": {"num_sequences": batch}, "optimizer": {"peak_learning_rate": rate}}
    config = TrainingConfig.model_validate(tables)
    assert (config.batch.num_sequences, config.optimizer.peak_learning_rate) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("num_steps = 10", ""), "follows from [model] and the whole numbers schedule.num_steps and batch.num_seq"),
        (("num_steps = 10", 'num_steps = "many"'), "follows from [model] and the whole numbers schedule.num_steps and"),
        (("[model]", "[mode]"), "follows from [model] and"),
        (("num_sequences = 2", ""), "follows from [model] and"),
        (("[schedule]", "[schedul]"), "follows from [model] and"),
        (("num_heads = 2", "num_heads = 3"), "must split into 3 heads"),
    ],
)
def test_what_the_scaling_law_needs_is_named(tmp_path, change, message):
    text = MINIMAL.replace("peak_learning_rate = 1e-3", 'peak_learning_rate = "scaling_law"')
    with pytest.raises(ValueError, match=r"config: .* cannot be used") as error:
        load(write(tmp_path, text.replace(*change)))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("rope", "length", "message"),
    [
        (
            {"kind": "linear", "factor": 4.0, "original_length": 4096},
            16_385,
            "longer than RoPE holds: linear, 4 x 4096",
        ),
        ({"kind": "yarn", "factor": 40.0}, 4096, "kind yarn needs an original_length"),
        ({"original_length": 4096}, 4096, "kind default has no original_length"),
    ],
)
def test_a_length_that_the_positions_cannot_hold_is_refused(rope, length, message):
    with pytest.raises(ValueError, match=message):
        Model(**{**LLM_7B["model"], "max_sequence_length": length, "rope": rope})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "deepseek_v2"}, r"kind deepseek_v2 needs a table \[model.latent_attention\]"),
        (
            {"experts": {"num_routed": 4, "num_per_token": 1, "num_shared": 1, "intermediate_size": 8}},
            "llama has no table",
        ),
    ],
)
def test_parts_of_another_kind_of_model_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Model(**{**LLM_7B["model"], **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_groups": 3}, "num_routed 8 must be a multiple of num_groups 3"),
        ({"num_groups": 2, "groups_per_token": 3}, "groups_per_token 3 is more than num_groups 2"),
        (
            {"num_groups": 4, "groups_per_token": 1, "num_per_token": 3},
            "num_per_token 3 is more than the 2 experts in reach",
        ),
    ],
)
def test_experts_that_cannot_be_reached_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Experts(**{"num_routed": 8, "num_per_token": 2, "num_shared": 1, "intermediate_size": 8, **change})
