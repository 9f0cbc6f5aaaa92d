"""NumPy's ``.npz`` archives of plain arrays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from distnet.errors import DatasetError
from distnet.types import Array


def read_npz(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """The unsigned bytes of an ``.npz`` file, by name; nothing in it is executed.

    Args:
        path: the file.
        shapes: extents that each wanted array must have.

    Raises:
        DatasetError: the file cannot be read, is damaged, or holds something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in shapes}
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(
            f"{path}: expected an .npz archive of the arrays {sorted(shapes)}, but it cannot be read: {error}. "
            "Delete it, then copy or download it again."
        ) from error
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.uint8:
            raise DatasetError(
                f"{path}: {name}: expected {shape} uint8, found {arrays[name].shape} {arrays[name].dtype}. "
                "Delete it, then copy or download it again."
            )
    return arrays
