"""Pretraining from start to finish: check the inputs, train, put the result in place. The loop is in `loop.py`."""

import os
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import full_disk, recipe, sequences, tokenizer
from training.config import TrainingConfig
from training.corpus import Corpus, open_corpus
from training.output import CHECKPOINT, IN_PROGRESS, LOSS_CURVE, METRICS, Output, alone_in
from training.progress import duration, say
from training.stopping import StopSignal

if TYPE_CHECKING:
    from training.run import Run


class Outcome(Enum):
    UP_TO_DATE = "a finished run of the same recipe was there already"
    FINISHED = "the result is in place"
    STOPPED = "asked to stop; the state is saved and the same call goes on from it"


def pretrain(
    config: TrainingConfig,
    sequences_folder: Path,
    tokenizer_folder: Path,
    output_folder: Path,
    init: Path | None = None,
) -> Outcome:
    """Trains a model on `sequences_folder`, or goes on doing so, and leaves it in `output_folder`.

    Its weights are fresh, or those of the Hugging Face checkpoint `init`.

    Every process of a distributed run calls this with the same arguments. ValueError for inputs that cannot be used.
    """
    folder = sequences.open_folder(sequences_folder)
    output = Output(output_folder, recipe.of(config, folder.recipe, tokenizer.fingerprint(tokenizer_folder), init))
    if output.is_up_to_date():
        _say(f"{output_folder} is up to date (recipe {output.recipe.digits})")
        return Outcome.UP_TO_DATE
    corpus = open_corpus(config, folder, tokenizer_folder, init)
    with full_disk.explained(output_folder), alone_in(output_folder) if _is_main() else nullcontext():
        _say_what_changed(output)
        return _train(config, corpus, output)


def _train(config: TrainingConfig, corpus: Corpus, output: Output) -> Outcome:
    from training import out_of_memory, result  # PyTorch: a run that is up to date or refused need not wait for it
    from training.loop import train
    from training.run import Run

    num_processes = int(os.environ.get("WORLD_SIZE", "1"))
    with StopSignal() as stop, out_of_memory.explained(config, corpus.folder.sequence_length, num_processes):
        run = Run(config, corpus, output, stop)
        try:
            _say(_opening(run))
            finished = train(run)
            run.leave_group()
        finally:
            run.close()
    if not finished:
        _say(f"stopped after step {run.state.progress.step}, state saved; the same command goes on from there")
        return Outcome.STOPPED
    if run.is_main:
        manifest = result.manifest(run)
        output.publish(result.write(run), manifest)
        _say_results(output.folder, manifest)
    return Outcome.FINISHED


def _opening(run: "Run") -> str:
    from training.attention import describe

    config, processes, reports = run.config, run.state.accelerator.num_processes, run.reports
    metrics = run.output.in_progress / METRICS
    return (
        f"{run.num_parameters / 1e6:.2f} M parameters; {config.schedule.num_steps:,} steps of "
        f"{config.batch.num_sequences} sequences of {run.corpus.folder.sequence_length} tokens, {run.num_epochs:.2g} "
        f"epochs; {processes} process{'es' * (processes > 1)} on {run.state.accelerator.device}, peak "
        f"{reports.peak_of_all / 1e9:,.0f} GFLOP/s ({reports.peak.source}); attention by "
        f"{describe(run.state.attention_kernel)}; metrics in {metrics}"
    )


def _say_what_changed(output: Output) -> None:
    changes = output.differences()
    if changes:
        _say(
            f"{output.folder} holds a finished run of another recipe ({'; '.join(changes)}): training anew. "
            "The old result stays until the new one is finished"
        )
    others = output.unfinished_others()
    if others:
        _say(
            f"{output.folder / IN_PROGRESS} also holds unfinished runs of other recipes ({', '.join(others)}); they "
            "are deleted when this one is finished"
        )


def _say_results(folder: Path, manifest: dict[str, Any]) -> None:
    losses = {"training": manifest["final_train_loss"], "validation": manifest["final_validation_loss"]}
    told = ", ".join(f"{name} loss {loss:.3f}" for name, loss in losses.items() if loss is not None)
    skipped = manifest["num_skipped_steps"]
    _say(
        f"finished: {manifest['num_steps']:,} steps, {manifest['tokens']:,} tokens, in {duration(manifest['seconds'])}"
    )
    _say(f"  {told} (nats per token){f'; {skipped} steps skipped' * bool(skipped)}")
    _say(
        f"  {manifest['tokens_per_second']:,.0f} tokens/s, MFU {manifest['mfu']:.1%} (without the FLOPs of "
        f"embeddings and logits), peak memory {manifest['peak_memory_bytes'] / 1e9:.2f} GB"
    )
    _say(f"  model       {folder / CHECKPOINT}")
    _say(f"  loss curve  {folder / LOSS_CURVE}")
    _say(f"  metrics     {folder / METRICS}")


def _is_main() -> bool:
    """Whether this is the process that speaks and writes, known before accelerate is loaded."""
    return os.environ.get("RANK", "0") == "0"


def _say(message: str) -> None:
    if _is_main():
        say(message)
