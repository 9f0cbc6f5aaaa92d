"""Normalization of each row separately."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import POSITIVE, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization.axes import checked_axes, known_extents, moved_back, moved_last, positive_axes
from distnet.registry import IF_SET, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape

_BLOCK_BYTES = 1 << 17

Saved = tuple[Array, Array, Array]
"""Rows (M, D), their means (M, 1) and inverse deviations (M, 1)."""


@register_layer()
@dataclass(eq=False)
class LayerNormalization(Layer):
    """``y = gamma (x - mean) / sqrt(variance + epsilon) + beta``, with mean and variance over ``axis``.

    Shapes:
        (N, ...) -> the same; gamma and beta have the extents of ``axis``.

    Args:
        axis: one axis or several, without the batch axis.
        epsilon: above 0.
        center: whether there is a beta.
        scale: whether there is a gamma.
        rms_scaling: ``y = gamma x / sqrt(variance + epsilon)``, without beta, as Keras has it.

    Source: Ba et al., 2016 (arXiv:1607.06450); ``keras.layers.LayerNormalization``.
    """

    supports_masking: ClassVar[bool] = True

    axis: int | list[int] = -1
    epsilon: float = number(1e-3, POSITIVE)
    center: bool = True
    scale: bool = True
    beta_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    gamma_initializer: Resolved[Initializer] = INITIALIZERS.field("ones")
    beta_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    gamma_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    beta_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    gamma_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    rms_scaling: bool = field(default=False, kw_only=True, metadata=IF_SET)

    def validate(self) -> None:
        self.axis = checked_axes(self.axis, self.name)

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        extents = known_extents(positive_axes(self.axis, shape, self.name), shape, self.name)
        self.gamma = ctx.weight(self, "gamma", extents) if self.scale or self.rms_scaling else None
        self.beta = ctx.weight(self, "beta", extents) if self.center and not self.rms_scaling else None

    def check_shape(self, shape: Shape) -> None:
        extents = [
            known_extents(positive_axes(self.axis, s, self.name), s, self.name) for s in (shape, self.built_shape)
        ]
        if extents[0] != extents[1]:
            super().check_shape(shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        rows = self._rows(x, ctx, "x")
        y = ctx.workspace("y", rows.shape, rows.dtype)
        mean = ctx.workspace("mean", (len(rows), 1), rows.dtype)
        inverse = ctx.workspace("inverse", (len(rows), 1), rows.dtype)
        average = np.full((rows.shape[1], 1), 1 / rows.shape[1], rows.dtype)
        gamma, beta = (None if v is None else v.value.reshape(-1) for v in (self.gamma, self.beta))
        for part in _blocks(rows):
            block = y[part]
            np.matmul(rows[part], average, out=mean[part])
            np.subtract(rows[part], mean[part], out=block)
            variance = np.matmul(block * block, average)
            variance += rows.dtype.type(self.epsilon)
            np.divide(1, np.sqrt(variance), out=inverse[part])
            np.multiply(rows[part] if self.rms_scaling else block, inverse[part], out=block)
            if gamma is not None:
                block *= gamma
            if beta is not None:
                block += beta
        return moved_back(y, positive_axes(self.axis, x.shape, self.name), x.shape, ctx, "y"), (rows, mean, inverse)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        rows, mean, inverse = saved
        slopes = self._rows(dy, ctx, "dy")
        dx = ctx.workspace("dx", rows.shape, rows.dtype)
        of_gamma, of_beta = np.zeros((2, rows.shape[1]))
        average = np.full((rows.shape[1], 1), 1 / rows.shape[1], rows.dtype)
        gamma = None if self.gamma is None else self.gamma.value.reshape(-1)
        for part in _blocks(rows):
            normal = np.subtract(rows[part], mean[part])
            normal *= inverse[part]
            scaled = rows[part] * inverse[part] if self.rms_scaling else normal
            ones = np.ones(len(normal), rows.dtype)
            of_gamma += ones @ (slopes[part] * scaled)
            of_beta += ones @ slopes[part]
            if not ctx.needs_input_gradient:
                continue
            # With g = gamma dy and n the normalized x: dx = (g - mean(g) - n mean(g n)) / deviation.
            slope = slopes[part] if gamma is None else slopes[part] * gamma
            normal *= np.matmul(slope * scaled, average)
            if not self.rms_scaling:
                normal += np.matmul(slope, average)
            np.subtract(slope, normal, out=dx[part])
            dx[part] *= inverse[part]
        for variable, gradient in ((self.gamma, of_gamma), (self.beta, of_beta)):
            if variable is not None:
                ctx.add(variable, gradient.reshape(variable.shape))
        if not ctx.needs_input_gradient:
            return None
        return moved_back(dx, positive_axes(self.axis, dy.shape, self.name), dy.shape, ctx, "dx")

    def _rows(self, x: Array, ctx: ForwardContext | BackwardContext, name: str) -> Array:
        """(M, D), contiguous."""
        axes = positive_axes(self.axis, x.shape, self.name)
        width = math.prod(x.shape[a] for a in axes)
        return moved_last(x, axes, ctx, name).reshape(math.prod(x.shape) // max(width, 1), width)


def _blocks(rows: Array) -> Iterator[slice]:
    """Blocks of rows that stay in the L2 cache."""
    step = max(_BLOCK_BYTES // max(rows.shape[1] * rows.itemsize, 1), 1)
    for start in range(0, len(rows), step):
        yield slice(start, start + step)
