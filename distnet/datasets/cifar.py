"""The archives of the CIFAR datasets: pickled dicts of flat images, channels first, in a ``.tar.gz``.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from distnet import config
from distnet.datasets.pickles import DAMAGE, read_pickle
from distnet.errors import DatasetError
from distnet.types import Array


def read_parts(path: Path, parts: Mapping[str, int], labels: str) -> dict[str, tuple[Array, Array]]:
    """Images and labels of some parts of a CIFAR archive; nothing is unpacked to disk.

    Shapes:
        each part: (N, 32, 32, 3) uint8, or (N, 3, 32, 32) if the image data format is channels first; (N, 1) uint8

    Args:
        path: the archive.
        parts: paths of the parts in the archive -> their number of images.
        labels: key of the labels in each part.

    Raises:
        DatasetError: the file cannot be read, is damaged, or is another file.
    """
    arrays: dict[str, tuple[Array, Array]] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.isfile() and member.name in parts:
                    file = archive.extractfile(member)
                    content = file.read() if file else b""
                    arrays[member.name] = _arrays(content, parts[member.name], labels)
    except (*DAMAGE, tarfile.TarError) as error:
        raise DatasetError(
            f"{path}: expected a CIFAR archive, but it cannot be read: {error}. "
            "Delete it, then copy or download it again."
        ) from error
    missing = [part for part in parts if part not in arrays]
    if missing:
        raise DatasetError(f"{path}: holds no {', '.join(missing)}. Delete it, then copy or download it again.")
    return arrays


def joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """The images of several parts as one array, and their labels."""
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def _arrays(content: bytes, images: int, labels: str) -> tuple[Array, Array]:
    loaded = read_pickle(io.BytesIO(content))
    if not isinstance(loaded, dict):
        raise ValueError("expected a dict")
    part = {key.decode() if isinstance(key, bytes) else key: value for key, value in loaded.items()}
    x, y = part["data"], np.asarray(part[labels])
    if not isinstance(x, np.ndarray) or x.dtype != np.uint8 or x.shape != (images, 3 * 32 * 32):
        raise ValueError(f"expected ({images}, 3072) uint8 as data")
    if y.shape != (images,) or y.dtype.kind not in "iu":
        raise ValueError(f"expected {images} integers as {labels}")
    x = x.reshape(images, 3, 32, 32)
    if config.image_data_format() == "channels_last":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    return x, y.astype(np.uint8).reshape(-1, 1)
