"""Images mirrored and brightened at random in training.

The random numbers of an image are addressed by step and row of the global batch: they are the same on any number
of ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.factors import OneFactor, limits, pair, range_of_values
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import IF_SET, LEFT_OUT
from distnet.types import Array

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")


@register_layer()
@dataclass(eq=False)
class RandomFlip(ImageLayer):
    """Mirrors images at random in training, each with probability 1/2.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        mode: ``"horizontal"``, ``"vertical"``, or ``"horizontal_and_vertical"``: both ways at once.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomFlip``.
    """

    moves_pixels: ClassVar[bool] = True

    mode: str = "horizontal_and_vertical"
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        if self.mode not in FLIPS:
            raise ArgumentError(f"{self.name}: expected a mode of {FLIPS}, received {self.mode!r}.")

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"flips": numbers.uniform(1)[0, :, None, None, None] < 0.5, "input_shape": self.in_own_order(shape)}

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Array]:
        flipped = np.flatnonzero(np.asarray(transformation["flips"]))
        return self._flipped(x, flipped, ctx), flipped

    def change_back(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return self._flipped(dy, saved, ctx)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        extent = self.extent_of(transformation["input_shape"])
        flips = np.asarray(transformation["flips"]).reshape(-1, 1, 1)
        return self.moved_boxes(
            boxes, lambda corners: np.where(flips, self._mirrored(corners, extent), corners), extent, extent
        )

    def _mirrored(self, corners: Array, extent: tuple[int, int]) -> Array:
        left, top, right, bottom = np.moveaxis(corners, -1, 0)
        height, width = extent
        if "horizontal" in self.mode:
            left, right = width - right, width - left
        if "vertical" in self.mode:
            top, bottom = height - bottom, height - top
        return np.stack([left, top, right, bottom], axis=-1)

    def _flipped(self, x: Array, rows: Array, ctx: ForwardContext | BackwardContext) -> Array:
        y = ctx.workspace("y" if isinstance(ctx, ForwardContext) else "dx", x.shape, x.dtype)
        y[...] = x
        down, along = (-1 if side in self.mode else 1 for side in ("vertical", "horizontal"))
        y[rows] = x[rows][:, ::down, ::along]
        return y


@register_layer()
@dataclass(eq=False)
class RandomContrast(OneFactor, ImageLayer):
    """Changes the contrast of images at random in training: ``(x - m) f + m``, clipped.

    Shapes:
        (N, H, W, C) -> the same; m is the mean of each channel of an image.

    Args:
        factor: a and b in [0, 1], for f between 1 - a and 1 + b; a single number is b, with a = 0, as in Keras.
        value_range: the range of values, to which they are clipped.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomContrast``.
    """

    value_range: Sequence[float] = field(default=(0, 255), metadata=IF_SET)
    seed: int | None = whole_number(None, 0)
    _: KW_ONLY
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        less, more = pair(self.factor)
        return {"contrast_factor": numbers.uniform(1, (1 - less, 1 + more))[0, :, None, None, None]}

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[Array, Array]]:
        return self._contrasted(x, np.asarray(transformation["contrast_factor"], x.dtype))

    def _contrasted(self, x: Array, factor: Array) -> tuple[Array, tuple[Array, Array]]:
        mean = x.mean(axis=(1, 2), keepdims=True)
        y = (x - mean) * factor + mean
        low, high = self.value_range
        return np.clip(y, low, high), (factor, (y >= low) & (y <= high))

    def change_back(self, dy: Array, saved: tuple[Array, Array], ctx: BackwardContext) -> Array:
        factor, is_within = saved
        within = dy * is_within
        return np.asarray(within * factor + (1 - factor) * within.mean(axis=(1, 2), keepdims=True))


@register_layer()
@dataclass(eq=False)
class RandomBrightness(OneFactor, ImageLayer):
    """Changes the brightness of images at random in training: adds one number to all values of an image, and clips.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest fraction of the value range to add, in [-1, 1]; or the largest to either side.
        value_range: the range of values, to which they are clipped.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomBrightness``.
    """

    value_range: Sequence[float] = (0, 255)
    seed: int | None = whole_number(None, 0)
    _: KW_ONLY
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", -1, 1)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        low, high = self.value_range
        return {"rgb_delta": numbers.uniform(1, pair(self.factor))[0, :, None, None, None] * (high - low)}

    def change(
        self, x: Array, transformation: Transformation, ctx: ForwardContext
    ) -> tuple[Array, tuple[Array, Array]]:
        low, high = self.value_range
        added = np.asarray(transformation["rgb_delta"], x.dtype)
        y = x + added
        return np.clip(y, low, high), (added, (y >= low) & (y <= high))

    def change_back(self, dy: Array, saved: tuple[Array, Array], ctx: BackwardContext) -> Array:
        return np.asarray(dy * saved[1])
