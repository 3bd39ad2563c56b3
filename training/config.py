"""The typed settings of a training run and their TOML file. Defaults are DeepSeek LLM's (2401.02954, section 2.3)."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic import model_validator as validator

from training import scaling
from training.shape import Model
from training.table import Table

SCALING_LAW = "scaling_law"
SCALED = (("batch", "num_sequences"), ("optimizer", "peak_learning_rate"))


class Batch(Table):
    """How many sequences a step sees, and how many of them one process holds in memory at once."""

    num_sequences: PositiveInt  # a step, over all processes; "scaling_law": see TrainingConfig
    sequences_per_pass: PositiveInt | None = None  # None: all that the process has; lower it when memory runs out


class Optimizer(Table):
    """AdamW."""

    peak_learning_rate: PositiveFloat  # "scaling_law": see TrainingConfig
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.95, ge=0, lt=1)
    epsilon: PositiveFloat = 1e-8
    weight_decay: float = Field(0.1, ge=0)
    max_grad_norm: PositiveFloat = 1.0


class Schedule(Table):
    """How long the run is, and how the learning rate moves in it."""

    num_steps: PositiveInt
    warmup_steps: NonNegativeInt = 2000
    kind: Literal["multi_step", "cosine", "wsd"] = "multi_step"
    milestones: tuple[float, ...] = (0.8, 0.9)  # multi_step: shares of num_steps
    factors: tuple[float, ...] = (0.316, 0.1)  # multi_step: of the peak, from each milestone on
    final_factor: float = Field(0.1, ge=0, le=1)  # cosine, wsd: of the peak, at the last step
    decay_share: float = Field(0.1, gt=0, le=1)  # wsd: the last steps, as a share of num_steps

    @validator(mode="after")
    def _is_a_schedule(self) -> Self:
        if self.warmup_steps >= self.num_steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} must be less than num_steps {self.num_steps}")
        if len(self.milestones) != len(self.factors) or list(self.milestones) != sorted(self.milestones):
            raise ValueError(f"milestones {self.milestones} must ascend and pair up with factors {self.factors}")
        if not all(0 < share < 1 for share in self.milestones) or min(self.factors, default=0) < 0:
            raise ValueError(
                f"milestones {self.milestones} must be shares of num_steps, between 0 and 1, and factors {self.factors}"
                " of the peak, not below 0"
            )
        return self


class Kernels(Table):
    """How the same numbers are computed: faster, or in less memory. At most a rounding moves, so no recipe has it."""

    attention: Literal["auto", "flash_attn", "varlen", "sdpa"] = "auto"  # auto: the best of the device, or an error
    loss: Literal["chunked", "liger"] = "chunked"
    loss_chunk_tokens: PositiveInt = 4096  # whose logits are in memory at once; lower it when memory runs out
    activation_checkpointing: bool = False  # computes each layer twice, and keeps only what goes into it
    compile: bool = False  # each layer by torch.compile, but for what FlashAttention and grouped experts do already


class Validation(Table):
    """The loss on held-out sequences: the same ones every time."""

    num_sequences: NonNegativeInt = 64  # 0: no validation
    every_steps: PositiveInt = 100


class Skipping(Table):
    """Which steps leave the weights alone: those without finite gradients always, and those where the loss leaps."""

    loss_sigmas: PositiveFloat | None = 6.0  # so many standard deviations above the running mean; None: no limit
    window_steps: PositiveInt = 100  # what the running mean spans; in the first so many steps no loss is a leap
    max_in_a_row: PositiveInt = 10  # more end the run: then something is wrong that skipping will not mend


class Parallel(Table):
    """How processes share the work. Nothing here changes what comes out but for rounding: it is no part of the recipe.

    `tensor` processes hold the parts of each layer, `context` processes the parts of each sequence; all processes /
    (`tensor` x `context`) of them see sequences of their own.
    """

    strategy: Literal["ddp", "fsdp"] = "ddp"  # ddp: each process holds the whole model; fsdp: a part
    zero_stage: Literal[1, 2, 3] = 3  # fsdp: 1 gathers weights and reduces gradients once a step, 3 in every layer
    tensor: PositiveInt = 1
    context: PositiveInt = 1

    @validator(mode="after")
    def _fits(self) -> Self:
        if self.tensor > 1 and self.strategy != "fsdp":
            raise ValueError(f'tensor = {self.tensor} needs strategy = "fsdp"')
        return self


class Checkpoints(Table):
    """When the state is saved. Nothing here changes what comes out, so it is no part of the recipe."""

    every_steps: PositiveInt = 100
    keep: PositiveInt = 2
    export_every_steps: PositiveInt | None = None  # leaves the model of each such step in `models/`, to be evaluated
    asynchronous: bool = True  # writes while training goes on, from a copy in memory; false: training waits
    max_seconds: PositiveFloat | None = None  # save and stop after so long; the same command goes on from there


class Tracking(Table):
    """Where else the metrics go; `metrics.jsonl` has them always."""

    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ()
    project: str = "repoloom"  # wandb


class Profile(Table):
    """Which steps PyTorch's profiler records; it slows them down."""

    num_steps: NonNegativeInt = 0  # 0: none
    first_step: int = Field(10, gt=1)  # the first ones are not like the others


