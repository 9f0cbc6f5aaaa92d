"""Sequences and images made larger by whole factors."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.sliding import Extents, extents
from distnet.registry import BESIDE, LEFT_OUT
from distnet.types import Array, DType, Shape

_INTERPOLATIONS = ("nearest", "bilinear")


class UpSampling(Channelled):
    """Repeats each entry along the axes."""

    rank: ClassVar[int]

    size: Extents

    def validate(self) -> None:
        super().validate()
        self.factors = extents(self.size, self.rank, f"{self.name}: size")
        self.size = self.factors[0] if self.rank == 1 else self.factors

    def shape_last(self, shape: Shape) -> Shape:
        larger = (None if n is None else n * k for n, k in zip(shape[1:-1], self.factors, strict=True))
        return (shape[0], *larger, shape[-1])

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        return repeated(x, self.factors, self._larger(x, ctx)), None

    def backward_last(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return summed(dy, self.factors, self._smaller(dy, ctx))

    def _larger(self, x: Array, ctx: ForwardContext) -> Array:
        return ctx.workspace("y", tuple(int(n or 0) for n in self.shape_last(x.shape)), x.dtype)

    def _smaller(self, dy: Array, ctx: BackwardContext) -> Array:
        inner = (n // k for n, k in zip(dy.shape[1:-1], self.factors, strict=True))
        return ctx.workspace("dx", (len(dy), *inner, dy.shape[-1]), dy.dtype)


@register_layer()
@dataclass(eq=False)
class UpSampling1D(UpSampling):
    """Repeats each step ``size`` times.

    Shapes:
        (N, T, C) -> (N, T * size, C).

    Source: ``keras.layers.UpSampling1D``.
    """

    rank: ClassVar[int] = 1

    size: int = whole_number(2, 1)
    data_format: str | None = field(default="channels_last", init=False, metadata=LEFT_OUT)


@register_layer()
@dataclass(eq=False)
class UpSampling2D(UpSampling):
    """Makes each pixel ``size`` pixels.

    Shapes:
        (N, H, W, C) -> (N, H * size[0], W * size[1], C).

    Args:
        size: factor for rows and columns.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        interpolation: ``"nearest"`` repeats pixels; ``"bilinear"`` blends the centres of the two nearest.
        from_corners: whether it blends their upper left corners instead, as Keras up to 2.3 on TensorFlow does.

    Source: ``keras.layers.UpSampling2D``.
    """

    rank: ClassVar[int] = 2

    size: Extents = 2
    data_format: str | None = None
    interpolation: str = "nearest"
    from_corners: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def validate(self) -> None:
        super().validate()
        if self.interpolation not in _INTERPOLATIONS:
            raise ArgumentError(
                f"{self.name}: expected an interpolation out of {_INTERPOLATIONS}, received {self.interpolation!r}."
            )

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        if self.interpolation == "nearest":
            return super().forward_last(x, ctx)
        rows, columns = self._blends(x)
        return _transformed(x, rows, columns, self._larger(x, ctx)), None

    def backward_last(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        if self.interpolation == "nearest":
            return super().backward_last(dy, saved, ctx)
        dx = self._smaller(dy, ctx)
        rows, columns = self._blends(dx)
        return _transformed(dy, rows.T, columns.T, dx)

    def _blends(self, x: Array) -> list[Array]:
        """The matrices of rows and columns for images like ``x``."""
        extents_and_factors = zip(x.shape[1:3], self.factors, strict=True)
        return [blend(extent, factor, x.dtype, self.from_corners) for extent, factor in extents_and_factors]


@register_layer()
@dataclass(eq=False)
class UpSampling3D(UpSampling):
    """Repeats each entry of a volume ``size`` times along each axis.

    Shapes:
        (N, D, H, W, C) -> (N, D * size[0], H * size[1], W * size[2], C).

    Args:
        size: factor for each axis, or for all.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.UpSampling3D``.
    """

    rank: ClassVar[int] = 3

    size: Extents = 2
    data_format: str | None = None


def repeated(x: Array, factors: tuple[int, ...], out: Array) -> Array:
    """``out`` (N, A * a, B * b, ..., C) with each entry of ``x`` repeated."""
    blocks = [n for pair in zip(x.shape[1:-1], factors, strict=True) for n in pair]
    within = tuple(2 * axis + 2 for axis in range(len(factors)))
    np.copyto(out.reshape(len(x), *blocks, x.shape[-1]), np.expand_dims(x, within))
    return out


def summed(dy: Array, factors: tuple[int, ...], out: Array) -> Array:
    """``out`` (N, A, B, ..., C) with the sum of the entries that each was repeated to."""
    out.fill(0)
    for place in product(*map(range, factors)):
        out += dy[:, *(slice(start, None, factor) for start, factor in zip(place, factors, strict=True))]
    return out


def blend(extent: int, factor: int, dtype: DType, from_corners: bool = False) -> Array:
    """(extent * factor, extent) matrix of linear interpolation between the centres of entries, clamped at the ends.

    Or between where entries begin.

    >>> blend(2, 2, np.dtype("f4"))
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]], dtype=float32)
    """
    inset = 0.0 if from_corners else 0.5
    places = np.clip((np.arange(extent * factor) + inset) / factor - inset, 0, extent - 1)
    weights = np.maximum(1 - np.abs(places[:, np.newaxis] - np.arange(extent)), 0)
    return np.asarray(weights, dtype)


def _transformed(x: Array, rows: Array, columns: Array, out: Array) -> Array:
    """``out[n, :, :, c] = rows x[n, :, :, c] columns^T``."""
    n, h, w, c = x.shape
    tall = matmul(rows, x.reshape(n, h, w * c)).reshape(n * len(rows), w, c)
    matmul(columns, tall, out=out.reshape(n * len(rows), len(columns), c))
    return out
