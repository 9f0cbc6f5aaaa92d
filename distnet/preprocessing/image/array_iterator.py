"""Batches of images in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.preprocessing.image.iterator import ImageMaker, Iterator, save_batch
from distnet.types import Array, ArrayLike


class NumpyArrayIterator(Iterator):
    """Batches of the images of an array, with their targets and weights.

    Args:
        x: images, four axes; or a pair of images and other arrays (one, or a list), which are served unchanged.
        y: targets.
        image_data_generator: changes and normalizes the images.
        batch_size, shuffle, seed: see ``Iterator``.
        sample_weight: one weight a row.
        save_to_dir: folder to write each image of a batch to; every rank writes the images it computes.
        save_prefix, save_format: of these files.
        subset: ``"training"`` or ``"validation"``: the first rows, as many as the generator's ``validation_split``.
            ignore_class_split: take a subset even if its classes differ from the other one's.

    Raises:
        ArgumentError: ``subset`` is unknown, or the classes of the two subsets differ.
        ShapeError: the images differ in size, or the arrays in length.

    Source: ``keras.preprocessing.image.NumpyArrayIterator``.
    """

    def __init__(
        self,
        x: Any,
        y: ArrayLike | None,
        image_data_generator: ImageMaker,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: ArrayLike | None = None,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
    ) -> None:
        images, others = _separated(x)
        self.image_data_generator = image_data_generator
        self.x = _images(images)
        self.x_misc = [np.asarray(other) for other in others]
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self._check_lengths()
        if subset is not None:
            self._take_subset(subset, ignore_class_split)
        self._save_to = None if save_to_dir is None else (Path(save_to_dir), save_prefix, save_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _take(self, index: Array, epoch: int) -> Any:
        generator = self.image_data_generator
        x = generator.make(self.x[index].astype(generator.dtype), self.address, epoch, index)
        if self._save_to is not None:
            save_batch(x, index, epoch, self._save_to, str(generator.data_format))
        inputs = [x, *(other[index] for other in self.x_misc)] if self.x_misc else x
        if self.y is None:
            return inputs
        if self.sample_weight is None:
            return inputs, self.y[index]
        return inputs, self.y[index], self.sample_weight[index]

    def _check_lengths(self) -> None:
        named = [
            ("x", self.x),
            *(("x[1]", a) for a in self.x_misc),
            ("y", self.y),
            ("sample_weight", self.sample_weight),
        ]
        for name, array in named:
            if array is not None and (array.ndim == 0 or len(array) != len(self.x)):
                raise ShapeError(f"flow: {name}: expected {len(self.x)} rows, as x has, received {array.shape}.")

    def _take_subset(self, subset: str, ignore_class_split: bool) -> None:
        if subset not in ("training", "validation"):
            raise ArgumentError(f"flow: expected subset 'training' or 'validation', received {subset!r}.")
        at = int(len(self.x) * self.image_data_generator.validation_split)
        y = self.y
        if y is not None and not ignore_class_split and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
            raise ArgumentError(
                f"flow: expected the first {at} rows, which are for validation, and the others to have the same "
                "classes. Shuffle the rows first, or pass ignore_class_split=True."
            )
        rows = slice(0, at) if subset == "validation" else slice(at, None)
        self.x, self.x_misc = self.x[rows], [other[rows] for other in self.x_misc]
        self.y = None if y is None else y[rows]
        self.sample_weight = None if self.sample_weight is None else self.sample_weight[rows]


def _separated(x: Any) -> tuple[Any, list[Any]]:
    """Images, and what is served with them: ``(images, other)`` or ``(images, [others])``."""
    if not isinstance(x, list | tuple) or len(x) != 2 or np.ndim(x[0]) != 4:
        return x, []
    return x[0], list(x[1]) if isinstance(x[1], list) else [x[1]]


def _images(x: Any) -> Array:
    if isinstance(x, list | tuple):
        shapes = [np.shape(image) for image in x]
        row = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if row is not None:
            raise ShapeError(
                f"flow: expected images of one size, received row 0 of shape {shapes[0]} and row {row} of shape "
                f"{shapes[row]}. Bring them to one size first, for example with load_img(target_size=...)."
            )
    images = np.asarray(x)
    if images.ndim != 4:
        raise ShapeError(
            f"flow: expected images of four axes (rows, height, width, channels), received shape {images.shape}. "
            "Add the axis of the channels with x[..., None]."
        )
    if images.dtype.kind not in "biuf":
        raise DataError(f"flow: expected images of numbers, received dtype {images.dtype}.")
    return images
