"""The command line of the data half: `python -m pipelines run | mixture | trace | diff | near | graph | contract`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import config, contract, storage
from pipelines.contract import DOWNSTREAM, FLOW

DEFAULT_CONFIG = "pipelines/configs/demo.toml"
RUN_HELP = """Brings stages up to date: what is done is skipped, what was cut off goes on.
docs/sources.md explains the list of sources, [[crawl.sources]].
Any further option goes to Beam as it is, for example
  --direct_num_workers=4                            several processes on this machine
  --runner=DataflowRunner --project=... --region=...  the same jobs on Dataflow"""


MIXTURE_HELP = """The stages up to ngram_decontamination must have run. The shares are those of the configuration:
  [parquet_shards.mixture]
  preset = "deepseek-coder"      # 87 % code, 10 % code-related text, 3 % Chinese; or "deepseek-coder-v2": 60 / 10 / 30
  tokens = 1_000_000_000         # by default so many that every group is there whole at least once
  max_epochs = 4                 # how often a document may be repeated where a source is short"""
TRACE_HELP = """Looks up what each stage said. For example
  trace leftovers/one_long_line.js    a file: a line for each stage, up to the one that dropped it
  trace leftovers                     a repository: each of its files, kept or dropped
  trace https://a.example/page        a page; where it was not crawled, what is known of its domain
  trace --reason line_length_max      five files that were dropped for it: what was measured, and how they begin"""
