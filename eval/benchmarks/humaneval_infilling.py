"""HumanEval with a hole (Bavarian et al. 2022): a line, several lines or a span of a solution is to be filled in.

Protocol: the authors' (the whole function is run with its tests), asked in DeepSeek-Coder's form (section 3.1).
"""

from dataclasses import dataclass, replace

from eval.benchmarks import humaneval
from eval.benchmarks.task import Task, read_records
from eval.prompts import Gap
from eval.sandbox.programs import Program
from eval.score import infilling_scores


@dataclass(eq=False)
class Infilling:
    """One of the files. `taken` is what a stop string takes off the end of every answer, and the program needs."""

    file: str
    STOP: tuple[str, ...]
    MAX_NEW_TOKENS: int
    taken: str = ""

    @property
    def PROTOCOL(self) -> str:  # noqa: N802 - as the modules have it
        cut = "the first generated line" if self.STOP else "to the end token"
        return (
            f"<bos><fim_begin>PRE<fim_hole>SUF<fim_end>, greedy, {cut}; prefix + completion + suffix + tests; "
            "exact match and edit similarity on stripped text"
        )

    def read(self, name: str, version: str, data: bytes) -> list[Task]:
        return read_records(
            data, lambda _, record: replace(humaneval.to_task(name, version, record), suffix=record["suffix"])
        )

    def evaluated(self, tasks: list[Task]) -> list[Task]:
        return tasks

    def prompt(self, task: Task, tasks: list[Task]) -> Gap:
        return Gap(task.prompt, task.suffix)

    def reference(self, task: Task) -> str:
        return task.solution.removesuffix(self.taken)

    def program(self, task: Task, answer: str) -> Program:
        code, prelude = (f"{task.prompt}{middle}{task.suffix}\n" for middle in (answer + self.taken, task.solution))
        return Program(code, f"{task.test}\ncheck({task.entry_point})\n", prelude, (task.entry_point,))

    def compare(self, task: Task, answer: str) -> dict[str, float]:
        return infilling_scores(answer, task.solution)


INFILLINGS = {
    "humaneval_infilling_single_line": Infilling("HumanEval-SingleLineInfilling.jsonl.gz", ("\n",), 128, "\n"),
    "humaneval_infilling_multi_line": Infilling("HumanEval-MultiLineInfilling.jsonl.gz", (), 512),
    "humaneval_infilling_random_span": Infilling("HumanEval-RandomSpanInfilling.jsonl.gz", (), 512),
    "humaneval_infilling_random_span_light": Infilling("HumanEval-RandomSpanInfillingLight.jsonl.gz", (), 512),
}
