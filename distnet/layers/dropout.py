"""Dropout, by addressed random numbers: the same mask on any number of ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet import kernels
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.base import Layer, register_layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class Dropout(Layer):
    """In training, sets entries to 0 with probability ``rate`` and divides the others by ``1 - rate``.

    Shapes:
        (N, ...) -> the same.

    Args:
        rate: probability in [0, 1] with which an entry is dropped.
        noise_shape: shape of the mask, broadcast against the input; None entries mean the input's
            extent. A leading 1 gives all rows of the global batch one mask.
        seed: takes the place of the global seed in the masks' address.

    Source: Srivastava et al., JMLR 15 (2014); ``keras.layers.Dropout``.
    """

    supports_masking: ClassVar[bool] = True

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def validate(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, int | float) or not 0 <= self.rate <= 1:
            raise ArgumentError(f"{self.name}: rate must be a number between 0 and 1, received {self.rate!r}.")
        if self.noise_shape is not None:
            self.noise_shape = tuple(self.noise_shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array | None]:
        if not ctx.training or self.rate == 0:
            return x, None
        bits = self._bits(x, ctx)
        y = ctx.workspace("y", x.shape, x.dtype)
        self._drop(x, bits, y)
        return y, bits

    def backward(self, dy: Array, saved: Array | None, ctx: BackwardContext) -> Array:
        if saved is None:
            return dy
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        self._drop(dy, saved, dx)
        return dx

    def _drop(self, x: Array, bits: Array, out: Array) -> None:
        kept, flat = 1.0 - self.rate, (len(x), math.prod(x.shape[1:]))
        arrays = (x.reshape(flat), bits.reshape(flat))
        kernels.current().dropout(*arrays, round(kept * 2**32), 1.0 / kept if kept else 0.0, out.reshape(flat))

    def _bits(self, x: Array, ctx: ForwardContext) -> Array:
        """uint32 random bits of x's shape, drawn once for each entry of the mask."""
        if self.noise_shape is None:
            return ctx.row_bits("dropout", len(x), math.prod(x.shape[1:]), self.seed).reshape(x.shape)
        if len(self.noise_shape) != x.ndim:
            raise ShapeError(
                f"{self.name}: noise_shape {self.noise_shape} has not as many axes as the input {x.shape}."
            )
        extents = tuple(x.shape[i] if n is None else n for i, n in enumerate(self.noise_shape))
        width = math.prod(extents[1:])
        if self.noise_shape[0] == 1:
            bits = ctx.batch_bits("dropout", width, self.seed)
        else:
            bits = ctx.row_bits("dropout", len(x), width, self.seed)
        return np.ascontiguousarray(np.broadcast_to(bits.reshape(len(bits), *extents[1:]), x.shape))
