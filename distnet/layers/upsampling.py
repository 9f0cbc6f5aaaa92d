"""Sequences and images made larger by whole factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.base import Layer, positive_int, register_layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.layers.sliding import Extents, as_images, channels_last, check_rank, extents
from distnet.types import Array, DType, Shape

_INTERPOLATIONS = ("nearest", "bilinear")


@register_layer()
@dataclass(eq=False)
class UpSampling1D(Layer):
    """Repeats each step ``size`` times.

    Shapes:
        (N, T, C) -> (N, T * size, C).

    Source: ``keras.layers.UpSampling1D``.
    """

    size: int = 2

    def validate(self) -> None:
        self.size = positive_int(self.size, f"{self.name}: size")

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_rank(self.name, shape, ("steps",))
        return (shape[0], None if shape[1] is None else shape[1] * self.size, shape[2])

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        check_rank(self.name, x.shape, ("steps",))
        y = ctx.workspace("y", (len(x), x.shape[1] * self.size, 1, x.shape[2]), x.dtype)
        return repeated(as_images(x), (self.size, 1), y)[:, :, 0], None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        dx = ctx.workspace("dx", (len(dy), dy.shape[1] // self.size, 1, dy.shape[2]), dy.dtype)
        return summed(as_images(dy), (self.size, 1), dx)[:, :, 0]


@register_layer()
@dataclass(eq=False)
class UpSampling2D(Layer):
    """Makes each pixel ``size`` pixels.

    Shapes:
        (N, H, W, C) -> (N, H * size[0], W * size[1], C).

    Args:
        size: factor for rows and columns.
        data_format: ``"channels_last"``.
        interpolation: ``"nearest"`` repeats pixels; ``"bilinear"`` blends the centres of the two nearest.

    Source: ``keras.layers.UpSampling2D``.
    """

    axes: ClassVar[tuple[str, ...]] = ("height", "width")

    size: Extents = 2
    data_format: str | None = None
    interpolation: str = "nearest"

    def validate(self) -> None:
        self.size = self.factors = extents(self.size, 2, f"{self.name}: size")
        self.data_format = channels_last(self.data_format, self.name)
        if self.interpolation not in _INTERPOLATIONS:
            raise ArgumentError(
                f"{self.name}: expected interpolation out of {_INTERPOLATIONS}, received {self.interpolation!r}."
            )

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_rank(self.name, shape, self.axes)
        larger = (None if n is None else n * k for n, k in zip(shape[1:-1], self.factors, strict=True))
        return (shape[0], *larger, shape[-1])

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        y = ctx.workspace("y", tuple(int(n or 0) for n in self.compute_output_shape(x.shape)), x.dtype)
        if self.interpolation == "nearest":
            return repeated(x, self.factors, y), None
        rows, columns = (blend(n, k, x.dtype) for n, k in zip(x.shape[1:3], self.factors, strict=True))
        return _transformed(x, rows, columns, y), None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        smaller = tuple(n // k for n, k in zip(dy.shape[1:3], self.factors, strict=True))
        dx = ctx.workspace("dx", (len(dy), *smaller, dy.shape[-1]), dy.dtype)
        if self.interpolation == "nearest":
            return summed(dy, self.factors, dx)
        rows, columns = (blend(n, k, dy.dtype) for n, k in zip(smaller, self.factors, strict=True))
        return _transformed(dy, rows.T, columns.T, dx)


def repeated(x: Array, factors: tuple[int, ...], out: Array) -> Array:
    """``out`` (N, H * a, W * b, C) with each pixel of ``x`` repeated."""
    n, h, w, c = x.shape
    np.copyto(out.reshape(n, h, factors[0], w, factors[1], c), x[:, :, np.newaxis, :, np.newaxis])
    return out


def summed(dy: Array, factors: tuple[int, ...], out: Array) -> Array:
    """``out`` (N, H, W, C) with the sum of the pixels that each was repeated to."""
    out.fill(0)
    for i in range(factors[0]):
        for j in range(factors[1]):
            out += dy[:, i :: factors[0], j :: factors[1]]
    return out


def blend(extent: int, factor: int, dtype: DType) -> Array:
    """(extent * factor, extent) matrix of linear interpolation between the centres of entries, clamped at the ends.

    >>> blend(2, 2, np.dtype("f4"))
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]], dtype=float32)
    """
    centres = np.clip((np.arange(extent * factor) + 0.5) / factor - 0.5, 0, extent - 1)
    weights = np.maximum(1 - np.abs(centres[:, np.newaxis] - np.arange(extent)), 0)
    return np.asarray(weights, dtype)


def _transformed(x: Array, rows: Array, columns: Array, out: Array) -> Array:
    """``out[n, :, :, c] = rows x[n, :, :, c] columns^T``."""
    n, h, w, c = x.shape
    tall = np.matmul(rows, x.reshape(n, h, w * c)).reshape(n * len(rows), w, c)
    np.matmul(columns, tall, out=out.reshape(n * len(rows), len(columns), c))
    return out
