"""What the trainer needs to know of a Hugging Face tokenizer folder, and the folder's files. It tokenizes nothing."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("tokenizer.json", "tokenizer_config.json")
OPTIONAL = ("special_tokens_map.json", "added_tokens.json", "chat_template.jinja")  # copied where present


@dataclass(frozen=True)
class Vocabulary:
    """The ids that have a meaning to the trainer. `size` counts the special tokens too."""

    size: int
    bos: int
    eos: int
    pad: int


def fingerprint(folder: Path) -> str:
    """SHA-256 of tokenizer.json, which decides the ids. ValueError where `folder` is no tokenizer folder."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ValueError(
            f"--tokenizer: {folder} has no {' and no '.join(missing)}; expected a Hugging Face tokenizer folder, "
            "such as the one that the stage token_sequences writes"
        )
    return hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()


def read_vocabulary(folder: Path) -> Vocabulary:
    """ValueError where the tokenizer cannot be read, or where a special token is missing or has two meanings."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"--tokenizer: {folder} cannot be loaded: {error}") from error
    special = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id}
    missing = [name for name, token_id in special.items() if token_id is None]
    if missing:
        raise ValueError(f"--tokenizer: {folder} has no {missing[0]} token; set {missing[0]}_token in the tokenizer")
    if len(set(special.values())) < len(special):
        raise ValueError(
            f"--tokenizer: in {folder}, bos, eos and pad are the ids {list(special.values())}; they must differ, "
            "or the model would never be taught to stop"
        )
    return Vocabulary(size=len(tokenizer), **special)


def copy_files(source: Path, target: Path) -> None:
    for name in NEEDED + OPTIONAL:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
