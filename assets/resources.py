"""The one resource: where a run lies, which settings it has, and which engine its Beam jobs go to."""

import os
import shlex
from typing import Any

import dagster as dg

from pipelines import config as configuration
from pipelines import storage
from pipelines.contract import DOWNSTREAM, FLOW


class Workspace(dg.ConfigurableResource[Any]):
    """A run's folder and settings. Set in the launchpad, or by the environment variables named below."""

    config: str = os.environ.get("REPOLOOM_CONFIG", "pipelines/configs/demo.toml")
    data: str = os.environ.get("REPOLOOM_DATA", "data")
    run: str = os.environ.get("REPOLOOM_RUN", "demo")
    beam_flags: str = os.environ.get("REPOLOOM_BEAM_FLAGS", "")  # as in `--runner=FlinkRunner --flink_master=...`

    @property
    def folder(self) -> str:
        return storage.join(self.data, self.run)

    def path(self, *parts: str) -> str:
        return storage.join(self.folder, *parts)

    @property
    def tables(self) -> configuration.Tables:
        """The tables of the run's TOML file."""
        return configuration.load(self.config, (*FLOW, *DOWNSTREAM))

    @property
    def flags(self) -> list[str]:
        return shlex.split(self.beam_flags)
