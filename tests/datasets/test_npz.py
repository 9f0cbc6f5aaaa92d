from __future__ import annotations

import numpy as np
import pytest

from distnet.datasets.npz import read_npz
from distnet.errors import DatasetError

SHAPES = {"x": (2, 3), "y": (2,)}


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_the_wanted_arrays_are_read_by_name(tmp_path):
    path = write(tmp_path / "a.npz", x=np.ones((2, 3), np.uint8), y=np.zeros(2, np.uint8), more=np.zeros(1))
    arrays = read_npz(path, SHAPES)
    assert sorted(arrays) == ["x", "y"]
    assert arrays["x"].sum() == 6


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((2, 3), np.uint8)}, "arrays .*'x', 'y'.*cannot be read"),
        ({"x": np.ones((3, 2), np.uint8), "y": np.zeros(2, np.uint8)}, r"x: expected \(2, 3\) uint8, found \(3, 2\)"),
        ({"x": np.ones((2, 3)), "y": np.zeros(2, np.uint8)}, "found .* float64"),
        ({"x": np.array([{}], object), "y": np.zeros(2, np.uint8)}, "cannot be read"),
    ],
    ids=["missing array", "wrong shape", "wrong dtype", "pickled objects"],
)
def test_another_content_is_refused(tmp_path, arrays, message):
    path = write(tmp_path / "a.npz", **arrays)
    with pytest.raises(DatasetError, match=message) as caught:
        read_npz(path, SHAPES)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("cut", [0, 10, -30])
def test_a_truncated_file_is_refused(tmp_path, cut):
    path = write(tmp_path / "a.npz", x=np.ones((2, 3), np.uint8), y=np.zeros(2, np.uint8))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DatasetError, match=r"a\.npz: expected an \.npz archive"):
        read_npz(path, SHAPES)


def test_a_damaged_member_is_refused(tmp_path):
    path = write(tmp_path / "a.npz", x=np.ones((2, 3), np.uint8), y=np.zeros(2, np.uint8))
    content = bytearray(path.read_bytes())
    content[content.index(b"\x01\x01\x01\x01\x01\x01")] = 9
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read: Bad CRC-32"):
        read_npz(path, SHAPES)


def test_a_plain_npy_file_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"a\.npy: expected an \.npz archive"):
        read_npz(tmp_path / "a.npy", SHAPES)
