"""HumanEval (Chen et al. 2021) and every file in its format, the bundled functions among them.

Protocol: DeepSeek-Coder's evaluation of base models, except that numpy is not offered to the answers.
"""

from typing import Any

from eval.benchmarks.task import Task, read_records
from eval.prompts import Text
from eval.sandbox.programs import Program

STOP: tuple[str, ...] = ("\ndef", "\nclass", "\nif", "\n#", "\nprint")
MAX_NEW_TOKENS = 500
PROTOCOL = (
    "0-shot, greedy, the stripped prompt; cut at \\ndef \\nclass \\nif \\n# \\nprint; "
    "import helper + prompt + newline + completion + tests"
)
IMPORT_HELPER = """\
import math
import re
import sys
import copy
import datetime
import itertools
import collections
import heapq
import functools
import hashlib
import string
from typing import *
from collections import *
"""


def read(name: str, version: str, data: bytes) -> list[Task]:
    return read_records(data, lambda _, record: to_task(name, version, record))


def to_task(name: str, version: str, record: dict[str, Any]) -> Task:
    return Task(
        benchmark=name, version=version, task_id=record["task_id"], language="Python", prompt=record["prompt"],
        suffix="", solution=record["canonical_solution"], test=record["test"], test_is_shown=False,
        entry_point=record["entry_point"],
    )  # fmt: skip


def evaluated(tasks: list[Task]) -> list[Task]:
    return tasks


def prompt(task: Task, tasks: list[Task]) -> Text:
    return Text((task.prompt.strip(),))


def reference(task: Task) -> str:
    return task.solution


def program(task: Task, answer: str) -> Program:
    """The tests may also use the prompt's other functions: theirs are the reference's, not the answer's."""
    code, prelude = (f"{IMPORT_HELPER}{task.prompt}\n{body}\n" for body in (answer, task.solution))
    return Program(code, f"{task.test}\ncheck({task.entry_point})\n", prelude, (task.entry_point,))
