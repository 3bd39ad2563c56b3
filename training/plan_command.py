"""`python -m training plan`: the plan of a budget as a table, or as JSON."""

import argparse
import json
import math
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.plan import Plan
    from training.shape import Model

UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
EXAMPLES = """
a budget is one or two of compute, model and tokens; the rest follows from DeepSeek's scaling laws and from C = M D:
  python -m training plan --gpus 8 --gpu H100 --days 7          so many GPUs for so long: how large a model?
  python -m training plan --flops 1e21
  python -m training plan --parameters 7B --tokens 2T --gpus 512
  python -m training plan --config training/configs/tiny.toml   a configuration: does it fit, how long does it take, and
                                                                what would the laws choose?

compute C counts forward and backward without embeddings and logits: C = M D, M = 72 n d^2 + 12 n d l FLOPs a token, D
tokens. The laws (2401.02954, section 3), C in FLOPs, B in tokens a step:
  learning rate 0.3118 C^-0.1250, B = 0.2920 C^0.3271   fitted on 1e17 to 2e19 FLOPs, used by the paper up to 67B
  M = 0.1715 C^0.5243, D = 5.8316 C^0.4757              fitted on 1e17 to 3e20 FLOPs
"""


def main(arguments: list[str]) -> int:
    """0: the plan is printed. 1: the budget cannot be used."""
    given = parser().parse_args(arguments)
    from training.plan import plan  # these load PyTorch, which --help need not wait for

    try:
        found = plan(*_budget(given))
    except ValueError as error:
        print(f"plan: {error}", file=sys.stderr)
        return 1
    print(json.dumps(_record(found), indent=1) if given.json else table(found))
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m training plan", description="What a budget buys, before anything is bought.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = made.add_argument
    add("--flops", type=number, metavar="N", help="compute, as in 1e21")
    add("--days", type=number, metavar="N", help="compute, as days of all GPUs at --mfu")
    add("--parameters", type=number, metavar="N", help="of the model, embeddings included, as in 6.7B")
    add("--tokens", type=number, metavar="N", help="to train on, as in 2T")
    add("--config", type=Path, metavar="FILE", help="model and tokens of a training configuration")
    add("--gpus", type=count, default=8, metavar="N", help="default: %(default)s")
    add("--gpu", default="H100", metavar="NAME", help="default: %(default)s; an unknown name lists them")
    add("--mfu", type=number, default=0.4, metavar="SHARE", help="of the GPU's peak; default: %(default)s")
    add("--price", type=number, default=2.0, metavar="DOLLARS", help="of a GPU hour; default: %(default)s")
    add("--sequence-length", type=count, default=4096, metavar="N", help="default: %(default)s")
    add("--vocab-size", type=count, default=102_400, metavar="N", help="default: %(default)s")
    add("--json", action="store_true", help="all numbers, for programs")
    return made


def number(text: str) -> float:
    """`6.7B` -> 6.7e9. ArgumentTypeError where it is no number above 0."""
    match = re.fullmatch(r"([\d._]+(?:e[+-]?\d+)?)([kmbt]?)", text.strip().lower())
    try:
        value = float(match[1]) * UNITS[match[2]] if match else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number above 0, as in 1e21, 6.7B or 2T")
    return value


def count(text: str) -> int:
    """`4096` -> 4096. ArgumentTypeError where it is no whole number above 0."""
    if not text.strip().isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a whole number above 0")
    return int(text)


def _budget(given: argparse.Namespace) -> Any:
    from training.config import load
    from training.hardware import GPU_MEMORY_BYTES
    from training.plan import Budget, Machine

    names = {name.lower(): name for name in GPU_MEMORY_BYTES}
    if given.gpu.lower() not in names:
        raise ValueError(f"--gpu: got {given.gpu!r}; expected one of {', '.join(names.values())}")
    if given.mfu > 1:
        raise ValueError(f"--mfu: got {given.mfu:g}; expected a share up to 1, as in 0.4")
    machine = Machine(names[given.gpu.lower()], given.gpus, given.mfu, given.price)
    budget = {name: getattr(given, name) for name in ("flops", "days", "parameters", "tokens")}
    if given.config is None:
        return Budget(**budget, sequence_length=given.sequence_length, vocab_size=given.vocab_size), machine
    if any(value is not None for value in budget.values()):
        raise ValueError("--config says which model and how many tokens; give no other budget with it")
    config = load(given.config)
    shape = config.model.model_copy(update={"vocab_size": config.model.vocab_size or given.vocab_size})
    tokens = config.schedule.num_steps * config.batch.num_sequences * shape.max_sequence_length
    return Budget(
        shape=shape,
        tokens=tokens,
        batch_sequences=config.batch.num_sequences,
        peak_learning_rate=config.optimizer.peak_learning_rate,
        sequences_per_pass=config.batch.sequences_per_pass,
        loss_chunk_tokens=config.kernels.loss_chunk_tokens,
        parallel=config.parallel,
        activation_checkpointing=config.kernels.activation_checkpointing,
    ), machine