class TrainingConfig(Table):
    """Everything that a run is told, but for where its files lie.

    `batch.num_sequences` and `optimizer.peak_learning_rate` may be "scaling_law": then they are those of equation 1 of
    2401.02954 for the compute of the run, and from there on the numbers are all that is known of it.
    """

    seed: int = 0
    precision: Literal["bf16", "fp8"] = "bf16"  # of matrix products on a GPU, fp8 in the blocks only; a CPU has float32
    model: Model
    batch: Batch
    optimizer: Optimizer
    schedule: Schedule
    kernels: Kernels = Kernels()
    validation: Validation = Validation()
    skipping: Skipping = Skipping()
    parallel: Parallel = Parallel()
    checkpoints: Checkpoints = Checkpoints()
    tracking: Tracking = Tracking()
    profile: Profile = Profile()

    @validator(mode="after")
    def _precision_fits(self) -> Self:
        if self.precision == "fp8" and self.parallel.tensor > 1:
            raise ValueError('precision = "fp8" is there for whole layers only; set parallel.tensor = 1, or "bf16"')
        return self

    @validator(mode="before")
    @classmethod
    def _follow_the_scaling_law(cls, tables: dict[str, Any]) -> dict[str, Any]:
        asked = [(table, key) for table, key in SCALED if _value(tables, table, key) == SCALING_LAW]
        if not asked:
            return tables
        batch, rate = (_value(tables, table, key) for table, key in SCALED)
        given, steps = tables.get("model"), _value(tables, "schedule", "num_steps")
        if given is None or not isinstance(steps, int) or not (isinstance(batch, int) or batch == SCALING_LAW):
            raise ValueError(
                '"scaling_law" follows from [model] and the whole numbers schedule.num_steps and batch.num_sequences '
                '(which may be "scaling_law" too); give them'
            )
        shape = Model.model_validate(given)
        length = shape.max_sequence_length
        per_token = shape.flops_per_token(length)
        if batch == SCALING_LAW:
            batch = max(1, round(scaling.batch_tokens_of_steps(per_token, steps) / length))
        if rate == SCALING_LAW:
            rate = float(f"{scaling.peak_learning_rate(per_token * batch * length * steps):.3g}")
        scaled = dict(zip(SCALED, (batch, rate), strict=True))
        return {**tables, **{table: {**tables[table], key: scaled[table, key]} for table, key in asked}}

    def deciding(self) -> dict[str, Any]:
        """The settings that decide the result. How the work is cut up (passes, pauses) at most moves a rounding."""
        tables = dict.fromkeys(("checkpoints", "kernels", "parallel", "tracking", "profile"), True)
        return self.model_dump(mode="json", exclude={**tables, "batch": {"sequences_per_pass"}})


def load(path: Path, changes: Sequence[str] = ()) -> TrainingConfig:
    """The settings in the TOML file at `path`, with `changes` on top, each as in `schedule.num_steps=100`.

    ValueError names each bad key, what it got, and the known ones.
    """
    if not path.is_file():
        raise ValueError(f"config: got {path}, which is no file; expected a TOML file like training/configs/demo.toml")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"config: {path} is not valid TOML: {error}") from error
    for change in changes:
        _apply(change, tables)
    try:
        return TrainingConfig.model_validate(tables)
    except ValidationError as error:
        problems = "\n".join(f"  {_problem(item)}" for item in error.errors())
        raise ValueError(f"config: {path} cannot be used:\n{problems}") from error


def _apply(change: str, tables: dict[str, Any]) -> None:
    """Puts the value of `table.key=value` into `tables`. What is no TOML value is text: `schedule.kind=cosine`."""
    name, is_change, value = change.partition("=")
    if not is_change or not name:
        raise ValueError(f"--set: got {change!r}; expected TABLE.KEY=VALUE, as in schedule.num_steps=100")
    *path, key = name.strip().split(".")
    for part in path:
        tables = tables.setdefault(part, {})
        if not isinstance(tables, dict):
            raise ValueError(f"--set: got {change!r}, but {part} is a key, not a table")
    try:
        tables[key] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        tables[key] = value


def _value(tables: dict[str, Any], table: str, key: str) -> Any:
    inner = tables.get(table)
    return inner.get(key) if isinstance(inner, dict) else None


def _problem(item: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{key}: unknown key; known: {', '.join(_table_at(item['loc'][:-1]).model_fields)}"
    if item["type"] == "missing":
        return f"{key}: missing"
    if item["type"] == "value_error":  # of a check of ours, which says what it got
        return f"{key}: {item['ctx']['error']}" if key else str(item["ctx"]["error"])
    return f"{key}: got {item['input']!r}; {item['msg']}"


def _table_at(location: tuple[str | int, ...]) -> type[BaseModel]:
    table: type[BaseModel] = TrainingConfig
    for name in location:
        kind = table.model_fields[str(name)].annotation
        table = next(part for part in (kind, *get_args(kind)) if isinstance(part, type))  # Table, or Table | None
    return table