DIFF_HELP = """Shows the settings and code that differ, the files and bytes of every stage and reason that changed, and
examples of the files that met another fate: kept in one run and dropped in the other, or dropped by another stage."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options, beam_flags = parser.parse_known_args(arguments)
    if beam_flags and options.command != "run":
        parser.error(f"unknown options: {' '.join(beam_flags)}")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("pipelines").setLevel(logging.INFO)
    try:
        options.function(options, beam_flags)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, RuntimeError) as error:
        if not isinstance(error, KeyboardInterrupt) and not str(error).startswith("KeyboardInterrupt"):  # Beam wraps it
            raise
        print("stopped; what is whole stays: the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description="From repositories to training sequences.")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser(
        "run", help="run stages", description=RUN_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    run.add_argument("stages", nargs="*", metavar="STAGE", help=f"by default all, in this order: {', '.join(FLOW)}")
    run.add_argument("--retry-failed", action="store_true", help="crawl again what the last crawl could not read")
    _add_run_options(run)
    run.set_defaults(function=_run)

    mixture = commands.add_parser(
        "mixture", help="the plan of the mixture: bytes, tokens and epochs of each source; writes nothing",
        description=MIXTURE_HELP, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    _add_run_options(mixture)
    mixture.set_defaults(function=_mixture)

    _add_questions(commands)

    quality = commands.add_parser("quality", help="train a quality model from labels, with its card")
    quality.add_argument("action", choices=["train"])
    quality.add_argument("--labels", required=True, help="`stars`, or a JSONL file of {file_id or text, label}")
    quality.add_argument("--output", required=True, help="the folder to write")
    quality.add_argument("--positive-from", type=float, default=0.5, help="a label so high is good (%(default)s)")
    quality.add_argument("--max-files", type=int, default=100_000, help="at most so many examples (%(default)s)")
    _add_run_options(quality)
    quality.set_defaults(function=_quality)

    page = commands.add_parser("contract", help="print docs/data_contract.md")
    page.set_defaults(function=lambda options, flags: print(contract.markdown(), end=""))
    return parser


def _add_questions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What only looks things up in finished runs."""
    trace = commands.add_parser(
        "trace", help="why is this file in the corpus, or why not? what does a reason look like?",
        description=TRACE_HELP, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    asked = trace.add_mutually_exclusive_group(required=True)
    asked.add_argument("file", nargs="?", help="a file_id or page_id, `repository/path`, a repository, or a URL")
    asked.add_argument("--reason", help="show rows that were dropped for this reason")
    trace.add_argument("--count", type=int, default=5, help="how many rows of a reason (default: %(default)s)")
    _add_run_options(trace)
    trace.set_defaults(function=_trace)

    diff = commands.add_parser(
        "diff", help="what changed between two runs?",
        description=DIFF_HELP, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    diff.add_argument("one", metavar="RUN_A", help="name of the run before")
    diff.add_argument("other", metavar="RUN_B", help="name of the run after")
    diff.add_argument("--examples", type=int, default=3, help="rows shown of each kind (default: %(default)s)")
    diff.add_argument("--data", default="data", help="folder or URL that holds the runs (default: %(default)s)")
    diff.set_defaults(function=_diff)

    near = commands.add_parser("near", help="what is this repository, file or page near, and what became of both?")
    near.add_argument("item", help="a repository, a file_id or page_id, `repository/path`, or a URL")
    near.add_argument("--count", type=int, default=10, help="how many to show (default: %(default)s)")
    _add_run_options(near)
    near.set_defaults(function=_near)

    graph = commands.add_parser("graph", help="draw a repository's dependencies, in training order, as a PNG file")
    graph.add_argument("repository", nargs="?", default="", help="by default the one with most dependencies")
    graph.add_argument("--output", default="graph.png", help="the file to write (default: %(default)s)")
    _add_run_options(graph)
    graph.set_defaults(function=_graph)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", default=DEFAULT_CONFIG, help="TOML file of the run (default: %(default)s)")
    parser.add_argument("--data", default="data", help="folder or URL that holds the runs (default: %(default)s)")
    parser.add_argument("--run", default="demo", help="name of the run (default: %(default)s)")


def _run(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines.crawl import retry
    from pipelines.runner import run_stage  # imports Beam, which takes seconds
    from pipelines.stage import load

    if not any(flag.startswith("--runner") for flag in beam_flags):
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # the embedded runner raises what it logs
    unknown = sorted(set(options.stages) - set(FLOW))
    if unknown:
        raise ValueError(f"stage: got {unknown[0]!r}; expected one of {', '.join(FLOW)}")
    tables = config.load(options.config, (*FLOW, *DOWNSTREAM))
    run_folder = storage.join(options.data, options.run)
    if options.retry_failed and not retry.ask(run_folder):
        print("crawl: there is nothing that could not be read")
    for name in options.stages or FLOW:
        done = run_stage(load(name), run_folder, tables, beam_flags)
        print(done.summary())
        if name == "crawl" and (failed := retry.num_failed(done.counts)):
            print(f"crawl: {failed:,} could not be read; `trace --reason` says which, `run --retry-failed` tries again")


def _mixture(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines.parquet_shards import mixture
    from pipelines.parquet_shards.stage import STAGE, planned
    from pipelines.runner import prepare

    tables = config.load(options.config, (*FLOW, *DOWNSTREAM))
    run, _ = prepare(STAGE, storage.join(options.data, options.run), tables)
    for line in mixture.lines(planned(run)):
        print(line)


def _trace(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines import trace_many
    from pipelines.trace import trace

    run_folder = storage.join(options.data, options.run)
    if options.reason:
        lines = trace_many.dropped(run_folder, options.reason, options.count)
    else:
        lines = trace(run_folder, options.file)
    for line in lines:
        print(line)


def _diff(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines.diff import diff

    before, after = (storage.join(options.data, name) for name in (options.one, options.other))
    for line in diff(before, after, options.examples):
        print(line)


def _near(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines.near import near
    from pipelines.page_dedup.stage import PAGES
    from pipelines.repo_dedup.stage import FILES, REPOSITORIES

    levels = {"repo_dedup": (REPOSITORIES, FILES), "page_dedup": (PAGES,)}
    for line in near(storage.join(options.data, options.run), levels, options.item, options.count):
        print(line)


def _graph(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines import picture

    found = picture.read(storage.join(options.data, options.run), options.repository)
    Path(options.output).write_bytes(picture.draw(found))
    print(f"{options.output}: {found.name}, {len(found.paths):,} files in training order")


def _quality(options: argparse.Namespace, beam_flags: list[str]) -> None:
    from pipelines.quality_screen import labels, train

    examples = labels.labelled(
        options.labels, storage.join(options.data, options.run), options.positive_from, options.max_files
    )
    found = train.train(examples, options.output, options.labels)
    print(f"{options.output}: {len(examples):,} files, AUC {found['auc']:.3f} on held-out repositories, "
          f"expected calibration error {found['expected_calibration_error']:.3f}; see MODEL_CARD.md")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
