"""`python -m training CONFIG.toml ...`, alone or under `accelerate launch -m` or `torchrun -m`."""

import argparse
import os
import sys
from pathlib import Path

ERROR, TRY_AGAIN = 1, 75  # 75: sysexits' EX_TEMPFAIL


def main(arguments: list[str] | None = None) -> int:
    """0: the result is there. 75: stopped and saved, the same command goes on. 1: an input cannot be used."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["plan"]:
        from training import plan_command

        return plan_command.main(arguments[1:])
    given = _parser().parse_args(arguments)
    # Before PyTorch is loaded: its threads then sleep while they wait, instead of keeping others off the processor
    # that they wait for. On two busy cores this is four times as fast.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from training.config import load
    from training.pretrain import Outcome, pretrain

    try:
        config = load(given.config, given.set)
        outcome = pretrain(config, given.sequences, given.tokenizer, given.output, given.init)
    except ValueError as error:
        print(f"pretrain: {error}", file=sys.stderr)
        return ERROR
    return TRY_AGAIN if outcome is Outcome.STOPPED else 0


EXAMPLES = """
a run of seconds, then one on the eight GPUs of this machine, then two processes without any:
  python -m training training/configs/tiny.toml --sequences S --tokenizer S/tokenizer --output OUT
  accelerate launch --multi_gpu --num_processes 8 -m training CONFIG.toml --sequences ... --output OUT
  torchrun --standalone --nproc-per-node 2 -m training CONFIG.toml --sequences ... --output OUT

before any of it, what does a budget buy? and does it fit into the memory of a GPU?
  python -m training plan --gpus 8 --days 7
  python -m training plan --config CONFIG.toml

16K context: the sequences packed anew, the preset of 16K, and the checkpoint of the run at 4K:
  python -m training training/configs/deepseek-coder-1.3b-16k.toml --init RUN/checkpoint --sequences ... --output OUT

what the settings decide (each table and its defaults: training/config.py):
  [model] [batch] [optimizer] [schedule]  the result; a change of them is another run, beside an unfinished one
  precision      "bf16", or on L4, H100 and newer "fp8" with torchao: faster, and not quite the same result
  [parallel]     how processes share the work: strategy = "ddp", or "fsdp" with zero_stage = 1, 2 or 3 and tensor = N;
                 context = N gives each process a part of every sequence
  [kernels]      how the same numbers come faster, or in less memory: attention, loss, compile, activation_checkpointing
  [checkpoints]  how often the state is saved, and how many are kept; export_every_steps = N leaves the model of every
                 N-th step in OUT/models/step-*, for scores over training
  [skipping]     which steps leave the weights alone: gradients not finite, or a loss that leaps

what you may do to it:
  stop it    Ctrl-C or SIGTERM saves first, kill -9 costs the steps since the last checkpoint; the same command goes on,
             on the same batches, with any number of processes; on as many as before every bit is the same
  watch it   OUT/in_progress/RECIPE/metrics.jsonl gets a line for every step; [tracking] trackers = ["tensorboard"] or
             ["wandb"] shows it; [profile] num_steps = 3 leaves a trace of three steps in profile/trace.json

exit status: 0 the result is there, 75 stopped and saved, 1 an input cannot be used or the disk is full
             (torchrun and accelerate launch say 1 for 75, too: the last line says "state saved")
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Pretrain a model. A run that was stopped or killed goes on when started again with the same "
        "arguments; one that is finished is left alone.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="settings, as in training/configs/demo.toml")
    parser.add_argument("--sequences", type=Path, required=True, metavar="DIR", help="output of token_sequences")
    parser.add_argument("--tokenizer", type=Path, required=True, metavar="DIR", help="its Hugging Face tokenizer")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the result goes")
    parser.add_argument(
        "--init", type=Path, metavar="DIR",
        help="go on from the weights of this checkpoint, as for long context or other data; none: fresh weights",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE",
        help="a setting in place of the file's, as in schedule.num_steps=100; may be given several times",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
