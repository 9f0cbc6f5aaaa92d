"""The MNIST handwritten digits.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database"; the file is the one Keras downloads.
"""

from __future__ import annotations

from pathlib import Path

from distnet.datasets.fetch import RemoteFile, obtain, on_one_rank_only, user_folder
from distnet.datasets.idx import read_idx
from distnet.datasets.npz import read_npz
from distnet.errors import DatasetError
from distnet.types import Array

REMOTE = RemoteFile(
    dataset="mnist",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    checksum="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
SHAPES: dict[str, tuple[int, ...]] = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}
_IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def load_data(path: str = "mnist.npz") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """60,000 training and 10,000 test images of the digits 0 to 9, and their labels.

    Looks in ``$DISTNET_DATA/mnist`` (the four IDX files, gzipped or not, or ``mnist.npz``), then in the
    cache (``$DISTNET_HOME/datasets``, by default ``~/.cache/distnet/datasets``), then in Keras's cache,
    then downloads. Every rank must call it: one rank of each node downloads, the others wait.

    Shapes:
        ((60000, 28, 28) uint8, (60000,) uint8), ((10000, 28, 28) uint8, (10000,) uint8)

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.

    Raises:
        DatasetError: the files are damaged, or are missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.mnist.load_data``.
    """
    arrays = on_one_rank_only(lambda: _read(path))
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _read(path: str) -> dict[str, Array]:
    folder = user_folder(REMOTE.dataset)
    if folder is not None:
        idx_files = {name: _existing(folder, stem) for name, stem in _IDX_FILES.items()}
        present = {name: file for name, file in idx_files.items() if file is not None}
        if len(present) == len(_IDX_FILES):
            return {name: read_idx(file, SHAPES[name]) for name, file in present.items()}
        if (folder / "mnist.npz").is_file():
            return read_npz(folder / "mnist.npz", SHAPES)
        if present:
            missing = sorted(_IDX_FILES[name] for name in _IDX_FILES if name not in present)
            raise DatasetError(
                f"{folder}: expected four IDX files (or {_IDX_FILES['x_train']}.gz ...), "
                f"but {', '.join(missing)} is missing. Copy it there, or mnist.npz."
            )
    return read_npz(obtain(REMOTE, path), SHAPES)


def _existing(folder: Path, stem: str) -> Path | None:
    candidates = (folder / stem, folder / f"{stem}.gz", folder / stem.replace("-idx", ".idx"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)
