"""Division of vectors by the root of their mean square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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

    repeats: ClassVar[bool] = True

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
        normal, y = (ctx.workspace(name, x.shape, x.dtype) for name in ("normal", "y"))
        factor = ctx.workspace(
            "factor", x.shape[: x.ndim - self.scale.value.ndim] + (1,) * self.scale.value.ndim, x.dtype
        )
        ctx.do(self._normalize, x, factor, normal)
        ctx.do(np.multiply, normal, self.scale.value, out=y)
        return y, (normal, factor)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        normal, factor = saved
        of_scale, dx = (ctx.workspace(name, dy.shape, dy.dtype) for name in ("of scale", "dx"))
        ctx.do(np.multiply, dy, normal, out=of_scale)
        ctx.add_sum(self.scale, of_scale, axis=tuple(range(dy.ndim - self.scale.value.ndim)))
        if not ctx.needs_input_gradient:
            return None
        ctx.do(self._input_gradient, dy, normal, factor, dx)
        return dx

    def _normalize(self, x: Array, factor: Array, normal: Array) -> None:
        square = np.mean(x * x, axis=tuple(self._axes(x.shape)), keepdims=True)
        np.divide(1, np.sqrt(square + x.dtype.type(self.epsilon)), out=factor)
        np.multiply(x, factor, out=normal)

    def _input_gradient(self, dy: Array, normal: Array, factor: Array, dx: Array) -> None:
        slope = dy * self.scale.value
        slope -= normal * np.mean(slope * normal, axis=tuple(self._axes(dy.shape)), keepdims=True)
        np.multiply(slope, factor, out=dx)

    def _axes(self, shape: Shape) -> list[int]:
        return positive_axes(self.axis, shape, self.name)
