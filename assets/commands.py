"""Runs `python -m PACKAGE ...` as a process, so that its memory ends with it and its output is seen as it comes."""

import subprocess
import sys

import dagster as dg


def run_command(package: str, *arguments: str) -> None:
    """Raises dagster.Failure with the command line, to be tried by hand, where it does not succeed."""
    command = [sys.executable, "-m", package, *arguments]
    finished = subprocess.run(command, check=False)
    if finished.returncode:
        raise dg.Failure(f"exit status {finished.returncode} of: {' '.join(command)}; its output says why")
