"""Images blurred or sharpened at random in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet import ops
from distnet.arguments import is_integer, whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import OneFactor, limits, pair, range_of_values
from distnet.layers.image.image_layer import Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT

_LEAST_SIGMA = 1e-6


@register_layer()
@dataclass(eq=False)
class RandomGaussianBlur(DerivedChange):
    """Blurs images at random in training, those of a batch all alike.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest probability, which is drawn for each image; or the largest.
        kernel_size: columns and rows of the blur, odd; or both.
        sigma: smallest and largest standard deviation in [0, 1], in pixels; or the largest.
        value_range: the range of values, to which they are clipped.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomGaussianBlur``.
    """

    factor: float | Sequence[float] = 1.0
    kernel_size: int | Sequence[int] = 3
    sigma: float | Sequence[float] = 1.0
    value_range: Sequence[float] = (0, 255)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        self.sigma = limits(self, self.sigma, "sigma", 0, 1)
        self.value_range = range_of_values(self, self.value_range)
        size = self.kernel_size if isinstance(self.kernel_size, list | tuple) else (self.kernel_size,) * 2
        if len(size) != 2 or not all(is_integer(n) and n > 0 and n % 2 for n in size):
            raise ArgumentError(
                f"{self.name}: kernel_size must be one or two odd numbers, received {self.kernel_size!r}."
            )
        self.kernel_size = tuple(size)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        applies = numbers.happens(pair(self.factor))
        return {"should_apply_blur": applies, "blur_factor": numbers.of_batch(2, pair(self.sigma)) + _LEAST_SIGMA}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        applies = np.asarray(transformation["should_apply_blur"])[:, None, None, None]
        sigma = np.asarray(transformation["blur_factor"])
        blurred = ops.image.gaussian_blur(x, self.kernel_size, sigma, data_format="channels_last")
        return ops.clip(ops.where(applies, blurred, x), *pair(self.value_range))


@register_layer()
@dataclass(eq=False)
class RandomSharpness(OneFactor, DerivedChange):
    """Blurs or sharpens images at random in training: ``x + (1 - 2 f) (smooth(x) - x)``, clipped.

    Smooth is the mean of nine pixels, in which the middle one counts five times.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest f, in [0, 1]: 0 for smooth, 0.5 for no change, 1 for sharp; or the largest.
        value_range: the range of values, to which they are clipped.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomSharpness``.
    """

    value_range: Sequence[float] = (0, 255)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"factor": numbers.uniform(1, pair(self.factor))[0]}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        share = 1.0 - 2.0 * np.asarray(transformation["factor"], x.dtype).reshape(-1, 1, 1, 1)
        return ops.clip(x + share * (_smooth(x) - x), *pair(self.value_range))


def _smooth(x: Any) -> Any:
    """The weighted mean of each pixel and its neighbours, with zeros around the image."""
    rows, columns = x.shape[1:3]
    wide = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total = sum(wide[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3))
    return (total + 4.0 * x) / 13.0
