"""Division of vectors by their length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.normalization.axes import checked_axes, positive_axes
from distnet.types import Array, Shape


def unit_vectors(x: Array, axes: Sequence[int], epsilon: float) -> tuple[Array, Array]:
    """``x / max(|x|, epsilon)`` along ``axes``, and the factor of each vector."""
    length = np.sqrt(np.sum(x * x, axis=tuple(axes), keepdims=True))
    factor = 1 / np.maximum(length, x.dtype.type(epsilon))
    return x * factor, factor


def unit_vectors_gradient(dy: Array, y: Array, factor: Array, axes: Sequence[int], epsilon: float) -> Array:
    """Gradient of x, given the results of ``unit_vectors``: a vector shorter than epsilon has a constant factor."""
    along = np.sum(dy * y, axis=tuple(axes), keepdims=True)
    along *= factor < 1 / epsilon
    dx = dy - y * along
    dx *= factor
    return np.asarray(dx)


@register_layer()
@dataclass(eq=False)
class UnitNormalization(Layer):
    """``y = x / |x|``, with the Euclidean length along ``axis``; vectors shorter than 1e-12 stay near 0.

    Shapes:
        (N, ...) -> the same.

    Args:
        axis: one axis or several, without the batch axis.

    Source: ``keras.layers.UnitNormalization``.
    """

    supports_masking: ClassVar[bool] = True
    epsilon: ClassVar[float] = 1e-12

    axis: int | list[int] = -1

    def validate(self) -> None:
        self.axis = checked_axes(self.axis, self.name)

    def compute_output_shape(self, shape: Shape) -> Shape:
        positive_axes(self.axis, shape, self.name)
        return shape

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[Array, Array]]:
        saved = unit_vectors(x, positive_axes(self.axis, x.shape, self.name), self.epsilon)
        return saved[0], saved

    def backward(self, dy: Array, saved: tuple[Array, Array], ctx: BackwardContext) -> Array:
        y, factor = saved
        return unit_vectors_gradient(dy, y, factor, positive_axes(self.axis, y.shape, self.name), self.epsilon)
