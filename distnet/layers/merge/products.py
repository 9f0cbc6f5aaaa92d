"""Dot products of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.matrix_products import by_blas, product_of
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.merge.base import Merge
from distnet.layers.normalization.unit_normalization import unit_vectors, unit_vectors_gradient
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class Dot(Merge):
    """Dot products of the vectors along one axis of each of two inputs, row by row.

    Shapes:
        (N, P..., K), (N, Q..., K) -> (N, P..., Q...), or (N, 1) where neither has other axes.

    Args:
        axes: axis of the vectors, one for both inputs or a pair; not the batch axis.
        normalize: whether to divide the vectors by their lengths first, which gives cosines.

    Source: ``keras.layers.Dot``.
    """

    inputs_wanted: ClassVar[int | None] = 2

    axes: int | list[int]
    normalize: bool = False

    def validate(self) -> None:
        pair = list(self.axes) if isinstance(self.axes, list | tuple) else [self.axes, self.axes]
        if len(pair) != 2 or not all(is_integer(axis) and axis for axis in pair):
            raise ArgumentError(
                f"{self.name}: axes: expected an integer or a pair of integers, none 0, the batch axis, received "
                f"{self.axes!r}."
            )
        self.axes = pair if isinstance(self.axes, list | tuple) else pair[0]

    def compute_mask(self, x: Any, mask: Any) -> None:
        """None: products mix the time steps."""
        return None

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Array, Any]:
        axes = self._positive_axes([a.shape for a in self._several(x)])
        vectors, factors = list(x), [None, None]
        if self.normalize:
            units = [unit_vectors(a, [axis], config.epsilon()) for a, axis in zip(x, axes, strict=True)]
            vectors, factors = map(list, zip(*units, strict=True))
        # (N, P, K) and (N, K, Q)
        left, right = (_vectors_last(a, axis) for a, axis in zip(vectors, axes, strict=True))
        y = ctx.workspace("y", (len(left), left.shape[1], right.shape[1]), left.dtype)
        by_blas(left, right.swapaxes(1, 2), out=y)
        shape = self._merged_shape([a.shape for a in x])
        return y.reshape(tuple(int(n or 0) for n in shape)), (axes, vectors, factors)

    def backward(self, dy: Array, saved: Any, ctx: BackwardContext) -> list[Array]:
        axes, vectors, factors = saved
        left, right = (_vectors_last(a, axis) for a, axis in zip(vectors, axes, strict=True))
        slopes = dy.reshape(len(left), left.shape[1], right.shape[1])
        products = [product_of(slopes, right), product_of(slopes.swapaxes(1, 2), left)]
        gradients = []
        for product, vector, factor, axis in zip(products, vectors, factors, axes, strict=True):
            others = [n for i, n in enumerate(vector.shape) if i != axis]
            dx = np.moveaxis(product.reshape(*others, vector.shape[axis]), -1, axis)
            if factor is not None:
                dx = unit_vectors_gradient(dx, vector, factor, [axis], config.epsilon())
            gradients.append(np.ascontiguousarray(dx))
        return gradients

    def _merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        axes = self._positive_axes(shapes)
        left, right = ([n for i, n in enumerate(s) if i not in (0, axis)] for s, axis in zip(shapes, axes, strict=True))
        return (shapes[0][0], *(left + right or [1]))

    def _positive_axes(self, shapes: Sequence[Shape]) -> list[int]:
        """The vectors' axes, counted from the front.

        Raises:
            ShapeError: an input does not have its axis, or the vectors differ in length.
        """
        pair = [self.axes, self.axes] if isinstance(self.axes, int) else self.axes
        axes = [axis + len(shape) if axis < 0 else axis for axis, shape in zip(pair, shapes, strict=True)]
        is_there = all(0 < axis < len(shape) for axis, shape in zip(axes, shapes, strict=True))
        if not is_there or len({s[a] for a, s in zip(axes, shapes, strict=True)} - {None}) > 1:
            raise ShapeError(
                f"{self.name}: expected inputs of equal extents along axes={self.axes}, received {list(shapes)}."
            )
        return axes


def _vectors_last(x: Array, axis: int) -> Array:
    """(N, P, K) of an array whose vectors of K entries lie along ``axis``."""
    moved = np.moveaxis(x, axis, -1)
    return moved.reshape(len(x), math.prod(moved.shape[1:-1]), moved.shape[-1])


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **options: Any) -> Any:
    """Dot products of two inputs' vectors: ``Dot(axes, **options)(inputs)``."""
    return Dot(axes if isinstance(axes, int) else list(axes), **options)(inputs)
