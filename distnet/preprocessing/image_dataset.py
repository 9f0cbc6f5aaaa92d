"""Batches of the pictures in folders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distnet import config
from distnet.arguments import check_option, is_integer
from distnet.errors import ArgumentError
from distnet.pipelines.dataset import Dataset
from distnet.preprocessing.image.decoding import decoded
from distnet.preprocessing.image.pictures import COLOR_MODES, size_of
from distnet.preprocessing.image.resampling import METHODS, resampled
from distnet.preprocessing.labelled_files import Folders, check_format
from distnet.types import Array

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_WHERE = "image_dataset_from_directory"


def image_dataset_from_directory(
    directory: str | Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] | int = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A dataset of the pictures below ``directory/class``, read when they are needed, with their classes.

    Shapes:
        Batches ``(images, labels)``: images (N, height, width, channels), float32 in [0, 255]; labels (N,) int32,
        (N, 1) float32 for ``"binary"``, (N, classes) float32 for ``"categorical"``. Images alone without labels.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
            verbose: see ``Folders``.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        image_size: height and width to which pictures are resized.
        interpolation: how, see ``resampled``.
        crop_to_aspect_ratio: whether margins are cut off rather than the picture distorted.
        pad_to_aspect_ratio: whether black margins are added rather than the picture distorted.
        data_format: where the channels are; by default ``keras.config.image_data_format()``.
        format: ``"tf"``.

    Returns:
        A ``Dataset`` with ``class_names`` and ``file_paths``; a list of two with the subset ``"both"``.

    Raises:
        ArgumentError, DataError, DatasetError: see ``Folders.datasets``.
        AbsentError: another ``format`` is wanted.

    Source: ``keras.utils.image_dataset_from_directory``; orders, splits and labels for a seed are Keras's.
    """
    check_format(_WHERE, format)
    check_option(f"{_WHERE}: color_mode", color_mode, list(COLOR_MODES))
    check_option(f"{_WHERE}: interpolation", str(interpolation).lower(), METHODS)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(f"{_WHERE}: expected crop_to_aspect_ratio or pad_to_aspect_ratio, received both.")
    size = (image_size, image_size) if is_integer(image_size) else image_size
    reader = _Reader(
        COLOR_MODES[color_mode],
        size_of(size, _WHERE),
        str(interpolation).lower(),
        "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else "distort",
        config.data_format(data_format, _WHERE) == "channels_first",
    )
    folders = Folders(
        _WHERE, FORMATS, "pictures", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    made = folders.datasets(reader.read, Dataset.batch)
    return made if subset == "both" else made[0]


@dataclass(frozen=True)
class _Reader:
    """How a picture is read.

    Args:
        channels: 1, 3 or 4.
        size: height and width.
        method: of ``resampled``.
        fit: what is done to a picture of another shape: ``"distort"``, ``"crop"`` or ``"pad"``.
        is_first: whether channels come first.
    """

    channels: int
    size: tuple[int, int]
    method: str
    fit: str
    is_first: bool

    def read(self, path: str) -> Array:
        """The picture in a file, resized."""
        image = decoded(path, self.channels)
        if self.fit == "pad":
            resized = self._padded(image)
        else:
            resized = resampled(self._cropped(image) if self.fit == "crop" else image, self.size, self.method)
        return np.ascontiguousarray(resized.transpose(2, 0, 1)) if self.is_first else resized

    def _cropped(self, image: Array) -> Array:
        """The largest part in the middle that has the shape wanted.

        Source: ``keras.preprocessing.image.smart_resize``.
        """
        height, width = image.shape[:2]
        rows = max(min(height, int(width * self.size[0] / self.size[1])), 1)
        columns = max(min(width, int(height * self.size[1] / self.size[0])), 1)
        top, left = (height - rows) // 2, (width - columns) // 2
        return image[top : top + rows, left : left + columns]

    def _padded(self, image: Array) -> Array:
        """The whole picture in the middle of black.

        Source: ``tf.image.resize_with_pad``.
        """
        ratio = max(extent / wanted for extent, wanted in zip(image.shape, self.size, strict=False))
        extents = [extent / ratio for extent in image.shape[:2]]
        rows, columns = (int(extent) for extent in extents)
        top, left = (
            max(0, math.floor((wanted - extent) / 2)) for wanted, extent in zip(self.size, extents, strict=True)
        )
        resized = resampled(image, (rows, columns), self.method)
        whole = np.zeros((*self.size, self.channels), resized.dtype)
        whole[top : top + rows, left : left + columns] = resized
        return whole
