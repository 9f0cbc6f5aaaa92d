"""A file's seal tells what distnet wrote from what was damaged, and does not take an edited file for a damaged one."""

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models
from distnet.saving.image import Image
from distnet.saving.seal import is_sealed

SEAL_BYTES = 64


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.h5"
    models.Sequential([layers.Input(shape=(2,)), layers.Dense(40)]).save(path)
    return path


def test_a_file_that_was_saved_is_sealed(path):
    assert is_sealed(path)
    keras.models.load_model(path)


@pytest.mark.parametrize("where", [0, 9, 1000, -1 - SEAL_BYTES, -1, -40, -30])
def test_a_flipped_bit_is_noticed(path, where):
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(errors.CheckpointError, match=r"model\.h5: damaged: (its \d+ bytes are not|\d+ bytes were)"):
        keras.models.load_model(path)


def test_bytes_that_are_missing_in_the_middle_are_counted(path):
    content = path.read_bytes()
    path.write_bytes(content[:500] + content[600:])
    expected = len(content) - SEAL_BYTES
    with pytest.raises(
        errors.CheckpointError, match=f"damaged: {expected} bytes were written, but it holds {expected - 100}"
    ):
        keras.models.load_model(path)


@pytest.mark.parametrize(
    "change", [lambda f: None, lambda f: f.attrs.__setitem__("note", 1), lambda f: f.create_group("g")]
)
def test_a_file_edited_through_hdf5_is_unsealed_but_not_damaged(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    assert not is_sealed(path)
    keras.models.load_model(path)


def test_a_seal_of_a_later_version_is_named(path):
    content = bytearray(path.read_bytes())
    content[-SEAL_BYTES + 16] = 2
    path.write_bytes(content)
    with pytest.raises(errors.CheckpointError, match="its seal has version 2, expected 1"):
        keras.models.load_model(path)


@pytest.mark.parametrize("length", [0, 10, 64, 100])
def test_other_files_have_no_seal(tmp_path, length):
    (tmp_path / "file").write_bytes(b"x" * length)
    assert not is_sealed(tmp_path / "file")


def test_an_image_in_memory_is_the_file_that_h5py_would_have_written():
    image = Image()
    for size in (10, 100_000, 1000):
        image.clear()
        array = np.arange(size)
        with h5py.File(image, "w") as file:
            file["a/b"] = array
            file.attrs["c"] = "d"
        with h5py.File(image, "r") as file:
            np.testing.assert_array_equal(file["a/b"], array)
            assert file.attrs["c"] == "d"
        assert size * 8 < len(image.content()) < size * 8 + 10_000
    image.clear()
    image.seek(5)
    image.write(b"x")
    assert bytes(image.content()) == b"\0\0\0\0\0x"
    image.truncate(8)
    assert bytes(image.content()) == b"\0\0\0\0\0x\0\0"
