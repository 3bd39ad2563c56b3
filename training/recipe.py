"""The recipe of a training run: a hash of all that decides its result. Two runs of one recipe give the same model.

Not in it: where files lie, how many processes take part, when checkpoints are written.
"""

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.config import TrainingConfig

# A bar redrawn must not cost a week of training.
PRESENTATION = {
    "__main__.py", "full_disk.py", "loss_curve.py", "model_card.py", "out_of_memory.py", "plan.py",
    "plan_activations.py", "plan_command.py", "plan_memory.py", "plan_parameters.py", "plan_shape.py", "profiling.py",
    "progress.py", "tracking.py",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """What goes into a run, and the 16 hex digits that stand for it."""

    config: dict[str, Any]  # the settings that decide the result
    token_sequences: str  # their recipe
    tokenizer: str  # SHA-256 of tokenizer.json
    init: str | None  # SHA-256 of the weights that it begins from; None: fresh ones
    code_version: str

    @property
    def digits(self) -> str:
        parts = [self.config, self.token_sequences, self.tokenizer, self.init, self.code_version]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def of(config: TrainingConfig, token_sequences: str, tokenizer: str, init: Path | None = None) -> Recipe:
    """ValueError where `init` is no checkpoint."""
    return Recipe(config.deciding(), token_sequences, tokenizer, fingerprint(init) if init else None, code_version())


def fingerprint(checkpoint: Path) -> str:
    """SHA-256 of the weights in a Hugging Face checkpoint. ValueError where there are none in safetensors."""
    files = sorted(checkpoint.glob("*.safetensors"))
    if not files:
        raise ValueError(f"--init: {checkpoint} has no *.safetensors; expected the checkpoint of a finished run")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def code_version(folder: Path = Path(__file__).parent) -> str:
    """12 hex digits of the modules of this folder; comments, formatting and docstrings do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        if path.name not in PRESENTATION:
            digest.update(path.name.encode())
            digest.update(_normalized(path))
    return digest.hexdigest()[:12]


def _normalized(path: Path) -> bytes:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree).encode()
