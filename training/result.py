"""What a run leaves: a Hugging Face checkpoint that says what it was made from, a picture, a manifest."""

import importlib.metadata
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor

from training import atomic, loss_curve, metrics, model_card, tokenizer
from training.output import CHECKPOINT, LOSS_CURVE, METRICS, MODELS, OPTIONAL
from training.run import Run


def export(run: Run) -> None:
    """Leaves the model as it is after this step, in a folder like that of the finished one. All processes call it."""
    weights = run.state.whole_weights()
    if run.is_main:
        name = f"step-{run.state.progress.step:08d}"
        temporary = run.output.in_progress / f"{name}.writing"
        shutil.rmtree(temporary, ignore_errors=True)
        _write_checkpoint(run, temporary, weights)
        (run.output.in_progress / MODELS).mkdir(exist_ok=True)
        atomic.move_into_place(temporary, run.output.in_progress / MODELS / name)


def write(run: Run) -> Path:
    """A folder with all that gets published, made from the state in memory and the metrics so far."""
    folder = run.output.in_progress / "finished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _write_checkpoint(run, folder / CHECKPOINT, run.weights)
    shutil.copyfile(run.output.in_progress / METRICS, folder / METRICS)
    shutil.copyfile(folder / CHECKPOINT / LOSS_CURVE, folder / LOSS_CURVE)
    for name in OPTIONAL:
        if (run.output.in_progress / name).is_dir():
            shutil.copytree(run.output.in_progress / name, folder / name)
    return folder


def manifest(run: Run) -> dict[str, Any]:
    """The record of the run: what it was made from, what came out, what it cost."""
    progress = run.state.progress
    speed = progress.tokens / progress.train_seconds
    return {
        "stage": "pretrain",
        "recipe": run.output.recipe.digits,
        "inputs": {"token_sequences": run.output.recipe.token_sequences},
        "made_from": asdict(run.output.recipe),
        "config": run.config.model_dump(mode="json"),
        "num_parameters": run.num_parameters,
        "num_steps": progress.step,
        "num_skipped_steps": progress.num_skipped,
        "tokens": progress.tokens,
        "epochs": round(run.num_epochs, 4),
        "final_train_loss": metrics.final_train_loss(run.reports.lines),
        "final_validation_loss": metrics.final_validation_loss(run.reports.lines),
        "tokens_per_second": round(speed, 1),
        "mfu": round(run.reports.mfu(speed), 4),
        "peak_flops": run.reports.peak_of_all,
        "peak_flops_source": run.reports.peak.source,
        "flops_per_token": run.config.model.flops_per_token(run.corpus.folder.sequence_length),
        "logits_flops_per_token": run.config.model.logits_flops_per_token(run.vocab_size),
        "device": str(run.state.accelerator.device),
        "num_processes": run.state.accelerator.num_processes,
        "seconds": round(progress.seconds, 3),
        "cpu_seconds": round(progress.cpu_seconds, 3),
        "peak_memory_bytes": progress.peak_memory_bytes,
    }


def _write_checkpoint(run: Run, folder: Path, weights: dict[str, Tensor]) -> None:
    """`folder` then loads with AutoModelForCausalLM and AutoTokenizer. The weights are float32 in safetensors."""
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    run.state.bare_model.save_pretrained(folder, state_dict=weights)
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # safetensors makes them private to the user
    tokenizer.copy_files(run.corpus.tokenizer_folder, folder)
    provenance, lines = _provenance(run), run.reports.lines
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
    losses = {"training": metrics.final_train_loss(lines), "validation": metrics.final_validation_loss(lines)}
    card = model_card.card(provenance, run.config.deciding(), run.num_parameters, losses)
    (folder / "README.md").write_text(card, encoding="utf-8")
    loss_curve.draw(lines, folder / LOSS_CURVE, f"Pretraining, {run.num_parameters / 1e6:.1f} M parameters")


def _provenance(run: Run) -> dict[str, Any]:
    """No times and no paths, so that the same run gives the same bytes."""
    recipe, folder, progress = run.output.recipe, run.corpus.folder, run.state.progress
    return {
        "stage": "pretrain",
        "recipe": recipe.digits,
        "made_from": asdict(recipe),
        "token_sequences": {"recipe": folder.recipe, "config": folder.config},
        "decontamination": folder.decontamination,
        "num_steps": progress.step,
        "tokens": progress.tokens,
        "num_skipped_steps": progress.num_skipped,
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "accelerate")},
    }
