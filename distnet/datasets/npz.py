"""NumPy's ``.npz`` archives, read without running any code in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from distnet.datasets.pickles import DAMAGE, read_pickle
from distnet.errors import DatasetError
from distnet.types import Array

_DAMAGE = (*DAMAGE, zipfile.BadZipFile)


def read_npz(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The unsigned bytes of an ``.npz`` file, by name.

    Args:
        path: the file.
        shapes: the shape that each wanted array must have.

    Raises:
        DatasetError: the file cannot be read, is damaged, or is another file.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in shapes}
    except _DAMAGE as error:
        raise _unreadable(path, sorted(shapes), error) from error
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.uint8:
            raise DatasetError(
                f"{path}: {name}: expected {shape} uint8, found {arrays[name].shape} {arrays[name].dtype}. "
                "Delete it, then copy or download it again."
            )
    return arrays


def read_numbers(path: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, Array]:
    """Arrays of numbers, by name.

    Args:
        path: the file.
        pairs: names of the wanted arrays; both arrays of a pair must have equally many rows.

    Raises:
        DatasetError: the file cannot be read, is damaged, or is another file.
    """
    names = [name for pair in pairs for name in pair]
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in names}
    except _DAMAGE as error:
        raise _unreadable(path, names, error) from error
    _check_rows(path, arrays, pairs, "biuf")
    return arrays


def read_lists(path: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, Array]:
    """Arrays of integers, or of lists of integers of any lengths, by name.

    An ``.npz`` can store lists only as pickles; ``distnet.datasets.pickles`` says how these are read.

    Args:
        path: the file.
        pairs: names of the wanted arrays; both arrays of a pair must have equally many rows.

    Raises:
        DatasetError: the file cannot be read, is damaged, or is another file.
    """
    names = [name for pair in pairs for name in pair]
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _read_member(io.BytesIO(archive.read(f"{name}.npy"))) for name in names}
    except _DAMAGE as error:
        raise _unreadable(path, names, error) from error
    _check_rows(path, arrays, pairs, "iuO")
    for name, array in arrays.items():
        if array.dtype == object and not all(isinstance(row, list) and _are_integers(row) for row in array):
            raise DatasetError(f"{path}: {name}: expected lists of integers. Delete it, then download it again.")
    return arrays


def _read_member(stream: IO[bytes]) -> Array:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.kind != "O":
        stream.seek(0)
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    array = read_pickle(stream)
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"expected a pickled array of shape {shape}")
    return array


def _are_integers(row: list[object]) -> bool:
    return all(type(word) is int for word in row)


def _check_rows(path: Path, arrays: Mapping[str, Array], pairs: Sequence[tuple[str, str]], kinds: str) -> None:
    are_rows = all(array.ndim and array.dtype.kind in kinds for array in arrays.values())
    if not are_rows or any(len(arrays[a]) != len(arrays[b]) for a, b in pairs):
        shapes = {name: f"{array.shape} {array.dtype}" for name, array in arrays.items()}
        raise DatasetError(
            f"{path}: expected arrays of equally many rows, found {shapes}. Delete it, then copy or download it again."
        )


def _unreadable(path: Path, names: Sequence[str], error: Exception) -> DatasetError:
    return DatasetError(
        f"{path}: expected an .npz archive of the arrays {list(names)}, but it cannot be read: {error}. "
        "Delete it, then copy or download it again."
    )
