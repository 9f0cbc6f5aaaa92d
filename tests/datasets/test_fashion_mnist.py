from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from distnet.datasets import fashion_mnist
from distnet.errors import DatasetError

SHAPES = {"x_train": (6, 4, 4), "y_train": (6,), "x_test": (2, 4, 4), "y_test": (2,)}
ARRAYS = {name: np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8) for name, shape in SHAPES.items()}


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture(autouse=True)
def small(server, monkeypatch):
    remotes = {n: server.hand_out(fashion_mnist.REMOTES[n].name, idx(a)) for n, a in ARRAYS.items()}
    monkeypatch.setattr(fashion_mnist, "SHAPES", SHAPES)
    monkeypatch.setattr(fashion_mnist, "REMOTES", remotes)


def check(loaded):
    (x_train, y_train), (x_test, y_test) = loaded
    for found, name in zip((x_train, y_train, x_test, y_test), SHAPES, strict=True):
        np.testing.assert_array_equal(found, ARRAYS[name])


def test_its_four_files_are_downloaded_once(server, home):
    check(fashion_mnist.load_data())
    check(fashion_mnist.load_data())
    assert len(server.requests) == 4
    assert len(list((home / ".cache" / "distnet" / "datasets" / "fashion-mnist").iterdir())) == 4


def test_files_of_keras_are_found_where_keras_keeps_them(server, home):
    folder = home / ".keras" / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name, remote in fashion_mnist.REMOTES.items():
        (folder / remote.name).write_bytes(idx(ARRAYS[name]))
    check(fashion_mnist.load_data())
    assert server.requests == []


def test_unpacked_files_in_the_users_folder_come_first(server, home, monkeypatch):
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))
    (home / "data" / "small").mkdir(parents=True)
    for name, remote in fashion_mnist.REMOTES.items():
        (home / "data" / "small" / remote.name.removesuffix(".gz")).write_bytes(gzip.decompress(idx(ARRAYS[name])))
    check(fashion_mnist.load_data())
    assert server.requests == []


def test_a_file_of_another_size_is_refused(server, monkeypatch):
    remote = server.hand_out("train-labels-idx1-ubyte.gz", idx(ARRAYS["y_test"]))
    monkeypatch.setitem(fashion_mnist.REMOTES, "y_train", remote)
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte.gz: expected an IDX file of \(6,\)"):
        fashion_mnist.load_data()
