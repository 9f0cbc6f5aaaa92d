"""Images whose tones change pixel by pixel: stretched, inverted above a threshold, or of fewer bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import ops
from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import OneFactor, limits, pair, range_of_values, rescaled
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.ops.tensor import Tensor
from distnet.registry import LEFT_OUT

_BYTE = (0.0, 255.0)
"""The range that tones are changed in."""


@register_layer()
@dataclass(eq=False)
class AutoContrast(DerivedChange):
    """Stretches each channel of an image over the whole range of values, in training and without.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        value_range: the range of values.

    Source: ``keras.layers.AutoContrast``, which with the channels first stretches each column of an image.
    """

    changes_always: ClassVar[bool] = True

    value_range: Sequence[float] = (0, 255)
    _: KW_ONLY
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return None

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        y = rescaled(x, pair(self.value_range), _BYTE)
        axes = (3, 1) if self.is_channels_first else (1, 2)
        low, high = (f(y, axis=axes, keepdims=True) for f in (ops.min, ops.max))
        is_flat = high == low
        scale = 255.0 / ops.where(is_flat, 1.0, high - low)
        stretched = ops.clip(y * scale + -low * scale, *_BYTE)
        return ops.where(is_flat, x, rescaled(stretched, _BYTE, pair(self.value_range)))


@dataclass(eq=False)
class _Solarized:
    addition_factor: float | Sequence[float] = 0.0
    threshold_factor: float | Sequence[float] = 0.0
    value_range: Sequence[float] = (0, 255)
    seed: int | None = whole_number(None, 0)


@register_layer()
@dataclass(eq=False)
class Solarization(_Solarized, DerivedChange):
    """Adds a random number to all values of an image in training, and inverts those above a random threshold.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        addition_factor: smallest and largest part of 255 to add, in [0, 1]; or the largest. The smallest counts as it
            is, not times 255, as in Keras.
        threshold_factor: the same for the threshold.
        value_range: the range of values, which are taken to 0 to 255 meanwhile.
        seed: takes the place of the global seed.

    Source: ``keras.layers.Solarization``.
    """

    _: KW_ONLY
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.addition_factor = _from_zero(self, self.addition_factor, "addition_factor")
        self.threshold_factor = _from_zero(self, self.threshold_factor, "threshold_factor")
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        u = numbers.uniform(2)[:, :, None, None, None]
        each = zip(u, (pair(self.addition_factor), pair(self.threshold_factor)), strict=True)
        additions, thresholds = (low + part * (high * 255 - low) for part, (low, high) in each)
        return {"additions": additions, "thresholds": thresholds}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        additions, thresholds = (np.asarray(transformation[key], x.dtype) for key in ("additions", "thresholds"))
        y = ops.clip(rescaled(x, pair(self.value_range), _BYTE) + additions, *_BYTE)
        return rescaled(ops.where(y < thresholds, y, 255.0 - y), _BYTE, pair(self.value_range))


@register_layer()
@dataclass(eq=False)
class RandomPosterization(OneFactor, DerivedChange):
    """Keeps only the first bits of the values of images in training, taken to whole numbers from 0 to 255.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest number of bits in [1, 8], and the largest, which is not drawn itself; or that one, above 1.
        value_range: the range of values.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomPosterization``.
    """

    value_range: Sequence[float] = (0, 255)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        super().validate()
        given = limits(self, self.factor, "factor", 1, 8)
        if any(bits != int(bits) for bits in given):
            raise ArgumentError(f"{self.name}: factor must be one or two integers in [1, 8], received {self.factor!r}.")
        self.factor = tuple(int(bits) for bits in given)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        low, high = pair(self.factor)
        bits = np.floor(numbers.uniform(1, (low, high))[0])
        return {"shift_factor": (8 - bits).astype("uint8")}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        shift = np.asarray(transformation["shift_factor"]).astype("uint8").reshape(-1, 1, 1, 1)
        whole = np.clip(rescaled(x.value, pair(self.value_range), _BYTE), *_BYTE).astype("uint8")
        kept = (whole >> shift << shift).astype(x.dtype)
        return Tensor(rescaled(kept, _BYTE, pair(self.value_range))) + 0.0 * x


def _from_zero(layer: ImageLayer, factor: float | Sequence[float], name: str) -> tuple[float, float]:
    """The limits of a factor in [0, 1]; one number is the largest."""
    low, high = limits(layer, factor, name, 0, 1)
    return low, high
