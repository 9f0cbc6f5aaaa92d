"""Pooling over all steps of a sequence or all pixels of an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from distnet.errors import ShapeError
from distnet.kernels.long_sums import summed
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, Shape

Saved = tuple[tuple[int, ...], Array, Array, Array | None]
"""The shape of the inputs; entries (N, P, C), what became of them, (N, 1, C), and which were kept."""


class GlobalPool(Protocol):
    """How the entries (N, P, C) of P places are pooled; ``kept`` is (N, P) bool, or None for all."""

    def forward(self, x: Array, kept: Array | None, y: Array) -> None:
        """Overwrite ``y`` (N, 1, C)."""

    def backward(self, dy: Array, x: Array, kept: Array | None, y: Array, dx: Array) -> None:
        """Overwrite ``dx`` (N, P, C)."""


class GlobalMaximum:
    """The largest entry; ties share the gradient."""

    def forward(self, x: Array, kept: Array | None, y: Array) -> None:
        np.max(x, axis=1, keepdims=True, out=y, initial=-np.inf)

    def backward(self, dy: Array, x: Array, kept: Array | None, y: Array, dx: Array) -> None:
        wins = x == y
        winners = wins.sum(axis=1, keepdims=True, dtype=dy.dtype)
        np.multiply(wins, dy / np.maximum(winners, 1), out=dx)


class GlobalMean:
    """The mean of the entries kept."""

    def forward(self, x: Array, kept: Array | None, y: Array) -> None:
        _, count = self._counted(x, kept)
        total = summed(x if kept is None else np.where(kept[:, :, np.newaxis], x, x.dtype.type(0)), 1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):  # of no entries: nan, as in Keras
            np.divide(total, count, out=y)

    def backward(self, dy: Array, x: Array, kept: Array | None, y: Array, dx: Array) -> None:
        share, count = self._counted(x, kept)
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(share, count, out=share)
        np.multiply(dy, share, out=dx)

    @staticmethod
    def _counted(x: Array, kept: Array | None) -> tuple[Array, Array | int]:
        """1 for entries that count, else 0, and how many do."""
        if kept is None:
            return np.ones((1, 1, 1), x.dtype), x.shape[1]
        ones = kept[:, :, np.newaxis].astype(x.dtype)
        return ones, ones.sum(axis=1, keepdims=True)


@dataclass(eq=False)
class GlobalPooling(Channelled):
    """One number for each channel.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        keepdims: whether the axes pooled over stay, with an extent of 1.
    """

    repeats: ClassVar[bool] = True
    rank: ClassVar[int]
    pool: ClassVar[GlobalPool]

    data_format: str | None = None
    keepdims: bool = False

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *((1,) * self.rank if self.keepdims else ()), shape[-1])

    def compute_mask(self, x: Array, mask: Array | None) -> None:
        """None: the output has no time steps."""
        return None

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        y = ctx.workspace("y", (len(x), 1, x.shape[-1]), x.dtype)
        places = math.prod(x.shape[1:-1])
        kept = ctx.mask if self.supports_masking else None
        if kept is not None and kept.shape != (len(x), places):
            raise ShapeError(f"{self.name}: expected a mask of shape {(len(x), places)}, received {kept.shape}.")
        entries = x.reshape(len(x), places, x.shape[-1])
        ctx.do(self.pool.forward, entries, kept, y)
        made = (len(x), *((1,) * self.rank if self.keepdims else ()), x.shape[-1])
        return y.reshape(made), (x.shape, entries, y, kept)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array:
        shape, x, y, kept = saved
        dx = ctx.workspace("dx", x.shape, dy.dtype)
        ctx.do(self.pool.backward, dy.reshape(y.shape), x, kept, y, dx)
        return dx.reshape(shape)


@register_layer("GlobalMaxPool1D")
@dataclass(eq=False)
class GlobalMaxPooling1D(GlobalPooling):
    """The largest entry of each channel over all steps; ties share the gradient.

    Shapes:
        (N, T, C) -> (N, C); (N, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalMaxPooling1D``.
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[GlobalPool] = GlobalMaximum()


@register_layer("GlobalMaxPool2D")
@dataclass(eq=False)
class GlobalMaxPooling2D(GlobalPooling):
    """The largest entry of each channel of an image; ties share the gradient.

    Shapes:
        (N, H, W, C) -> (N, C); (N, 1, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalMaxPooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[GlobalPool] = GlobalMaximum()


@register_layer("GlobalMaxPool3D")
@dataclass(eq=False)
class GlobalMaxPooling3D(GlobalPooling):
    """The largest entry of each channel of a volume; ties share the gradient.

    Shapes:
        (N, D, H, W, C) -> (N, C); (N, 1, 1, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalMaxPooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[GlobalPool] = GlobalMaximum()


@register_layer("GlobalAvgPool1D")
@dataclass(eq=False)
class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over all steps, or over those that the mask keeps.

    Shapes:
        (N, T, C) -> (N, C); (N, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalAveragePooling1D``.
    """

    supports_masking: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "mask")
    rank: ClassVar[int] = 1
    pool: ClassVar[GlobalPool] = GlobalMean()

    def masked_axes(self, shape: Shape) -> Shape:
        """(N, T); with channels first, T is the last axis."""
        return self.moved_last(shape)[:2]


@register_layer("GlobalAvgPool2D")
@dataclass(eq=False)
class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel of an image.

    Shapes:
        (N, H, W, C) -> (N, C); (N, 1, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalAveragePooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[GlobalPool] = GlobalMean()


@register_layer("GlobalAvgPool3D")
@dataclass(eq=False)
class GlobalAveragePooling3D(GlobalPooling):
    """The mean of each channel of a volume.

    Shapes:
        (N, D, H, W, C) -> (N, C); (N, 1, 1, 1, C) with ``keepdims``.

    Source: ``keras.layers.GlobalAveragePooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[GlobalPool] = GlobalMean()


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
"""Keras's other names."""
