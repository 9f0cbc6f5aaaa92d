"""Images changed at random and normalized, batch by batch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distnet import addresses, config
from distnet.arguments import as_numbers, check_fields
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.preprocessing.image.array_iterator import NumpyArrayIterator
from distnet.preprocessing.image.directory import DirectoryIterator
from distnet.preprocessing.image.draws import draw_transforms, limits
from distnet.preprocessing.image.pictures import is_channels_first
from distnet.preprocessing.image.transforms import Transforms, check_filling, transformed
from distnet.types import Array, ArrayLike

_EPSILON = 1e-6


@dataclass(eq=False)
class ImageDataGenerator:
    """Makes batches of images, each changed at random by the address (seed, epoch, row).

    An image is changed in the same way whichever rank computes it, and however many there are.

    Args:
        featurewise_center: subtract each channel's mean over the images given to ``fit``.
        samplewise_center: subtract each image's mean.
        featurewise_std_normalization: divide by each channel's standard deviation; implies centring.
        samplewise_std_normalization: divide by each image's standard deviation; implies centring.
        zca_whitening: whiten by the images given to ``fit``; implies centring by channel, and no division.
        rotation_range: degrees to either side.
        width_shift_range, height_shift_range: pixels, or a fraction below 1; or the numbers to choose from. As in
            Keras, which swaps the axes, the first shifts rows and the second columns.
        brightness_range: smallest and largest factor.
        shear_range: degrees to either side.
        zoom_range: smallest and largest scale, or z for [1 - z, 1 + z].
        channel_shift_range: the largest number added or subtracted.
        fill_mode, cval: what lies outside the image: "constant" (``cval``), "nearest", "reflect" or "wrap".
        preprocessing_function: maps one image to one of the same shape; called after the changes, before all else.
        rescale: factor, applied before centring.
        interpolation_order: 0 or 1.

    Source: ``keras.preprocessing.image.ImageDataGenerator``.
    """

    featurewise_center: bool = False
    samplewise_center: bool = False
    featurewise_std_normalization: bool = False
    samplewise_std_normalization: bool = False
    zca_whitening: bool = False
    zca_epsilon: float = 1e-6
    rotation_range: float = 0
    width_shift_range: float | Sequence[float] = 0.0
    height_shift_range: float | Sequence[float] = 0.0
    brightness_range: Sequence[float] | None = None
    shear_range: float = 0.0
    zoom_range: float | Sequence[float] = 0.0
    channel_shift_range: float = 0.0
    fill_mode: str = "nearest"
    cval: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    rescale: float | None = None
    preprocessing_function: Callable[[Array], Array] | None = None
    data_format: str | None = None
    validation_split: float = 0.0
    interpolation_order: int = 1
    dtype: str | None = None

    def __post_init__(self) -> None:
        where = type(self).__name__
        check_fields(self)
        self._is_first = is_channels_first(self.data_format, where)
        self.data_format = "channels_first" if self._is_first else "channels_last"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if self._is_first else (3, 1, 2)
        self.dtype = np.dtype(self.dtype or config.floatx()).name
        if self.preprocessing_function is not None and not callable(self.preprocessing_function):
            raise ArgumentError(
                f"{where}: preprocessing_function: expected a function, received {self.preprocessing_function!r}."
            )
        for name in ("width_shift_range", "height_shift_range"):
            as_numbers(f"{where}: {name}", getattr(self, name))
        check_filling(self.fill_mode, self.interpolation_order, where)
        if self.validation_split and not 0 < self.validation_split < 1:
            raise ArgumentError(f"{where}: expected validation_split in [0, 1), received {self.validation_split!r}.")
        is_number = isinstance(self.zoom_range, int | float)
        zoom = (1 - self.zoom_range, 1 + self.zoom_range) if isinstance(self.zoom_range, int | float) else None
        self.zoom_range = list(zoom if is_number and zoom else limits(self.zoom_range, f"{where}: zoom_range"))
        if self.brightness_range is not None:
            self.brightness_range = limits(self.brightness_range, f"{where}: brightness_range")
        self.featurewise_std_normalization &= not self.zca_whitening
        self.featurewise_center |= self.featurewise_std_normalization or self.zca_whitening
        self.samplewise_center |= self.samplewise_std_normalization
        self.mean: Array | None = None
        self.std: Array | None = None
        self.zca_whitening_matrix: Array | None = None

    def flow(
        self,
        x: Any,
        y: ArrayLike | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: ArrayLike | None = None,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Endless batches of images in memory; see ``NumpyArrayIterator``."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            ignore_class_split=ignore_class_split,
        )

    def flow_from_directory(
        self,
        directory: str | Path,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Endless batches of the pictures in a directory's folders, one folder a class; see ``DirectoryIterator``."""
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
        )

    def get_random_transform(self, img_shape: tuple[int, ...], seed: int | None = None) -> dict[str, Any]:
        """The parameters of one random change, by Keras's names.

        Args:
            img_shape: shape of one image.
            seed: gives the same parameters each time; without it, each call gives others.
        """
        address: tuple[int | str, ...] = ("transform", seed) if seed is not None else self._next_address("transform")
        height, width = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        return draw_transforms(self, address, 0, np.zeros(1, np.int64), height, width).first()

    def apply_transform(self, x: Array, transform_parameters: dict[str, Any]) -> Array:
        """One image after the change that ``transform_parameters`` describe; ``x`` itself stays as it is.

        Raises:
            ShapeError: ``x`` does not have three axes.
        """
        self._check_axes(x, 3, "apply_transform")
        return np.asarray(self._transformed(x[None], Transforms.of_one(transform_parameters))[0])

    def random_transform(self, x: Array, seed: int | None = None) -> Array:
        """One image after a random change; see ``get_random_transform``."""
        parameters = self.get_random_transform(x.shape, seed)
        return self.apply_transform(x, parameters)

    def fit(self, x: ArrayLike, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute the statistics that featurewise normalization and whitening need, from some images.

        Every rank computes them from all of ``x``.

        Args:
            x: images, four axes.
            augment: whether to use ``rounds`` random changes of each image instead of the images.
            seed: of these changes.

        Raises:
            ShapeError: ``x`` does not have four axes.
            ArgumentError, DataError: ``x`` holds no numbers, or no images.
        """
        images = as_numbers("fit", x, self.dtype).copy(order="K")
        self._check_axes(images, 4, "fit")
        if not len(images):
            raise DataError("fit: expected at least one image, received none.")
        if self.rescale:
            images *= self.rescale
        if augment:
            address: tuple[int | str, ...] = ("fit", seed) if seed is not None else self._next_address("fit")
            rows = np.arange(len(images))
            images = np.concatenate([self._changed(images, address, i, rows) for i in range(rounds)])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = images.mean(axis=axes, keepdims=True)[0]
            images -= self.mean
        if self.featurewise_std_normalization:
            self.std = images.std(axis=axes, keepdims=True)[0]
            images /= self.std + _EPSILON
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(images.reshape(len(images), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(images)) / (s + self.zca_epsilon))) @ u.T

    def standardize(self, x: Array) -> Array:
        """Images after ``preprocessing_function``, ``rescale`` and normalization; floats are changed in place.

        As in Keras, samplewise statistics are those of all of ``x``: pass one image at a time.

        Args:
            x: one image, or several.
        """
        x = self.preprocessing_function(x) if self.preprocessing_function else x
        return self._normalized(x if x.dtype.kind == "f" else x.astype(self.dtype), None)

    def make(self, x: Array, address: tuple[int | str, ...], epoch: int, rows: Array) -> Array:
        """Images of a data set, changed at random and standardized.

        Args:
            x: the images, of dtype ``dtype``; they stay as they are.
            address: address of the data set's changes.
            epoch: number of the epoch.
            rows: number of each image in the data set.
        """
        y = self._changed(x, address, epoch, rows)
        if self.preprocessing_function:
            for row, image in zip(rows, y, strict=True):
                made = np.asarray(self.preprocessing_function(image))
                if made.shape != image.shape:
                    raise ShapeError(
                        f"preprocessing_function: row {row}: expected an image of shape {image.shape}, as it was "
                        f"given, received {made.shape}."
                    )
                image[...] = made
        return self._normalized(y, (1, 2, 3))

    def _changed(self, x: Array, address: tuple[int | str, ...], epoch: int, rows: Array) -> Array:
        changes = draw_transforms(self, address, epoch, rows, x.shape[self.row_axis], x.shape[self.col_axis])
        return self._transformed(x, changes)

    def _transformed(self, x: Array, changes: Transforms) -> Array:
        if not self._is_first:
            return transformed(x, changes, self.fill_mode, self.cval, self.interpolation_order)
        last = transformed(x.transpose(0, 2, 3, 1), changes, self.fill_mode, self.cval, self.interpolation_order)
        return last.transpose(0, 3, 1, 2)

    def _normalized(self, x: Array, axes: tuple[int, ...] | None) -> Array:
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= x.mean(axis=axes, keepdims=True)
        if self.samplewise_std_normalization:
            x /= x.std(axis=axes, keepdims=True) + _EPSILON
        if self.featurewise_center and (mean := self._fitted(self.mean, "featurewise_center")) is not None:
            x -= mean
        if (
            self.featurewise_std_normalization
            and (std := self._fitted(self.std, "featurewise_std_normalization")) is not None
        ):
            x /= std + _EPSILON
        if self.zca_whitening and (matrix := self._fitted(self.zca_whitening_matrix, "zca_whitening")) is not None:
            x = (x.reshape(-1, math.prod(x.shape[-3:])) @ matrix).reshape(x.shape)
        return x

    def _fitted(self, statistic: Array | None, option: str) -> Array | None:
        if statistic is None:
            warnings.warn(
                f"ImageDataGenerator: {option} needs the statistics of some images and does nothing without them. "
                "Call fit(images) first.",
                stacklevel=2,
            )
        return statistic

    def _check_axes(self, x: Array, axes: int, where: str) -> None:
        if x.ndim != axes:
            raise ShapeError(f"{where}: expected an array of {axes} axes, received one of shape {x.shape}.")

    def _next_address(self, purpose: str) -> tuple[int | str, ...]:
        return (purpose, addresses.job_seed(), addresses.next_call_index())
