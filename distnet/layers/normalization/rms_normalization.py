"""Division of vectors by the root of their mean square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.arguments import POSITIVE, number
from distnet.errors import ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization.axes import checked_axes, known_extents, positive_axes
from distnet.types import Array, Shape

Saved = tuple[Array, Array]
"""The normalized x, and what it was multiplied by."""


@register_layer()
@dataclass(eq=False)
class RMSNormalization(Layer):
    """``y = scale x / sqrt(mean(x^2) + epsilon)``, the mean along ``axis``.

    Shapes:
        (N, ...) -> the same; scale has the extents of ``axis``.

    Args:
        axis: the last axis, or several last ones.
        epsilon: above 0.

    Source: Zhang and Sennrich, 2019 (arXiv:1910.07467); ``keras.layers.RMSNormalization``.
    """

    axis: int | list[int] = -1
    epsilon: float = number(1e-6, POSITIVE)

    def validate(self) -> None:
        self.axis = checked_axes(self.axis, self.name)

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        axes = self._axes(shape)
        if axes != list(range(len(shape) - len(axes), len(shape))):
            raise ShapeError(
                f"{self.name}: expected the last axes of the input {shape}, along which Keras scales, received "
                f"axis={self.axis}. Move them last with Permute."
            )
        self.scale = ctx.variable("scale", known_extents(axes, shape, self.name), "ones")

    def check_shape(self, shape: Shape) -> None:
        if known_extents(self._axes(shape), shape, self.name) != self.scale.shape:
            super().check_shape(shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        axes = tuple(self._axes(x.shape))
        square = np.mean(x * x, axis=axes, keepdims=True)
        factor = 1 / np.sqrt(square + x.dtype.type(self.epsilon))
        normal = np.multiply(x, factor, out=ctx.workspace("normal", x.shape, x.dtype))
        y = np.multiply(normal, self.scale.value, out=ctx.workspace("y", x.shape, x.dtype))
        return y, (normal, factor)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        normal, factor = saved
        axes = tuple(self._axes(dy.shape))
        ctx.add_sum(self.scale, dy * normal, axis=tuple(range(dy.ndim - len(axes))))
        if not ctx.needs_input_gradient:
            return None
        slope = dy * self.scale.value
        slope -= normal * np.mean(slope * normal, axis=axes, keepdims=True)
        dx: Array = np.multiply(slope, factor, out=ctx.workspace("dx", dy.shape, dy.dtype))
        return dx

    def _axes(self, shape: Shape) -> list[int]:
        return positive_axes(self.axis, shape, self.name)
