from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest

from distnet.datasets import mnist
from distnet.errors import DatasetError

SHAPES = {"x_train": (6, 4, 4), "y_train": (6,), "x_test": (2, 4, 4), "y_test": (2,)}
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@pytest.fixture(autouse=True)
def small(server, monkeypatch):
    """The server's small archive stands in for MNIST's."""
    monkeypatch.setattr(mnist, "SHAPES", SHAPES)
    monkeypatch.setattr(mnist, "REMOTE", server.remote())


@pytest.fixture
def folder(home: Path, monkeypatch) -> Path:
    """An empty ``$DISTNET_DATA/small``."""
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))
    folder = home / "data" / "small"
    folder.mkdir(parents=True)
    return folder


def arrays_of(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content)) as archive:
        return {name: archive[name] for name in SHAPES}


def write_idx(folder: Path, arrays: dict[str, np.ndarray], is_gzipped: bool) -> None:
    for name, stem in IDX_FILES.items():
        array = arrays[name]
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        path = folder / (f"{stem}.gz" if is_gzipped else stem)
        path.write_bytes(gzip.compress(content) if is_gzipped else content)


def check(loaded, expected):
    (x_train, y_train), (x_test, y_test) = loaded
    for found, name in zip((x_train, y_train, x_test, y_test), SHAPES, strict=True):
        np.testing.assert_array_equal(found, expected[name])
        assert found.dtype == np.uint8


def test_the_archive_is_downloaded_and_cached_under_the_given_name(server, home):
    check(mnist.load_data(), arrays_of(server.content))
    check(mnist.load_data(path="mnist.npz"), arrays_of(server.content))
    assert len(server.requests) == 1
    assert (home / ".cache" / "distnet" / "datasets" / "mnist.npz").is_file()


@pytest.mark.parametrize("is_gzipped", [False, True])
def test_idx_files_in_the_users_folder_come_first(server, folder, is_gzipped):
    expected = {name: 255 - array for name, array in arrays_of(server.content).items()}
    write_idx(folder, expected, is_gzipped)
    check(mnist.load_data(), expected)
    assert server.requests == []


def test_an_archive_in_the_users_folder_is_read(server, folder):
    expected = {name: 255 - array for name, array in arrays_of(server.content).items()}
    np.savez(folder / "mnist.npz", **expected)
    check(mnist.load_data(), expected)
    assert server.requests == []


def test_an_empty_folder_of_the_user_falls_back_to_the_download(server, folder):
    check(mnist.load_data(), arrays_of(server.content))


def test_a_missing_idx_file_is_named(server, folder):
    write_idx(folder, arrays_of(server.content), is_gzipped=True)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DatasetError, match=r"expected four IDX files.*t10k-labels-idx1-ubyte is missing"):
        mnist.load_data()


def test_a_damaged_idx_file_is_named_and_not_passed_over(server, folder):
    write_idx(folder, arrays_of(server.content), is_gzipped=True)
    damaged = folder / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:40])
    with pytest.raises(DatasetError, match=str(damaged)):
        mnist.load_data()


PROGRAM = """
import sys
from distnet.datasets import mnist
from distnet.datasets.fetch import RemoteFile
from distnet.distribution import rank
from distnet.errors import DatasetError
mnist.SHAPES = {"x_train": (6, 4, 4), "y_train": (6,), "x_test": (2, 4, 4), "y_test": (2,)}
mnist.REMOTE = RemoteFile("small", sys.argv[1], sys.argv[2])
try:
    (x_train, _), _ = mnist.load_data()
    sys.stdout.write(f"rank {rank()}: {x_train.sum()}\\n")
except DatasetError as error:
    sys.stdout.write(f"rank {rank()}: {type(error).__name__} {str(error).splitlines()[0]}\\n")
"""


def test_of_three_ranks_one_downloads_and_all_load(server, ranks):
    lines = ranks(3).run(PROGRAM, server.remote().url, server.sha256).succeeded().stdout.splitlines()
    total = arrays_of(server.content)["x_train"].sum()
    assert sorted(lines) == [f"rank {rank}: {total}" for rank in range(3)]
    assert len(server.requests) == 1


def test_of_three_ranks_all_raise_what_the_fetching_one_met(server, ranks):
    lines = ranks(3).run(PROGRAM, server.remote("corrupt.npz").url, server.sha256).succeeded().stdout.splitlines()
    assert len(lines) == 3
    assert len({line.partition(": ")[2] for line in lines}) == 1
    assert "DatasetError small: not found on this machine" in lines[0]
    assert len(server.requests) == 1