def _record(plan: "Plan") -> dict[str, Any]:
    """All numbers of the plan; memory in bytes."""
    record = asdict(plan) | {"shape": plan.shape.model_dump(mode="json"), "batch_tokens": plan.batch_tokens}
    for fit, found in zip(record["fits"], plan.fits, strict=True):
        fit["layout"]["name"], fit["memory"]["total"] = found.layout.name, found.memory.total
    return record


def table(plan: "Plan") -> str:
    """For people: the run, then a line for every way to share the model among the GPUs."""
    shape, machine = plan.shape, plan.machine
    rows = [
        ("compute", f"{plan.flops:.3g} FLOPs, without embeddings and logits (C = M D)"),
        ("model", f"{compact(plan.parameters)} parameters, {shape.num_layers} layers, width {shape.hidden_size}, "
                  f"{_heads(shape)}, SwiGLU {shape.intermediate_size}, {shape.vocab_size:,} token ids"),
        *_experts(plan),
        ("", f"M = {plan.flops_per_token:.3g} FLOPs a token"),
        ("tokens", f"{compact(plan.tokens)}, {plan.tokens / plan.parameters:.3g} a parameter"),
        ("batch", f"{plan.batch_sequences:,} sequences of {shape.max_sequence_length:,}"
                  f"{_by_law(plan.batch_sequences, plan.batch_sequences_by_law)}: {compact(plan.batch_tokens)} tokens; "
                  f"{plan.num_steps:,} steps"),
        ("KV cache", f"{compact(plan.kv_cache_bytes)} bytes a token while it writes, in bfloat16"),
        ("learning rate", f"{plan.peak_learning_rate:.3g} at the peak"
                          + _by_law(plan.peak_learning_rate, plan.peak_learning_rate_by_law)),
        ("time", f"{_duration(plan.days)} on {machine.gpus} x {machine.gpu} at an MFU of {machine.mfu:.0%}; "
                 f"{plan.step_seconds:.3g} s a step"),
        ("money", f"{plan.dollars:,.0f} dollars at {machine.dollars_per_gpu_hour:g} a GPU hour"),
    ]  # fmt: skip
    lines = [f"{name:<14} {text}" for name, text in rows]
    lines += [f"{'careful':<14} {warning}" for warning in plan.warnings]
    return "\n".join([*lines, "", *_memory_table(plan)])


def _by_law(chosen: float, by_law: float) -> str:
    """What the law would choose, where a configuration has chosen otherwise."""
    return "" if chosen == by_law else f" (by the law {by_law:,.4g})"


def _heads(shape: "Model") -> str:
    if latent := shape.latent_attention:
        return f"{shape.num_heads} heads from a latent vector of {latent.kv_rank} + {latent.rope_head_size}"
    return f"{shape.num_heads} heads" + (f", {shape.num_kv_heads} of keys and values" * bool(shape.num_kv_heads))


def _experts(plan: "Plan") -> list[tuple[str, str]]:
    experts = plan.shape.experts
    if experts is None:
        return []
    return [
        (
            "experts",
            f"{experts.num_routed} + {experts.num_shared} of {experts.intermediate_size} in a layer, of which a token "
            f"meets {experts.num_per_token} + {experts.num_shared}: {compact(plan.active_parameters)} parameters",
        )
    ]


def _memory_table(plan: "Plan") -> list[str]:
    from training.hardware import GPU_MEMORY_BYTES
    from training.plan import USABLE_MEMORY

    size = GPU_MEMORY_BYTES[plan.machine.gpu]
    parts = ("weights", "gradients", "optimizer", "copies", "activations", "logits", "total")
    lines = [
        f"Memory of one GPU in GB, {_a_pass(plan)}; it fits where the total is at most {USABLE_MEMORY:.0%} of "
        f"{size / 1e9:g}",
        f"{'':<32}" + "".join(f"{part:>12}" for part in parts),
    ]
    for fit in plan.fits:
        sizes = "".join(f"{getattr(fit.memory, part) / 1e9:12.2f}" for part in parts)
        verdict = ("fits" if fit.fits else "too large") + ", as configured" * fit.is_asked_for
        lines.append(f"{fit.layout.name:<32}{sizes}  {verdict}")
    return lines


def _a_pass(plan: "Plan") -> str:
    number = plan.sequences_per_pass
    return "all its sequences in one pass" if number is None else f"{number} sequence{'s' * (number > 1)} a pass"


def _duration(days: float) -> str:
    for unit, seconds in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if days * 86_400 >= seconds:
            return f"{days * 86_400 / seconds:.3g} {unit}"
    return f"{days * 86_400:.3g} seconds"


def compact(value: float) -> str:
    """6738415616 -> 6.74B"""
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}"
