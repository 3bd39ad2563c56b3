"""The output folder: what lies where, whether it is up to date, and how a finished run takes an older one's place.

* `manifest.json`: written last; without it, nothing here is finished
* `checkpoint/`: the model and its tokenizer, for Hugging Face's from_pretrained
* `metrics.jsonl`, `loss_curve.png`; `tensorboard/`, `profile/` and `models/step-*`, where the settings ask for them
* `in_progress/RECIPE/`: an unfinished run: its metrics and its latest checkpoints
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training import atomic
from training.recipe import Recipe

MANIFEST, CHECKPOINT, METRICS, LOSS_CURVE = "manifest.json", "checkpoint", "metrics.jsonl", "loss_curve.png"
TENSORBOARD, PROFILE, MODELS = OPTIONAL = "tensorboard", "profile", "models"
IN_PROGRESS = "in_progress"


@dataclass(frozen=True)
class Output:
    folder: Path
    recipe: Recipe

    @property
    def in_progress(self) -> Path:
        return self.folder / IN_PROGRESS / self.recipe.digits

    @property
    def checkpoints(self) -> Path:
        return self.in_progress / "checkpoints"

    def manifest(self) -> dict[str, Any] | None:
        """That of the finished run in the folder, whatever its recipe. ValueError where it is damaged."""
        path = self.folder / MANIFEST
        if not path.is_file():
            return None
        try:
            manifest = dict(json.loads(path.read_bytes()))
            return manifest | {"recipe": str(manifest["recipe"]), "made_from": dict(manifest["made_from"])}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"--output: {path} is not a training run's manifest; give another folder") from error

    def is_up_to_date(self) -> bool:
        manifest = self.manifest()
        files = (METRICS, LOSS_CURVE, f"{CHECKPOINT}/config.json")
        return (
            manifest is not None
            and manifest["recipe"] == self.recipe.digits
            and all((self.folder / name).is_file() for name in files)
        )

    def differences(self) -> list[str]:
        """What changed since the finished run that the folder holds, as in `schedule.num_steps 100 -> 200`."""
        manifest = self.manifest()
        if manifest is None:
            return []
        old, new = _flat(manifest["made_from"]), _flat(asdict(self.recipe))
        changed = [key for key in sorted(old | new) if old.get(key) != new.get(key)]
        return [f"{key.removeprefix('config.')} {old.get(key)} -> {new.get(key)}" for key in changed]

    def unfinished_others(self) -> list[str]:
        """The other recipes whose unfinished runs the folder holds."""
        return sorted(path.name for path in (self.folder / IN_PROGRESS).glob("*") if path != self.in_progress)

    def publish(self, finished: Path, manifest: Mapping[str, Any]) -> None:
        """Puts the run in `finished` in the place of an older one. Killed meanwhile, it is an unfinished one."""
        (self.folder / MANIFEST).unlink(missing_ok=True)
        for name in (CHECKPOINT, METRICS, LOSS_CURVE):
            atomic.move_into_place(finished / name, self.folder / name)
        for name in OPTIONAL:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            if (finished / name).is_dir():
                atomic.move_into_place(finished / name, self.folder / name)
        atomic.write_whole(self.folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        shutil.rmtree(self.folder / IN_PROGRESS)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps a second run out of `folder`, even one on its way out. ValueError where there is one already, or where no
    folder can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock_file = (folder / ".lock").open("w")
    except OSError as error:
        raise ValueError(f"--output: {folder} cannot be written to ({error}); give another folder") from error
    with lock_file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"--output: another run is writing to {folder}; wait for it, or give another") from None
        yield


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
