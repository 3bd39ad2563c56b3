"""Whole runs of a tiny model on real code: what comes out, what a stop leaves, what is said about bad input."""

import json
import math
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from training import __main__, atomic, full_disk, result, sequences
from training.data import as_batch, validation_rows
from training.output import alone_in
from training.pretrain import Outcome, pretrain
from training.run import Run
from training.step import train_step

WEIGHTS = Path("checkpoint") / "model.safetensors"


def lines(folder: Path, *keys: str) -> list[list[Any]]:
    """Those keys of every line of the metrics."""
    return [[json.loads(line)[key] for key in keys] for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def run(settings, sequences_folder, tokenizer_folder, tmp_path):
    """Trains into `tmp_path`, with some settings replaced."""
    return lambda **changed: pretrain(settings(**changed), sequences_folder, tokenizer_folder, tmp_path)


def test_the_result_is_whole_and_nothing_else(undisturbed):
    names = [".lock", "checkpoint", "loss_curve.png", "manifest.json", "metrics.jsonl"]
    assert sorted(path.name for path in undisturbed.iterdir()) == names
    assert lines(undisturbed, "step", "tokens") == [[step, 256 * step] for step in range(1, 9)]
    assert [loss is not None for (loss,) in lines(undisturbed, "validation_loss")] == [False, False, False, True] * 2
    first, last = lines(undisturbed, "loss")[0][0], lines(undisturbed, "loss")[-1][0]
    assert last < first - 0.3


def test_the_manifest_says_what_it_was_made_from_and_what_it_cost(undisturbed, settings):
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert manifest["stage"] == "pretrain"
    assert len(manifest["recipe"]) == 16
    assert manifest["inputs"] == {"token_sequences": "a" * 16}
    assert manifest["config"] == settings().model_dump(mode="json")
    assert (manifest["num_steps"], manifest["tokens"]) == (8, 8 * 4 * 64)
    assert manifest["flops_per_token"] == 6 * 2 * (3 * 32**2 + 3 * 32 * 88) + 12 * 2 * 32 * 64
    assert manifest["final_validation_loss"] == lines(undisturbed, "validation_loss")[-1][0]
    peak_times_share = manifest["mfu"] * manifest["peak_flops"] / manifest["flops_per_token"]
    assert peak_times_share == pytest.approx(manifest["tokens_per_second"], rel=0.1)
    assert 0 < manifest["cpu_seconds"] < 100
    assert 1e8 < manifest["peak_memory_bytes"] < 1e11


def test_the_checkpoint_is_a_hugging_face_folder(undisturbed, sequences_folder, vocabulary):
    folder = undisturbed / "checkpoint"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    assert sum(parameter.numel() for parameter in model.parameters()) == manifest["num_parameters"]
    assert (model.config.bos_token_id, model.config.eos_token_id, model.config.use_cache) == (0, 1, True)
    text = "def load(file):\n"
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["token_sequences"] == {"recipe": "a" * 16, "config": {"sequence_length": 64}}
    assert provenance["recipe"] == manifest["recipe"]
    assert provenance["decontamination"] == sequences.open_folder(sequences_folder).decontamination
    assert provenance["decontamination"]["benchmarks"] == [{"name": "b", "version": "v", "tasks_sha256": "s"}]
    split = sequences.open_split(sequences.open_folder(sequences_folder), "validation")
    batch = as_batch(split.rows(validation_rows(split, 6), 448), vocabulary)
    with torch.no_grad():
        logits = model(input_ids=batch.tokens, position_ids=batch.positions, use_cache=False).logits
    loss = float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten()))
    assert loss == pytest.approx(manifest["final_validation_loss"], rel=1e-5)


