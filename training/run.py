"""A run in progress: what the loop asks for (batches, validation, reports, saving), over one or more processes."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from transformers import LlamaForCausalLM

from training import checkpoint, data, model, optimizer
from training.config import TrainingConfig
from training.corpus import Corpus
from training.data import Batch, Sampler
from training.hardware import peak
from training.metrics import Line, MetricsLog, finite
from training.output import METRICS, Output
from training.progress import Display, say
from training.schedule import learning_rate
from training.step import State, StepMetrics, total, validation_loss
from training.stopping import StopSignal
from training.tokenizer import Vocabulary

MAX_SKIPPED_IN_A_ROW = 10


class Run:
    """Begins afresh, or where the newest checkpoint in `output` was saved."""

    def __init__(self, config: TrainingConfig, corpus: Corpus, output: Output, stop: StopSignal) -> None:
        self.config, self.corpus, self.output, self._stop = config, corpus, output, stop
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        self.state = new_state(config, corpus.vocabulary)
        self.accelerator = self.state.accelerator
        self.is_main = bool(self.accelerator.is_main_process)
        self._restore()
        self._seconds_before, self._cpu_seconds_before = self.state.progress.seconds, self.state.progress.cpu_seconds
        self.peak = peak(self.accelerator.device)
        self.peak_of_all = total(self.state, [self.peak.flops])[0]
        self._flops_per_token = model.flops_per_token(config.model, corpus.folder.sequence_length)
        self._data_seconds = 0.0
        self.display = Display(config.schedule.num_steps, self.state.progress.step, self.is_main)
        output.in_progress.mkdir(parents=True, exist_ok=True)
        self.log = MetricsLog(output.in_progress / METRICS, self.state.progress.step) if self.is_main else None

    def batches(self) -> Iterator[Batch]:
        """This process's part of every batch that is left to train on."""
        sampler = Sampler(
            len(self.corpus.train), self.config.batch.num_sequences, self.corpus.folder.recipe, self.config.seed
        )
        steps = range(self.state.progress.step, self.config.schedule.num_steps)
        place = self.accelerator.process_index, self.accelerator.num_processes
        reader = data.batches(self.corpus.train, sampler, self.corpus.vocabulary, self.vocab_size, steps, *place)
        for _ in steps:
            asked_at = time.perf_counter()
            batch = next(reader)
            self._data_seconds = time.perf_counter() - asked_at
            yield batch

    @property
    def vocab_size(self) -> int:
        return model.vocab_size(self.config.model, self.corpus.vocabulary)

    def validate(self) -> float | None:
        """The loss on the validation sequences, in nats a token; None where the settings ask for none."""
        split, step_size = self.corpus.validation, self.state.sequences_per_pass
        if split is None:
            return None
        rows = data.validation_rows(split, self.config.validation.num_sequences)
        mine = rows[self.accelerator.process_index :: self.accelerator.num_processes]
        pieces = (mine[start : start + step_size] for start in range(0, len(mine), step_size))
        return validation_loss(
            self.state, (data.as_batch(split.rows(piece, self.vocab_size), self.corpus.vocabulary) for piece in pieces)
        )

    def report(self, metrics: StepMetrics, validation: float | None) -> None:
        """Writes and shows the step. ValueError where too many steps in a row had to be skipped."""
        progress, seconds = self.state.progress, metrics.seconds + self._data_seconds
        progress.train_seconds += seconds
        progress.seconds = self._seconds_before + time.perf_counter() - self._started
        speed = metrics.tokens / seconds
        line = Line(
            step=progress.step,
            loss=finite(metrics.loss),
            validation_loss=None if validation is None else finite(validation),
            learning_rate=metrics.learning_rate,
            grad_norm=finite(metrics.grad_norm),
            skipped=metrics.skipped,
            tokens=progress.tokens,
            tokens_per_second=round(speed, 1),
            mfu=round(self.mfu(speed), 4),
            seconds=round(progress.seconds, 3),
            data_seconds=round(self._data_seconds, 6),
        )
        if self.log is not None:
            self.log.append(line)
        self.display.show(line)
        if progress.num_skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW:
            raise ValueError(
                f"the gradients of {MAX_SKIPPED_IN_A_ROW} steps in a row, up to step {progress.step}, were not finite; "
                "lower optimizer.peak_learning_rate, or lengthen schedule.warmup_steps"
            )

    def mfu(self, tokens_per_second: float) -> float:
        """The share of the peak of all devices that the model's own operations make up."""
        return self._flops_per_token * tokens_per_second / self.peak_of_all

    def is_due(self, every_steps: int) -> bool:
        return self.state.progress.step % every_steps == 0 or self.is_finished()

    def is_finished(self) -> bool:
        return self.state.progress.step >= self.config.schedule.num_steps

    def is_asked_to_stop(self) -> bool:
        """By a signal or by the time limit, on any process: so that all stop after the same step."""
        limit = self.config.checkpoints.max_seconds
        late = limit is not None and time.perf_counter() - self._started >= limit
        return total(self.state, [self._stop.received or late])[0] > 0

    def save(self) -> None:
        """A checkpoint of the state as it is."""
        progress = self.state.progress
        cpu_seconds = total(self.state, [time.process_time() - self._cpu_started])[0]
        progress.cpu_seconds = self._cpu_seconds_before + cpu_seconds
        progress.peak_memory_bytes = max(progress.peak_memory_bytes, _peak_memory_bytes())
        if self.is_main:
            checkpoint.save(
                self.output.checkpoints,
                self.bare_model,
                self.state.optimizer,
                progress,
                self.output.recipe.digits,
                self.config.checkpoints.keep,
            )
        self.accelerator.wait_for_everyone()

    def close(self) -> None:
        self.display.close()
        if self.log is not None:
            self.log.close()

    def leave_group(self) -> None:
        """Ends the work of several processes as one; after it, each may end by itself. All call it, or none."""
        self.accelerator.wait_for_everyone()
        self.state.model = self.bare_model
        self.accelerator.free_memory()  # what is left of DDP must go before its process group, or may wait for ever
        self.accelerator.end_training()

    @property
    def bare_model(self) -> LlamaForCausalLM:
        """The model without what accelerate puts around it."""
        bare = self.accelerator.unwrap_model(self.state.model)
        assert isinstance(bare, LlamaForCausalLM)
        return bare

    @property
    def num_parameters(self) -> int:
        return model.num_parameters(self.bare_model)

    @property
    def lines(self) -> list[Line]:
        """The metrics so far; on the main process only."""
        assert self.log is not None
        return self.log.lines

    @property
    def num_epochs(self) -> float:
        """How often the whole run sees the training sequences."""
        return self.config.schedule.num_steps * self.config.batch.num_sequences / len(self.corpus.train)

    def say(self, message: str) -> None:
        if self.is_main:
            say(message)

    def _restore(self) -> None:
        restored = checkpoint.restore(
            self.output.checkpoints, self.bare_model, self.state.optimizer, self.output.recipe.digits, self.say
        )
        if restored is not None:
            self.state.progress = restored
            self.say(f"going on after step {restored.step} of {self.config.schedule.num_steps}")


