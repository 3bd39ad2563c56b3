"""What several tests need: a run of the first stages on a folder of files that the test writes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.config import Tables
from pipelines.manifest import Manifest
from pipelines.runner import run_stage
from pipelines.stage import load

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("any machine", deadline=None)  # the first call of a kernel compiles it
settings.load_profile("any machine")

Files = Mapping[str, str | bytes]
RunStages = Callable[..., dict[str, Manifest]]
ROOT = Path(__file__).parent.parent


def write_files(folder: Path, files: Files) -> Path:
    """Writes `files` (path -> content) under `folder`."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files whose first folder is their repository; a crawl of `sources/*` finds them."""
    return lambda files: write_files(tmp_path / "sources", files)


@pytest.fixture
def settings(tmp_path: Path) -> Tables:
    """A configuration that crawls what `sources` wrote."""
    crawl = {"num_shards": 2, "sources": [{"kind": "directory", "path": str(tmp_path / "sources" / "*")}]}
    return {"crawl": crawl}


@pytest.fixture
def run_folder(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "run")


@pytest.fixture
def run_stages(run_folder: str, settings: Tables) -> RunStages:
    """Runs the named stages one after the other, with some settings replaced, and returns their manifests."""

    def run(*names: str, flags: tuple[str, ...] = (), **changed: Mapping[str, object]) -> dict[str, Manifest]:
        tables = {**settings, **{name: {**settings.get(name, {}), **table} for name, table in changed.items()}}
        return {name: run_stage(load(name), run_folder, tables, flags) for name in names}

    return run
