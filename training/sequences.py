"""Reads packed token sequences: memory-mapped Arrow files of `pipelines.contract.sequence`, checked as they open."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines import contract

Tokens = npt.NDArray[np.int32]
Mapped = npt.NDArray[np.integer[Any]]  # token ids as a file has them: uint16 or int32


@dataclass(frozen=True)
class SequenceFolder:
    """The output of the stage token_sequences, as its manifest describes it."""

    path: Path
    recipe: str
    config: dict[str, Any]
    decontamination: dict[str, Any]  # the benchmarks that the text was cleaned against, and the rule; empty: none
    shards: tuple[str, ...]

    @property
    def sequence_length(self) -> int:
        return int(self.config["sequence_length"])


@dataclass(frozen=True)
class Split:
    """The sequences of one split, in file order. Only the rows that are asked for are read from disk."""

    name: str
    blocks: tuple[Mapped, ...]  # one a record batch: views of the mapped files, shape (rows, sequence length)
    paths: tuple[Path, ...]  # of each block
    starts: npt.NDArray[np.int64]  # number of the first row of each block; then the number of rows in all
    epoch_sizes: tuple[int, ...]  # how many of the rows, in order, are of each epoch that the documents were cut for

    def __len__(self) -> int:
        return int(self.starts[-1])

    def rows(self, indices: npt.NDArray[np.integer[Any]], vocab_size: int) -> Tokens:
        """The sequences with these numbers, shape (indices, sequence length). ValueError on an id outside the model."""
        tokens = np.stack([self._row(int(index)) for index in indices], dtype=np.int32)
        if tokens.min() < 0 or tokens.max() >= vocab_size:
            position = int(np.argmax(((tokens < 0) | (tokens >= vocab_size)).any(axis=1)))
            block = self._block(int(indices[position]))
            outside = tokens.max() if tokens.max() >= vocab_size else tokens.min()
            raise ValueError(
                f"{self.paths[block]}: token id {outside}, but the model has {vocab_size} token ids; give the "
                "tokenizer that made the sequences, or raise model.vocab_size"
            )
        return tokens

    def _row(self, index: int) -> Mapped:
        block = self._block(index)
        row: Mapped = self.blocks[block][index - int(self.starts[block])]
        return row

    def _block(self, index: int) -> int:
        return int(np.searchsorted(self.starts, index, side="right")) - 1


def open_folder(path: Path) -> SequenceFolder:
    """Reads the manifest. ValueError where it is missing, damaged, or has no recipe or sequence length."""
    file = path / "manifest.json"
    if not file.is_file():
        raise ValueError(f"--sequences: {file} does not exist; run the stage token_sequences first, or let it finish")
    try:
        manifest = json.loads(file.read_bytes())
        shards = tuple(str(shard) for shard in manifest["shards"])
        cleaned = dict(manifest.get("decontamination", {}))
        folder = SequenceFolder(path, str(manifest["recipe"]), dict(manifest["config"]), cleaned, shards)
        if folder.sequence_length < 2:
            raise ValueError(f"sequence_length is {folder.sequence_length}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"--sequences: {file} is no manifest of token sequences ({type(error).__name__}: {error}); expected JSON "
            "with `recipe`, `shards` and `config.sequence_length`"
        ) from error
    return folder


def open_split(folder: SequenceFolder, name: str) -> Split:
    """Maps the files of the split, epoch by epoch. ValueError where there is none, or one is missing or damaged or of
    another recipe."""
    mine = [(epoch, shard) for shard in folder.shards if (epoch := _epoch(shard, name)) is not None]
    epochs, paths, blocks = [], [], []
    for epoch, shard in sorted(mine):
        for block in _blocks(folder.path / shard, folder):
            epochs.append(epoch)
            paths.append(folder.path / shard)
            blocks.append(block)
    sizes = np.array([len(block) for block in blocks], dtype=np.int64)
    if not sizes.sum():
        raise ValueError(
            f"--sequences: {folder.path / name} holds no sequences ({len(mine)} Arrow files); the corpus is too "
            f"small for its split, or token_sequences did not write it"
        )
    return Split(
        name=name,
        blocks=tuple(blocks),
        paths=tuple(paths),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        epoch_sizes=tuple(np.bincount(epochs, sizes).astype(int).tolist()),
    )


def _epoch(shard: str, split: str) -> int | None:
    """The epoch that a shard of the manifest was written for; None where it is of another split."""
    plain, epoch = contract.shard_and_epoch(shard)
    return epoch if plain.startswith(f"{split}/") else None


def _blocks(path: Path, folder: SequenceFolder) -> list[Mapped]:
    try:
        if not path.exists():
            raise OSError("the manifest names it, but it is not there")
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        expected = [contract.sequence(folder.sequence_length, token_id) for token_id in contract.TOKEN_ID_TYPES]
        problems = [next(contract.mismatches(reader.schema, schema), None) for schema in expected]
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} is no whole Arrow file ({error}); delete it and run token_sequences again") from error
    if all(problems):
        raise ValueError(f"{path}: {problems[-1]}; run token_sequences again")
    found = (reader.schema.metadata or {}).get(b"recipe", b"(none)").decode()
    if found != folder.recipe:
        raise ValueError(
            f"{path} was written by recipe {found}, but the manifest beside it says {folder.recipe}: the folder mixes "
            "two runs; delete it and run token_sequences again"
        )
    return [_as_numpy(batch.column("tokens"), folder.sequence_length) for batch in batches if len(batch)]


def _as_numpy(column: pa.FixedSizeListArray, length: int) -> Mapped:
    tokens: Mapped = column.flatten().to_numpy(zero_copy_only=True)
    return tokens.reshape(-1, length)