def test_a_run_stopped_after_every_step_gives_the_same_bits(assert_same_result, run, tmp_path, capsys):
    outcomes = [run(checkpoints={"max_seconds": 1e-9}) for _ in range(8)]
    assert outcomes == [Outcome.STOPPED] * 7 + [Outcome.FINISHED]
    assert "going on after step 7 of 8" in capsys.readouterr().err
    assert_same_result(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_stops(assert_same_result, run, tmp_path, monkeypatch, capsys, number):
    report = Run.report

    def interrupted(self, *arguments):
        report(self, *arguments)
        if self.state.progress.step == 3:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr(Run, "report", interrupted)
    assert run() is Outcome.STOPPED
    assert signal.getsignal(number) is before
    assert "stopped after step 3, state saved; the same command goes on from there" in capsys.readouterr().err
    assert not (tmp_path / "manifest.json").exists()
    monkeypatch.undo()
    assert run() is Outcome.FINISHED
    assert_same_result(tmp_path)


def test_a_damaged_checkpoint_costs_steps_but_no_bits(assert_same_result, run, tmp_path, capsys):
    for _ in range(3):
        run(checkpoints={"max_seconds": 1e-9})
    newest = max(tmp_path.rglob("step-*"))
    next(newest.glob("shard-*")).write_bytes(b"broken")
    assert run() is Outcome.FINISHED
    said = capsys.readouterr().err
    assert "step-00000003 is damaged" in said
    assert "going on after step 2 of 8" in said
    assert_same_result(tmp_path)


def test_a_finished_run_is_left_alone(undisturbed, settings, sequences_folder, tokenizer_folder, capsys):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    again = settings(checkpoints={"every_steps": 7}, batch={"sequences_per_pass": 2})
    assert pretrain(again, sequences_folder, tokenizer_folder, undisturbed) is Outcome.UP_TO_DATE
    assert "is up to date" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == before


def test_other_settings_train_anew_and_the_old_result_stays_until_then(run, tmp_path, undisturbed, capsys):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    old = json.loads((tmp_path / "manifest.json").read_text())
    changed = {"schedule": {"num_steps": 4}}
    assert run(**changed, checkpoints={"max_seconds": 1e-9}) is Outcome.STOPPED
    assert "another recipe (schedule.num_steps 8 -> 4): training anew" in capsys.readouterr().err
    assert json.loads((tmp_path / "manifest.json").read_text()) == old
    assert (tmp_path / WEIGHTS).read_bytes() == (undisturbed / WEIGHTS).read_bytes()
    assert run(**changed) is Outcome.FINISHED
    assert len(lines(tmp_path, "step")) == 4
    assert (tmp_path / WEIGHTS).read_bytes() != (undisturbed / WEIGHTS).read_bytes()
    assert json.loads((tmp_path / "manifest.json").read_text())["recipe"] != old["recipe"]
    assert not (tmp_path / "in_progress").exists()


def test_a_result_with_a_part_missing_is_made_again(assert_same_result, run, tmp_path, undisturbed):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "checkpoint")
    assert run() is Outcome.FINISHED
    assert_same_result(tmp_path)


def test_a_crash_while_publishing_leaves_no_manifest_and_is_made_good(assert_same_result, run, tmp_path, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "write_whole", crash)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not (tmp_path / "manifest.json").exists()
    monkeypatch.undo()
    assert run() is Outcome.FINISHED
    assert_same_result(tmp_path)


def test_a_disk_that_takes_no_model_is_said_and_no_model_is_missing_later(
    assert_same_result, run, tmp_path, monkeypatch
):
    def full(*_arguments, **_settings):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    exporting = {"checkpoints": {"every_steps": 2, "export_every_steps": 4}}
    monkeypatch.setattr(result, "_write_checkpoint", full)
    with pytest.raises(ValueError, match=r"--output: the disk under .*: .*No space left .*: make room"):
        run(**exporting)
    monkeypatch.undo()
    assert run(**exporting) is Outcome.FINISHED
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["step-00000004", "step-00000008"]
    assert_same_result(tmp_path)


def test_other_errors_of_the_system_pass_through(tmp_path):
    with pytest.raises(ConnectionError), full_disk.explained(tmp_path):
        raise ConnectionError("not of a disk")


def blow_up(monkeypatch, first: int, last: int) -> None:
    """Makes the gradients of those steps not finite."""

    def poisoned(state, batch):
        poison = math.nan if first <= state.progress.step + 1 <= last else 1.0
        hook = next(state.model.parameters()).register_hook(lambda gradient: gradient * poison)
        metrics = train_step(state, batch)
        hook.remove()
        return metrics

    monkeypatch.setattr("training.loop.train_step", poisoned)


