"""Rectangles of images, drawn at random, and images in which they are erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet import ops
from distnet.arguments import is_number, whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import to_first, to_last
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import limits, pair, range_of_values
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT
from distnet.types import Array


@dataclass(frozen=True)
class Rectangles:
    """One rectangle in each image, with bounds that need not be whole: those at the end are outside.

    Args:
        left, right: (N,) along the columns.
        top, bottom: (N,) along the rows.
    """

    left: Array
    right: Array
    top: Array
    bottom: Array

    @classmethod
    def placed(cls, shape: tuple[int, ...], wide: Array, tall: Array, u: Array) -> Rectangles:
        """Rectangles that cover parts of the width and the height, placed by two uniform numbers for each image."""
        width, height = wide * shape[2], tall * shape[1]
        left, top = u[0] * (shape[2] - width), u[1] * (shape[1] - height)
        return cls(left, left + width, top, top + height)

    @property
    def areas(self) -> Array:
        """(N,) in pixels."""
        return np.asarray((self.right - self.left) * (self.bottom - self.top))

    def mask(self, shape: tuple[int, ...]) -> Array:
        """(N, H, W, 1) bool: which pixels they hold."""
        row, column = np.arange(shape[1])[:, None], np.arange(shape[2])
        left, right, top, bottom = (a[:, None, None] for a in (self.left, self.right, self.top, self.bottom))
        is_within = (column >= left) & (column < right) & (row >= top) & (row < bottom)
        return np.asarray(is_within[..., None])


def in_layer_order(layer: ImageLayer, mask: Array) -> Array:
    """A mask (N, H, W, C) with the channels where the layer has them."""
    return to_first(mask) if layer.is_channels_first else mask


def with_channels_last(layer: ImageLayer, mask: Any) -> Array:
    """A mask in the layer's order as (N, H, W, C)."""
    array = np.asarray(mask)
    return to_last(array) if layer.is_channels_first else array


@register_layer()
@dataclass(eq=False)
class RandomErasing(DerivedChange):
    """Erases a rectangle of each image at random in training.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest probability, which is drawn for each image; or the largest.
        scale: smallest and largest square of the parts of the width and of the height that are erased, in [0, 1];
            or the largest.
        fill_value: a number, or one for each of three channels; None for normal numbers times the largest value.
        value_range: the range of values, to which these numbers are clipped.
        seed: takes the place of the global seed.

    Source: Z. Zhong et al. (2020), "Random Erasing Data Augmentation"; ``keras.layers.RandomErasing``.
    """

    factor: float | Sequence[float] = 1.0
    scale: float | Sequence[float] = (0.02, 0.33)
    fill_value: float | Sequence[float] | None = None
    value_range: Sequence[float] = (0, 255)
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        self.scale = limits(self, self.scale, "scale", 0, 1)
        self.value_range = range_of_values(self, self.value_range)
        fill = self.fill_value
        numbers = fill if isinstance(fill, list | tuple) else (fill,) * 3
        if fill is not None and (len(numbers) != 3 or not all(map(is_number, numbers))):
            raise ArgumentError(f"{self.name}: fill_value must be a number or three numbers, received {fill!r}.")

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        wide, tall = np.sqrt(numbers.uniform(2, pair(self.scale)))
        mask = Rectangles.placed(shape, wide, tall, numbers.uniform(2)).mask(shape)
        applies = numbers.happens(pair(self.factor))
        return {
            "apply_erasing": applies,
            "batch_masks": in_layer_order(self, mask),
            "fill_value": in_layer_order(self, self._filling(shape, numbers)),
        }

    def _filling(self, shape: tuple[int, ...], numbers: RowNumbers) -> Array:
        low, high = pair(self.value_range)
        if self.fill_value is None:
            width = int(np.prod(shape[1:]))
            return np.clip(numbers.normal(width).reshape(shape) * high, low, high)
        fill = np.clip(np.asarray(self.fill_value, np.float64), low, high)
        if fill.ndim and shape[3] != 3:
            raise ShapeError(f"{self.name}: expected images of 3 channels for 3 fill values, received {shape[3]}.")
        return np.array(np.broadcast_to(fill, shape))

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        applies = np.asarray(transformation["apply_erasing"]).reshape(-1, 1, 1, 1)
        mask = with_channels_last(self, transformation["batch_masks"])
        filling = with_channels_last(self, transformation["fill_value"]).astype(x.dtype)
        return ops.where(mask & applies, filling, x)
