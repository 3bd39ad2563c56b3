import json
import shutil

import pytest

from training import tokenizer
from training.tokenizer import Vocabulary


@pytest.fixture
def changed(tokenizer_folder, tmp_path):
    """A copy of the tokenizer with some keys of its configuration replaced, or left out where None."""

    def make(**keys):
        folder = shutil.copytree(tokenizer_folder, tmp_path / "tokenizer")
        config = json.loads((folder / "tokenizer_config.json").read_text()) | keys
        (folder / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
        return folder

    return make


def test_the_ids_of_the_special_tokens(tokenizer_folder):
    assert tokenizer.read_vocabulary(tokenizer_folder) == Vocabulary(size=400, bos=0, eos=1, pad=2)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"bos_token": None}, r"has no bos token; set bos_token"),
        ({"pad_token": None}, r"has no pad token; set pad_token"),
        ({"pad_token": "<eos>"}, r"bos, eos and pad are the ids \[0, 1, 1\]; they must differ"),
    ],
)
def test_special_tokens_must_be_there_and_differ(changed, keys, message):
    with pytest.raises(ValueError, match=message):
        tokenizer.read_vocabulary(changed(**keys))


@pytest.mark.parametrize("text", ["{", "{}", '{"model": 1}', ""])
def test_a_damaged_tokenizer_is_named(changed, text):
    folder = changed()
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match=rf"--tokenizer: {folder} cannot be loaded"):
        tokenizer.read_vocabulary(folder)


def test_a_missing_file_is_named(changed):
    folder = changed()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"has no tokenizer.json; expected a Hugging Face tokenizer folder"):
        tokenizer.fingerprint(folder)
