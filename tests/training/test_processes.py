"""What only processes of their own show: being killed, and training as two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.pretrain import Outcome, pretrain

ROOT = Path(__file__).parents[2]
KILLED_WHILE_SAVING = """
import os, signal, sys
from training import __main__, checkpoint
place = checkpoint.move_into_place
def killed(temporary, target):
    if target.name == "step-00000004":
        os.kill(os.getpid(), signal.SIGKILL)
    place(temporary, target)
checkpoint.move_into_place = killed
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture
def arguments(settings, sequences_folder, tokenizer_folder, tmp_path) -> list[str]:
    """Those of the command line for the settings of the other tests."""
    tables = settings().model_dump(mode="json", exclude_none=True, exclude={"seed"})
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )
    (tmp_path / "config.toml").write_text(text)
    folders = {"sequences": sequences_folder, "tokenizer": tokenizer_folder, "output": tmp_path / "run"}
    return [str(tmp_path / "config.toml"), *(word for k, v in folders.items() for word in (f"--{k}", str(v)))]


def launch(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_killed_while_saving_it_goes_on_and_gives_the_same_bits(
    arguments, settings, sequences_folder, tokenizer_folder, tmp_path, assert_same_result, capsys
):
    assert launch("-c", KILLED_WHILE_SAVING, *arguments).returncode == -9
    assert not (tmp_path / "run" / "manifest.json").exists()
    outcome = pretrain(settings(), sequences_folder, tokenizer_folder, tmp_path / "run")
    assert outcome is Outcome.FINISHED
    assert "going on after step 2 of 8" in capsys.readouterr().err
    assert_same_result(tmp_path / "run")


def test_two_processes_train_as_one(arguments, tmp_path, undisturbed):
    done = launch("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "training", *arguments)
    assert done.returncode == 0, done.stderr
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (tmp_path / "run", undisturbed)]
    assert [manifest["num_processes"] for manifest in manifests] == [2, 1]
    assert manifests[0]["recipe"] == manifests[1]["recipe"]
    two, one = (
        [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (tmp_path / "run", undisturbed)
    )
    for key in ("loss", "grad_norm", "validation_loss", "tokens"):
        found, expected = ([line[key] for line in lines if line[key] is not None] for lines in (two, one))
        assert found == pytest.approx(expected, rel=1e-4), key
    assert done.stderr.count("finished: 8 steps") == 1
