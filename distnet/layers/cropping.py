"""Sequences and images without their margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.errors import ShapeError
from distnet.layers.base import Layer, register_layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.layers.margins import Margin1D, Margin2D, Margins, interior, margin, margins, surrounded
from distnet.layers.sliding import channels_last, check_rank
from distnet.types import Array, Shape


@dataclass(eq=False)
class Cropping(Layer):
    """Copies what lies between margins."""

    axes: ClassVar[tuple[str, ...]]

    def validate(self) -> None:
        self.around: Margins = ()

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_rank(self.name, shape, self.axes)
        kept = tuple(None if n is None else n - sum(ends) for n, ends in zip(shape[1:-1], self.around, strict=True))
        if any(n is not None and n <= 0 for n in kept):
            raise ShapeError(
                f"{self.name}: expected an input larger than the cropping {self.around}, received {shape[1:-1]}. "
                "Nothing would be left."
            )
        return (shape[0], *kept, shape[-1])

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[int, ...]]:
        self.compute_output_shape(x.shape)
        part = interior(x, self.around)
        y = ctx.workspace("y", part.shape, x.dtype)
        np.copyto(y, part)
        return y, x.shape

    def backward(self, dy: Array, saved: tuple[int, ...], ctx: BackwardContext) -> Array:
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

    axes: ClassVar[tuple[str, ...]] = ("steps",)

    cropping: Margin1D = (1, 1)

    def validate(self) -> None:
        self.cropping = ends = margin(self.cropping, f"{self.name}: cropping")
        self.around = (ends,)


@register_layer()
@dataclass(eq=False)
class Cropping2D(Cropping):
    """Images without their margins.

    Shapes:
        (N, H, W, C) -> (N, H - top - bottom, W - left - right, C).

    Args:
        cropping: number of pixels cut on all sides, (above and below, left and right), or ((top, bottom),
            (left, right)).
        data_format: ``"channels_last"``.

    Source: ``keras.layers.Cropping2D``.
    """

    axes: ClassVar[tuple[str, ...]] = ("height", "width")

    cropping: Margin2D = ((0, 0), (0, 0))
    data_format: str | None = None

    def validate(self) -> None:
        self.cropping = self.around = margins(self.cropping, f"{self.name}: cropping")
        self.data_format = channels_last(self.data_format, self.name)
