"""Normalization of each row separately."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import POSITIVE, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels import Kernels
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization.axes import checked_axes, known_extents, moved_back, moved_last, positive_axes
from distnet.registry import IF_SET, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape

Saved = tuple[Array, Array]
"""Rows (M, D), and (2, M, 1) their means and inverse deviations."""


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
    repeats: ClassVar[bool] = True

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
        statistics = ctx.workspace("statistics", (2, len(rows), 1), rows.dtype)
        ctx.do(self._normalize, rows, statistics, y, ctx.kernels)
        return moved_back(y, positive_axes(self.axis, x.shape, self.name), x.shape, ctx, "y"), (rows, statistics)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        rows, statistics = saved
        slopes = self._rows(dy, ctx, "dy")
        dx = ctx.workspace("dx", rows.shape, rows.dtype)
        sums = ctx.workspace("sums", (2, rows.shape[1]), np.dtype(np.float64))
        ctx.do(self._gradients, slopes, rows, statistics, sums, dx, ctx.kernels)
        for variable, gradient in zip((self.gamma, self.beta), sums, strict=True):
            if variable is not None:
                ctx.add(variable, gradient.reshape(variable.shape))
        if not ctx.needs_input_gradient:
            return None
        return moved_back(dx, positive_axes(self.axis, dy.shape, self.name), dy.shape, ctx, "dx")

    def _normalize(self, rows: Array, statistics: Array, y: Array, kernels: Kernels) -> None:
        gamma, beta = (None if v is None else v.value.reshape(-1) for v in (self.gamma, self.beta))
        statistics[0], statistics[1] = kernels.normalize_rows(rows, gamma, beta, self.epsilon, not self.rms_scaling, y)

    def _gradients(
        self, slopes: Array, rows: Array, statistics: Array, sums: Array, dx: Array, kernels: Kernels
    ) -> None:
        """Write the gradient of the rows, and those of gamma and beta, ``sums`` (2, D)."""
        gamma, (mean, inverse) = None if self.gamma is None else self.gamma.value.reshape(-1), statistics
        sums[0], sums[1] = kernels.normalize_rows_gradient(
            slopes, rows, (mean, inverse), gamma, not self.rms_scaling, dx
        )

    def _rows(self, x: Array, ctx: ForwardContext | BackwardContext, name: str) -> Array:
        """(M, D), contiguous."""
        axes = positive_axes(self.axis, x.shape, self.name)
        width = math.prod(x.shape[a] for a in axes)
        return moved_last(x, axes, ctx, name).reshape(math.prod(x.shape) // max(width, 1), width)