def test_steps_that_blow_up_are_skipped_counted_and_reported(run, tmp_path, monkeypatch, capsys):
    blow_up(monkeypatch, first=3, last=4)
    assert run() is Outcome.FINISHED
    assert "2 steps skipped" in capsys.readouterr().err
    assert json.loads((tmp_path / "manifest.json").read_text())["num_skipped_steps"] == 2
    assert lines(tmp_path, "skipped", "grad_norm")[2:4] == [[True, None]] * 2
    assert [skipped for (skipped,) in lines(tmp_path, "skipped")].count(True) == 2


def test_too_many_in_a_row_end_the_run(run, tmp_path, monkeypatch):
    blow_up(monkeypatch, first=2, last=99)
    with pytest.raises(ValueError, match=r"10 steps in a row, up to step 11, were skipped; lower optimizer.peak_l"):
        run(schedule={"num_steps": 20})
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"stage": "token_sequences", "recipe": "c0ffee", "shards": []}'])
def test_the_folder_of_something_else_is_refused(run, tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest.json is not a training run's manifest; give another folder"):
        run()
    assert (tmp_path / "manifest.json").read_text() == text


def test_two_runs_in_one_folder_are_refused(run, tmp_path):
    with alone_in(tmp_path), pytest.raises(ValueError, match="another run is writing to"):
        run()


def test_an_output_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    message = r"--output: .*file cannot be written to \(.*File exists.*give another folder"
    with pytest.raises(ValueError, match=message), alone_in(tmp_path / "file"):
        pass


@pytest.fixture
def command(sequences_folder, tokenizer_folder, tmp_path, capsys):
    """Runs the command line with some arguments replaced; returns its exit status and what it said."""

    def make(*, config: str | None = None, replace=("", ""), **folders) -> tuple[int, str]:
        if config is None:
            config = str(tmp_path / "config.toml")
            text = (Path(__main__.__file__).parent / "configs" / "tiny.toml").read_text()
            Path(config).write_text(text.replace("num_steps = 40", "num_steps = 6").replace(*replace))
        given = {"sequences": sequences_folder, "tokenizer": tokenizer_folder, "output": tmp_path / "out", **folders}
        status = __main__.main([config, *(word for name in given for word in (f"--{name}", str(given[name])))])
        return status, capsys.readouterr().err

    return make


def test_the_command_line_tells_where_things_are(command, tmp_path):
    status, said = command()
    again, said_again = command()
    assert (status, again) == (0, 0)
    assert f"model       {tmp_path}/out/checkpoint" in said
    assert f"loss curve  {tmp_path}/out/loss_curve.png" in said
    assert "finished: 6 steps, 1,536 tokens" in said
    assert said_again.startswith(f"pretrain: {tmp_path}/out is up to date (recipe ")


def test_the_time_limit_has_an_exit_status_of_its_own(command):
    status, said = command(replace=("[checkpoints]", "[checkpoints]\nmax_seconds = 1e-9"))
    assert (status, "stopped after step 1, state saved" in said) == (75, True)


@pytest.mark.parametrize(
    ("shows", "arguments", "message"),
    [
        ("no config", {"config": "absent.toml"}, "absent.toml, which is no file"),
        ("no sequences", {"sequences": "absent"}, "absent/manifest.json does not exist; run the stage token_sequences"),
        ("no tokenizer", {"tokenizer": "absent"}, "absent has no tokenizer.json and no tokenizer_config.json"),
        ("long", {"replace": ("= 512", "= 32")}, "64 tokens long, but model.max_sequence_length is 32; raise it"),
        ("small", {"replace": ("[batch]", "vocab_size = 99\n[batch]")}, "vocab_size is 99, but the tokenizer has 400"),
        (
            "unknown",
            {"replace": ("num_layers", "layers")},
            "model.layers: unknown key; known: kind, num_layers",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(command, tmp_path, shows, arguments, message):
    status, said = command(**arguments)
    assert (status, message in said) == (1, True), said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_sequences_of_another_tokenizer_are_refused(command, write_sequences, tmp_path):
    rows = np.full((8, 64), 9000)
    folder = write_sequences(tmp_path / "sequences", {"train": rows, "validation": rows})
    status, said = command(sequences=folder)
    assert (status, "token id 9000, but the model has 448 token ids" in said) == (1, True), said
