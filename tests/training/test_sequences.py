import json

import numpy as np
import pyarrow as pa
import pytest

from training import sequences

ROWS = [[0, 5, 6, 1], [0, 7, 1, 2], [0, 8, 9, 1]]


def open_train(folder):
    return sequences.open_split(sequences.open_folder(folder), "train")


def name_shards(folder, *shards):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "shards": shards}))


def test_rows_are_found_across_files_and_record_batches(tmp_path, write_sequences):
    first = write_sequences(tmp_path / "first", {"train": ROWS})
    second = write_sequences(tmp_path / "second", {"train": [[3, 3, 3, 3]]})
    (second / "train" / "sequences-00000-of-00001.arrow").rename(first / "train" / "sequences-00001-of-00002.arrow")
    name_shards(first, "train/sequences-00000-of-00001.arrow", "train/sequences-00001-of-00002.arrow")
    split = open_train(first)
    assert len(split) == 4
    assert split.rows(np.array([3, 0, 2, 0]), vocab_size=10).tolist() == [[3, 3, 3, 3], ROWS[0], ROWS[2], ROWS[0]]


def test_ids_of_either_width_are_the_same_batches(tmp_path, write_sequences):
    ids = [[0, 65_535, 256, 1]] * 3
    folders = [write_sequences(tmp_path / str(kind), {"train": ids}, token_id=kind) for kind in (np.uint16, np.int32)]
    narrow, wide = (open_train(folder).rows(np.array([2, 0]), vocab_size=1 << 16) for folder in folders)
    assert narrow.dtype == wide.dtype == np.int32
    assert narrow.tolist() == wide.tolist() == ids[:2]


@pytest.mark.parametrize("token_id", [np.uint16, np.int32])
def test_the_files_are_mapped_not_loaded(tmp_path, write_sequences, token_id):
    folder = write_sequences(tmp_path, {"train": np.zeros((4000, 256))}, token_id=token_id)
    before = pa.total_allocated_bytes()
    blocks = open_train(folder).blocks
    assert pa.total_allocated_bytes() - before < 10_000
    assert not any(block.flags.owndata or block.flags.writeable for block in blocks)


def test_epochs_lie_in_folders_of_their_own(tmp_path, write_sequences):
    folder = write_sequences(tmp_path / "a", {"train": ROWS, "train/epoch-1": ROWS[:1], "train/epoch-10": ROWS[:2]})
    split = open_train(folder)
    assert (len(split), split.epoch_sizes[0], split.epoch_sizes[1], split.epoch_sizes[10]) == (6, 3, 1, 2)
    assert split.rows(np.arange(6), vocab_size=10).tolist() == [*ROWS, ROWS[0], *ROWS[:2]]


def test_a_file_that_the_manifest_does_not_name_is_not_read(tmp_path, write_sequences):
    folder = write_sequences(tmp_path, {"train": ROWS})
    (folder / "train" / "left-over.arrow").write_text("of an earlier run")
    assert len(open_train(folder)) == 3


def test_a_missing_file_is_named(tmp_path, write_sequences):
    folder = write_sequences(tmp_path, {"train": ROWS})
    next((folder / "train").glob("*.arrow")).unlink()
    with pytest.raises(
        ValueError, match=r"00001.arrow is no whole Arrow file \(the manifest names it, but it is not th"
    ):
        open_train(folder)


@pytest.mark.parametrize("token", [10, -1])
def test_a_token_outside_of_the_model_is_refused(tmp_path, write_sequences, token):
    split = open_train(write_sequences(tmp_path, {"train": [*ROWS, [0, token, 1, 2]]}))
    split.rows(np.array([0, 1, 2]), vocab_size=10)
    with pytest.raises(ValueError, match=rf"arrow: token id {token}, but the model has 10 token ids; give the tokeni"):
        split.rows(np.array([0, 3]), vocab_size=10)


def test_a_file_of_another_recipe_is_refused(tmp_path, write_sequences):
    folder = write_sequences(tmp_path, {"train": ROWS}, recipe="b" * 16)
    (folder / "manifest.json").write_text(
        json.dumps({**json.loads((folder / "manifest.json").read_text()), "recipe": "c" * 16})
    )
    with pytest.raises(ValueError, match=r"recipe b{16}, but the manifest beside it says c{16}.*; delete it and run"):
        open_train(folder)


def test_a_file_of_another_length_is_refused(tmp_path, write_sequences):
    folder = write_sequences(tmp_path, {"train": ROWS}, config={"sequence_length": 8})
    with pytest.raises(ValueError, match=r"column 'tokens' is fixed_size_list.*\[4\], expected .*\[8\]"):
        open_train(folder)


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[:-20], lambda whole: b"not arrow" * 50])
def test_a_damaged_file_is_named(tmp_path, write_sequences, damage):
    folder = write_sequences(tmp_path, {"train": ROWS})
    path = next((folder / "train").glob("*.arrow"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"{path} is no whole Arrow file \(.*delete it and run token_sequences again"):
        open_train(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"recipe": "a", "config": {}}', '{"recipe": "a", "config": 3}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest.json is no manifest of token sequences \(.*expected JSON with"):
        sequences.open_folder(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent/manifest.json does not exist; run the stage token_sequences first"):
        sequences.open_folder(tmp_path / "absent")


def test_an_empty_split_is_named(tmp_path, write_sequences):
    folder = write_sequences(tmp_path, {"validation": ROWS})
    with pytest.raises(ValueError, match=r"train holds no sequences \(0 Arrow files\)"):
        open_train(folder)
