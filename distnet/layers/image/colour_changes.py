"""Images whose colours change at random in training: greyer, of another hue, more saturated, inverted.

Each image has random numbers of its own: see ``row_numbers``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import ops
from distnet.arguments import FRACTION, number, whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.factors import OneFactor, limits, pair, range_of_values, rescaled
from distnet.layers.image.image_layer import Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT
from distnet.types import Array

_EPSILON = 1e-7


@dataclass(eq=False)
class _OfColours(OneFactor, DerivedChange):
    """A change of colours by one factor.

    Args:
        factor: smallest and largest of the random factor, or the largest to either side.
        value_range: the range of values.
        seed: takes the place of the global seed.
    """

    least: ClassVar[float] = -1.0

    value_range: Sequence[float] = (0, 255)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", self.least, 1)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"factor": numbers.uniform(1, pair(self.factor))[0]}


@register_layer()
@dataclass(eq=False)
class RandomColorDegeneration(_OfColours):
    """Makes images greyer at random in training: ``x + f (grey(x) - x)``, clipped.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        factor: smallest and largest f, in [-1, 1]; or the largest to either side.

    Source: ``keras.layers.RandomColorDegeneration``.
    """

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"factor": numbers.uniform(1, pair(self.factor))[0, :, None, None, None]}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        factor = np.asarray(transformation["factor"], x.dtype)
        grey = ops.image.rgb_to_grayscale(x, data_format="channels_last")
        return ops.clip(x + factor * (grey - x), *pair(self.value_range))


@register_layer()
@dataclass(eq=False)
class RandomHue(_OfColours):
    """Turns the hue of images at random in training, by up to half a turn to either side.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        factor: smallest and largest part of half a turn, in [0, 1]; or the largest.

    Source: ``keras.layers.RandomHue``.
    """

    least: ClassVar[float] = 0.0

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        u = numbers.uniform(2)
        low, high = pair(self.factor)
        return {"factor": np.where(u[0] > 0.5, -0.5, 0.5) * (low + u[1] * (high - low))}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        turned = np.asarray(transformation["factor"], x.dtype)[:, None, None]
        unit = rescaled(x, pair(self.value_range), (0, 1))
        hue, saturation, value = _channels(ops.image.rgb_to_hsv(unit, data_format="channels_last"))
        hue = hue + turned
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        y = ops.image.hsv_to_rgb(ops.stack([hue, saturation, value], axis=-1), data_format="channels_last")
        return rescaled(ops.clip(y, 0, 1), (0, 1), pair(self.value_range))


@register_layer()
@dataclass(eq=False)
class RandomSaturation(_OfColours):
    """Changes the saturation of images at random in training: ``s f / (1 - f)``, clipped to the value range.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        factor: smallest and largest f: 0 for grey, 0.5 for no change, 1 for the most; or the largest to either side.
            Where f is below 0, images are grey.

    Source: ``keras.layers.RandomSaturation``.
    """

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        factor = numbers.uniform(1, pair(self.factor))[0]
        return {"factor": factor / (1 - factor + _EPSILON)}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        factor = np.asarray(transformation["factor"], x.dtype)[:, None, None]
        hue, saturation, value = _channels(ops.image.rgb_to_hsv(x, data_format="channels_last"))
        saturation = ops.clip(saturation * factor, *pair(self.value_range))
        return ops.image.hsv_to_rgb(ops.stack([hue, saturation, value], axis=-1), data_format="channels_last")


@register_layer()
@dataclass(eq=False)
class RandomGrayscale(DerivedChange):
    """Makes images grey at random in training.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        factor: how probable it is.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomGrayscale``.
    """

    integers_by: ClassVar[Callable[[Array], Array] | None] = np.trunc

    factor: float = number(0.5, FRACTION)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return numbers.uniform(1)[0, :, None, None, None] < self.factor

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        grey = ops.image.rgb_to_grayscale(x, data_format="channels_last")
        return ops.where(np.asarray(transformation), grey, x)


@register_layer()
@dataclass(eq=False)
class RandomInvert(DerivedChange):
    """Inverts the colours of images at random in training: the largest value minus x.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest probability, which is drawn for each image; or the largest.
        value_range: the range of values.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomInvert``.
    """

    factor: float | Sequence[float] = 1.0
    value_range: Sequence[float] = (0, 255)
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)
        self.value_range = range_of_values(self, self.value_range)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"apply_inversion": numbers.happens(pair(self.factor))}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        is_inverted = np.asarray(transformation["apply_inversion"])[:, None, None, None]
        return ops.where(is_inverted, pair(self.value_range)[1] - x, x)


def _channels(x: Any) -> tuple[Any, Any, Any]:
    return x[..., 0], x[..., 1], x[..., 2]
