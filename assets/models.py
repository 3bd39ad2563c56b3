"""The assets that are checkpoints. Each runs its trainer as a process, by the command that a user types."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from assets import metadata
from assets.commands import run_command
from assets.resources import Workspace


@dg.asset(group_name="model", kinds={"torch", "safetensors"}, deps=["token_sequences"], pool="gpu")
def pretrain(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
    """A model trained on the packed sequences; `checkpoint/` loads with `AutoModelForCausalLM.from_pretrained`."""
    config = workspace.tables.get("pretrain", {}).get("config", "training/configs/demo.toml")
    run_command(
        "training", config, "--sequences", workspace.path("token_sequences"),
        "--tokenizer", workspace.path("token_sequences", "tokenizer"), "--output", workspace.path("pretrain"),
    )  # fmt: skip
    done = json.loads(Path(workspace.path("pretrain", "manifest.json")).read_text())
    return dg.MaterializeResult(
        metadata={
            **metadata.numbers(done),
            "loss_curve": metadata.picture(
                "loss_curve", Path(workspace.path("pretrain", "loss_curve.png")).read_bytes()
            ),
        },
        data_version=dg.DataVersion(done["recipe"]),
    )
