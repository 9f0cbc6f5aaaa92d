"""Zeros around sequences and images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.layers.base import Layer, register_layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.layers.margins import Margin1D, Margin2D, Margins, interior, margin, margins, surrounded
from distnet.layers.sliding import channels_last, check_rank
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape


@dataclass(eq=False)
class ZeroPadding(Layer):
    """Copies the input into a larger array of zeros."""

    axes: ClassVar[tuple[str, ...]]

    padding: Margin2D = 1
    data_format: str | None = None

    def validate(self) -> None:
        self.data_format = channels_last(self.data_format, self.name)
        self.around: Margins = ()

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_rank(self.name, shape, self.axes)
        wider = (None if n is None else n + sum(ends) for n, ends in zip(shape[1:-1], self.around, strict=True))
        return (shape[0], *wider, shape[-1])

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        shape = tuple(int(n or 0) for n in self.compute_output_shape(x.shape))
        return surrounded(x, self.around, ctx.workspace("y", shape, x.dtype)), None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
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
        data_format: ``"channels_last"``.

    Source: ``keras.layers.ZeroPadding1D``.
    """

    axes: ClassVar[tuple[str, ...]] = ("steps",)

    padding: Margin1D = 1
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.padding = ends = margin(self.padding, f"{self.name}: padding")
        self.around = (ends,)


@register_layer()
@dataclass(eq=False)
class ZeroPadding2D(ZeroPadding):
    """Zeros around an image.

    Shapes:
        (N, H, W, C) -> (N, top + H + bottom, left + W + right, C).

    Args:
        padding: number of zeros on all sides, (above and below, left and right), or ((top, bottom),
            (left, right)).
        data_format: ``"channels_last"``.

    Source: ``keras.layers.ZeroPadding2D``.
    """

    axes: ClassVar[tuple[str, ...]] = ("height", "width")

    def validate(self) -> None:
        super().validate()
        self.padding = self.around = margins(self.padding, f"{self.name}: padding")
