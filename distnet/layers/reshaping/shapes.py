"""Layers that only change the shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import COUNT, is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.sliding import extents
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class Flatten(Channelled):
    """Each row as one vector, in row-major order of the axes with the channels last.

    Shapes:
        (N, A, B, ...) -> (N, A * B * ...); (N,) -> (N, 1).

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.

    Source: ``keras.layers.Flatten``.
    """

    repeats: ClassVar[bool] = True

    data_format: str | None = None

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], _product(shape[1:]))

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[int, ...]]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward_last(self, dy: Array, saved: tuple[int, ...], ctx: BackwardContext) -> Array:
        return dy.reshape(saved)


@register_layer()
@dataclass(eq=False)
class Reshape(Layer):
    """Each row in another shape, in row-major order.

    Shapes:
        (N, ...) -> (N, *target_shape).

    Args:
        target_shape: without the batch axis; one extent may be -1 and is then inferred.

    Source: ``keras.layers.Reshape``.
    """

    repeats: ClassVar[bool] = True

    target_shape: tuple[int, ...]

    def validate(self) -> None:
        if is_integer(self.target_shape):
            raise ArgumentError(f"{self.name}: target_shape: expected a tuple, received {self.target_shape!r}.")
        self.target_shape = extents(self.target_shape, None, f"{self.name}: target_shape", least=-1)
        if 0 in self.target_shape or self.target_shape.count(-1) > 1:
            raise ArgumentError(
                f"{self.name}: target_shape: expected positive extents and at most one -1, received "
                f"{self.target_shape}."
            )

    def compute_output_shape(self, shape: Shape) -> Shape:
        entries = _product(shape[1:])
        known = math.prod(n for n in self.target_shape if n != -1)
        if entries is not None and (entries % known if -1 in self.target_shape else entries != known):
            raise ShapeError(
                f"{self.name}: rows of shape {shape[1:]} have {entries} entries and cannot take the shape "
                f"{self.target_shape}."
            )
        inferred = None if entries is None else entries // known
        return (shape[0], *(inferred if n == -1 else n for n in self.target_shape))

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[int, ...]]:
        target = self.compute_output_shape(x.shape)
        return x.reshape(tuple(int(n or 0) for n in target)), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...], ctx: BackwardContext) -> Array:
        return dy.reshape(saved)


@register_layer()
@dataclass(eq=False)
class Permute(Layer):
    """Each row with its axes in another order.

    Shapes:
        (N, A, B, ...) -> (N, ...), axis i of a row being axis ``dims[i]`` of the input.

    Args:
        dims: all axes of a row, counted from 1.

    Source: ``keras.layers.Permute``.
    """

    repeats: ClassVar[bool] = True

    dims: tuple[int, ...]

    def validate(self) -> None:
        self.dims = extents(self.dims, None, f"{self.name}: dims")
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"{self.name}: dims: expected each of 1, 2, ... up to the number of a row's axes once, received "
                f"{self.dims}."
            )

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.dims) + 1:
            raise ShapeError(f"{self.name}: dims={self.dims} are not all axes of rows of shape {shape[1:]}.")
        return (shape[0], *(shape[axis] for axis in self.dims))

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        moved = x.transpose(0, *self.dims)
        y = ctx.workspace("y", moved.shape, x.dtype)
        ctx.do(np.copyto, y, moved)
        return y, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        moved = dy.transpose(np.argsort((0, *self.dims)))
        dx = ctx.workspace("dx", moved.shape, dy.dtype)
        ctx.do(np.copyto, dx, moved)
        return dx


@register_layer()
@dataclass(eq=False)
class RepeatVector(Layer):
    """Each row, a vector, n times.

    Shapes:
        (N, F) -> (N, n, F).

    Args:
        n: positive.

    Source: ``keras.layers.RepeatVector``.
    """

    repeats: ClassVar[bool] = True

    n: int = field(metadata=COUNT)

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ShapeError(f"{self.name}: expected an input of 2 axes, received {shape}.")
        return (shape[0], self.n, shape[1])

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        y = ctx.workspace("y", (len(x), self.n, x.shape[1]), x.dtype)
        ctx.do(np.copyto, y, x[:, np.newaxis])
        return y, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        dx = ctx.workspace("dx", (len(dy), dy.shape[2]), dy.dtype)
        ctx.do(np.sum, dy, axis=1, out=dx)
        return dx


def _product(extents: Shape) -> int | None:
    """Product of the extents; None if one is unknown."""
    known = [n for n in extents if n is not None]
    return math.prod(known) if len(known) == len(extents) else None