def new_state(config: TrainingConfig, vocabulary: Vocabulary) -> State:
    """Fresh weights on this process's device, wrapped for as many processes as there are; bfloat16 on CUDA only."""
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),  # unless told so, it takes processes on CPUs for one process each
        mixed_precision="bf16" if torch.cuda.is_available() else "no",
    )
    num_sequences, num_processes = config.batch.num_sequences, accelerator.num_processes
    if num_sequences < num_processes:
        raise ValueError(
            f"batch.num_sequences is {num_sequences}, but there are {num_processes} processes; each needs at least one"
        )
    assert num_processes == int(os.environ.get("WORLD_SIZE", "1")), "every process would train, and write, on its own"
    bare = model.build(config.model, vocabulary, config.seed)
    wrapped, adamw = accelerator.prepare(bare, optimizer.build(bare, config.optimizer))
    return State(
        accelerator=accelerator,
        model=wrapped,
        optimizer=adamw,
        learning_rate=partial(learning_rate, peak=config.optimizer.peak_learning_rate, schedule=config.schedule),
        max_grad_norm=config.optimizer.max_grad_norm,
        sequences_per_pass=config.batch.sequences_per_pass or -(-num_sequences // num_processes),
    )


def _peak_memory_bytes() -> int:
    """Of this program. The kernel's `ru_maxrss` would also hold the peak of the process that started it."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024
    except (OSError, StopIteration):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
