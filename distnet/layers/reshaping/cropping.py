"""Sequences and images without their margins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.errors import ShapeError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.reshaping.borders import Bordered, Margin1D, MarginND, interior, surrounded
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape


@dataclass(eq=False)
class Cropping(Bordered):
    """Copies what lies between margins."""

    argument: ClassVar[str] = "cropping"

    def shape_last(self, shape: Shape) -> Shape:
        kept = tuple(None if n is None else n - sum(ends) for n, ends in zip(shape[1:-1], self.around, strict=True))
        if any(n is not None and n <= 0 for n in kept):
            raise ShapeError(
                f"{self.name}: expected an input larger than the cropping {self.around}, received {shape[1:-1]}. "
                "Nothing would be left."
            )
        return (shape[0], *kept, shape[-1])

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[int, ...]]:
        self.shape_last(x.shape)
        part = interior(x, self.around)
        y = ctx.workspace("y", part.shape, x.dtype)
        np.copyto(y, part)
        return y, x.shape

    def backward_last(self, dy: Array, saved: tuple[int, ...], ctx: BackwardContext) -> Array:
        return surrounded(dy, self.around, ctx.workspace("dx", saved, dy.dtype))


@register_layer()
@dataclass(eq=False)
class Cropping1D(Cropping):
    """Sequences without their first and last steps.

    Shapes:
        (N, T, C) -> (N, T - before - after, C).

    Args:
        cropping: number of steps cut at both ends, or (before, after).

    Source: ``keras.layers.Cropping1D``.
    """

    rank: ClassVar[int] = 1

    cropping: Margin1D = (1, 1)
    data_format: str | None = field(default="channels_last", init=False, metadata=LEFT_OUT)


@register_layer()
@dataclass(eq=False)
class Cropping2D(Cropping):
    """Images without their margins.

    Shapes:
        (N, H, W, C) -> (N, H - top - bottom, W - left - right, C).

    Args:
        cropping: number of pixels cut on all sides, (above and below, left and right), or ((top, bottom),
            (left, right)).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.Cropping2D``.
    """

    rank: ClassVar[int] = 2

    cropping: MarginND = ((0, 0), (0, 0))
    data_format: str | None = None


@register_layer()
@dataclass(eq=False)
class Cropping3D(Cropping):
    """Volumes without their margins.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', C).

    Args:
        cropping: number of entries cut on all sides, one for each axis, or (before, after) for each axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.Cropping3D``.
    """

    rank: ClassVar[int] = 3

    cropping: MarginND = ((1, 1), (1, 1), (1, 1))
    data_format: str | None = None
