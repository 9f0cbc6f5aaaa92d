"""Zeros around sequences and images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.reshaping.borders import Bordered, Margin1D, MarginND, interior, surrounded
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape


@dataclass(eq=False)
class ZeroPadding(Bordered):
    """Copies the input into a larger array of zeros."""

    argument: ClassVar[str] = "padding"

    padding: MarginND = 1
    data_format: str | None = None

    def shape_last(self, shape: Shape) -> Shape:
        wider = (None if n is None else n + sum(ends) for n, ends in zip(shape[1:-1], self.around, strict=True))
        return (shape[0], *wider, shape[-1])

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        shape = tuple(int(n or 0) for n in self.shape_last(x.shape))
        return surrounded(x, self.around, ctx.workspace("y", shape, x.dtype)), None

    def backward_last(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        part = interior(dy, self.around)
        dx = ctx.workspace("dx", part.shape, dy.dtype)
        np.copyto(dx, part)
        return dx


@register_layer()
@dataclass(eq=False)
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence.

    Shapes:
        (N, T, C) -> (N, before + T + after, C).

    Args:
        padding: number of zeros at both ends, or (before, after).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.ZeroPadding1D``.
    """

    rank: ClassVar[int] = 1

    padding: Margin1D = 1
    data_format: str | None = field(default=None, metadata=LEFT_OUT)


@register_layer()
@dataclass(eq=False)
class ZeroPadding2D(ZeroPadding):
    """Zeros around an image.

    Shapes:
        (N, H, W, C) -> (N, top + H + bottom, left + W + right, C).

    Args:
        padding: number of zeros on all sides, (above and below, left and right), or ((top, bottom),
            (left, right)).
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.ZeroPadding2D``.
    """

    rank: ClassVar[int] = 2


@register_layer()
@dataclass(eq=False)
class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', C).

    Args:
        padding: number of zeros on all sides, one for both ends of each axis, or (before, after) for each axis.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.ZeroPadding3D``.
    """

    rank: ClassVar[int] = 3
