"""What a budget buys: model, tokens, batch, learning rate, memory, days and money, before anything is bought.

Two of compute C, the model's FLOPs per token M and the tokens D decide the third, by C = M D. Given one of them, the
others are those that DeepSeek's scaling laws find best for it (2401.02954, section 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from training import parallel, plan_shape, scaling
from training.config import Parallel
from training.hardware import DATA_SHEET_FLOPS, GPU_MEMORY_BYTES
from training.plan_memory import STRATEGIES, Layout, Memory, Strategy, memory
from training.plan_parameters import HALF, active_parameters, kv_cache_elements, num_parameters
from training.shape import Model

SECONDS_A_DAY = 86_400.0
USABLE_MEMORY = 0.9  # the rest goes to libraries, and to gaps between tensors
HYPER_PARAMETERS_FITTED, ALLOCATION_FITTED = (1e17, 2e19), (1e17, 3e20)  # FLOPs


@dataclass(frozen=True)
class Machine:
    """What it runs on. `mfu` is the share of the peak that C = M D takes: 40 to 50 % are good figures on H100."""

    gpu: str = "H100"
    gpus: int = 8
    mfu: float = 0.4
    dollars_per_gpu_hour: float = 2.0

    @property
    def flops(self) -> float:
        """A second, of all GPUs together, at `mfu`."""
        return self.gpus * DATA_SHEET_FLOPS[self.gpu] * self.mfu


@dataclass(frozen=True)
class Budget:
    """What is given; the rest follows. `days` counts together with the machine.

    A configuration also says what the laws would: batch and learning rate; and how a step is cut up.
    """

    flops: float | None = None
    days: float | None = None
    parameters: float | None = None
    tokens: float | None = None
    shape: Model | None = None
    sequence_length: int = 4096
    vocab_size: int = 102_400
    batch_sequences: int | None = None  # None: by the law
    peak_learning_rate: float | None = None  # None: by the law
    sequences_per_pass: int | None = 1  # of one GPU; None: all that it has of a step
    loss_chunk_tokens: int = 4096
    parallel: Parallel | None = None  # that is asked for, and shown among the ways there are
    activation_checkpointing: bool = False


@dataclass(frozen=True)
class Fit:
    """Whether a way to share the model fits into a GPU."""

    layout: Layout
    memory: Memory
    fits: bool
    is_asked_for: bool  # by the configuration


@dataclass(frozen=True)
class Plan:
    shape: Model
    parameters: int
    active_parameters: int  # that a token meets
    kv_cache_bytes: int  # a token, in bfloat16, while the model writes
    machine: Machine
    flops_per_token: float  # M = 72 n d^2 + 12 n d l; with experts, of those that a token meets
    tokens: float
    flops: float  # C = M D
    batch_sequences: int
    batch_sequences_by_law: int
    peak_learning_rate: float
    peak_learning_rate_by_law: float
    num_steps: int
    step_seconds: float
    days: float
    dollars: float
    sequences_per_pass: int | None  # that `fits` is of; None: all that a GPU has of a step
    fits: tuple[Fit, ...]
    warnings: tuple[str, ...]

    @property
    def batch_tokens(self) -> int:
        return self.batch_sequences * self.shape.max_sequence_length


def plan(budget: Budget, machine: Machine) -> Plan:
    """ValueError where the budget says too little, too much, or what cannot be."""
    shape, tokens = _shape_and_tokens(budget, _compute(budget, machine))
    length = shape.max_sequence_length
    per_token = plan_shape.scaled_flops(shape, length)
    compute = per_token * tokens
    batch_by_law, rate_by_law = (
        max(1, round(scaling.batch_tokens(compute) / length)),
        scaling.peak_learning_rate(compute),
    )
    batch = budget.batch_sequences or batch_by_law
    num_steps = max(1, round(tokens / (batch * length)))
    seconds = compute / machine.flops
    return Plan(
        shape=shape,
        parameters=num_parameters(shape),
        active_parameters=active_parameters(shape),
        kv_cache_bytes=HALF * kv_cache_elements(shape),
        machine=machine,
        flops_per_token=per_token,
        tokens=tokens,
        flops=compute,
        batch_sequences=batch,
        batch_sequences_by_law=batch_by_law,
        peak_learning_rate=budget.peak_learning_rate or rate_by_law,
        peak_learning_rate_by_law=rate_by_law,
        num_steps=num_steps,
        step_seconds=seconds / num_steps,
        days=seconds / SECONDS_A_DAY,
        dollars=seconds / 3600 * machine.gpus * machine.dollars_per_gpu_hour,
        sequences_per_pass=budget.sequences_per_pass,
        fits=tuple(_fits(shape, machine, batch, budget)),
        warnings=tuple(_warnings(budget, shape, compute, batch, machine)),
    )


def _fits(shape: Model, machine: Machine, batch: int, budget: Budget) -> list[Fit]:
    """Every way to share the model among the GPUs, with and without activation checkpointing."""
    room = GPU_MEMORY_BYTES[machine.gpu] * USABLE_MEMORY
    layouts, asked, found = list(_layouts(shape, machine.gpus)), _asked_for(budget, machine.gpus), []
    if asked is not None and asked not in layouts:
        layouts.append(asked)
    for layout in layouts:
        sequences = min(budget.sequences_per_pass or batch, -(-batch // layout.num_data))
        tokens = sequences * shape.max_sequence_length // layout.context
        needed = memory(shape, layout, tokens, budget.loss_chunk_tokens)
        found.append(Fit(layout, needed, needed.total <= room, layout == asked))
    return found


def _layouts(shape: Model, gpus: int) -> Iterator[Layout]:
    """Data parallel in all its stages; then the layers split, then the sequences, as far as this trainer can."""
    ways: list[tuple[Strategy, int, int]] = [(strategy, 1, 1) for strategy in (STRATEGIES if gpus > 1 else ("dp",))]
    ways += [("zero3", size, 1) for size in _largest(gpus, _layer_sizes(shape))]
    ways += [("zero3", 1, size) for size in _largest(gpus, (_kv_heads(shape), shape.max_sequence_length))]
    for strategy, tensor, context in ways:
        for checkpointing in (False, True):
            yield Layout(strategy, gpus, tensor, context, checkpointing)


def _asked_for(budget: Budget, gpus: int) -> Layout | None:
    asked = budget.parallel
    if asked is None or gpus % (asked.tensor * asked.context):
        return None
    sharded = asked.strategy == "fsdp" and gpus > 1
    strategy = STRATEGIES[asked.zero_stage] if sharded else "dp"
    return Layout(strategy, gpus, asked.tensor, asked.context, budget.activation_checkpointing)


def _layer_sizes(shape: Model) -> tuple[int, ...]:
    """What the processes that share a layer must divide."""
    experts = shape.experts
    of_experts = (experts.num_routed, experts.num_shared * experts.intermediate_size) if experts else ()
    return (_kv_heads(shape), shape.intermediate_size, *of_experts)


def _kv_heads(shape: Model) -> int:
    return shape.num_kv_heads or shape.num_heads


def _largest(gpus: int, sizes: tuple[int, ...]) -> list[int]:
    """The largest number of GPUs, up to the 8 of one machine, that divides all of them; none where that is 1."""
    return [number for number in (8, 4, 2) if all(size % number == 0 for size in (gpus, *sizes))][:1]


def _compute(budget: Budget, machine: Machine) -> float | None:
    """C, where the budget has it."""
    if budget.flops is not None and budget.days is not None:
        raise ValueError("--flops and --days both say how much compute there is; give one of them")
    if budget.days is not None:
        return budget.days * SECONDS_A_DAY * machine.flops
    return budget.flops


def _shape_and_tokens(budget: Budget, compute: float | None) -> tuple[Model, float]:
    tokens, length, vocabulary = budget.tokens, budget.sequence_length, budget.vocab_size
    shape = budget.shape
    if budget.parameters is not None:
        shape = plan_shape.of_parameters(budget.parameters, length, vocabulary)
    given = [
        name for name, value in (("compute", compute), ("a model", shape), ("tokens", tokens)) if value is not None
    ]
    if len(given) in (0, 3):
        raise ValueError(
            f"a budget is one or two of: --flops (or --days with --gpus), --parameters, --tokens; or --config; got "
            f"{' and '.join(given) or 'none'}"
        )
    if shape is None:
        per_token = (
            compute / tokens if compute and tokens else scaling.best_flops_per_token(_compute_of(compute, tokens))
        )
        shape = plan_shape.of_flops(per_token, length, vocabulary)
    per_token = plan_shape.scaled_flops(shape, shape.max_sequence_length)
    if tokens is None:
        tokens = (compute if compute is not None else scaling.compute_of_model(per_token)) / per_token
    return shape, tokens


def _compute_of(compute: float | None, tokens: float | None) -> float:
    """The compute that is given, or that `tokens` are best for."""
    if compute is not None:
        return compute
    assert tokens is not None, "one of the two is given"
    return scaling.compute_of_tokens(tokens)


def _warnings(budget: Budget, shape: Model, compute: float, batch: int, machine: Machine) -> list[str]:
    found = []
    if shape.experts:
        found.append("batch and learning rate follow laws of dense models, of the compute of what a token meets")
    for what, (low, high) in (
        ("batch and learning rate", HYPER_PARAMETERS_FITTED),
        ("model and tokens", ALLOCATION_FITTED),
    ):
        if not low <= compute <= high:
            found.append(
                f"{compute:.2g} FLOPs: the law of {what} was fitted on {low:.0e} to {high:.0e}; this goes beyond it"
            )
    if budget.parallel is None and batch % machine.gpus:
        found.append(f"a step of {batch} sequences does not split evenly among {machine.gpus} GPUs; round it")
    if budget.parallel is not None:
        try:
            parallel.layout(budget.parallel, batch, machine.gpus, rank=0)
        except ValueError as error:
            found.append(f"the trainer would refuse this: {error}")
    return found
