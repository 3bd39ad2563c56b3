"""Reads a run's TOML file: one table per stage, each checked against the stage's typed configuration."""

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class StageConfig(BaseModel):
    """The settings of a stage: typed, frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


C = TypeVar("C", bound=BaseModel)
Tables = Mapping[str, Mapping[str, Any]]


def load(path: str, known_tables: Collection[str]) -> Tables:
    """The tables of the TOML file at `path`. ValueError where it is no TOML or has an unknown table."""
    file = Path(path)
    if not file.is_file():
        raise ValueError(
            f"config: got {path!r}, which is no file; expected a TOML file such as pipelines/configs/demo.toml"
        )
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"config: {path} is not valid TOML: {error}") from error
    unknown = sorted(set(tables) - set(known_tables))
    if unknown:
        raise ValueError(
            f"config: {path} has the unknown table [{unknown[0]}]; known tables: {', '.join(known_tables)}"
        )
    return tables


def parse(model: type[C], table: Mapping[str, Any], name: str) -> C:
    """`table` as a `model`. ValueError names each bad key, what it got, and the keys that exist."""
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        problems = "\n".join(f"  {_problem(name, item)}" for item in error.errors())
        known = ", ".join(model.model_fields) or "none"
        raise ValueError(f"config table [{name}]:\n{problems}\n  known keys of [{name}]: {known}") from error


def _problem(table: str, item: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in item["loc"]) or table
    if item["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    return f"{key}: got {item['input']!r}; {item['msg']}"
