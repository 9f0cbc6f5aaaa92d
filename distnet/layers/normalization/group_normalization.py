"""Normalization of each row's channels, group by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet import kernels
from distnet.arguments import POSITIVE, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels.columns import squares_about
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization.axes import known_extents, moved_back, moved_last, positive_axes
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape

Saved = tuple[Array, Array]
"""Rows (N, S, C), and (2, N, C) their means and inverse deviations, equal within a group."""


@register_layer()
@dataclass(eq=False)
class GroupNormalization(Layer):
    """``y = gamma (x - mean) / sqrt(variance + epsilon) + beta`` over the channels of a group and all positions.

    Shapes:
        (N, ..., C) -> the same; C is a multiple of ``groups``.

    Args:
        groups: number of groups of neighbouring channels; -1 for one group a channel.
        axis: axis of the channels.
        epsilon: above 0.
        center: whether there is a beta.
        scale: whether there is a gamma.

    Source: Wu and He, 2018 (arXiv:1803.08494); ``keras.layers.GroupNormalization``.
    """

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    groups: int = 32
    axis: int = -1
    epsilon: float = number(1e-3, POSITIVE)
    center: bool = True
    scale: bool = True
    beta_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    gamma_initializer: Resolved[Initializer] = INITIALIZERS.field("ones")
    beta_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    gamma_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    beta_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    gamma_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()

    def validate(self) -> None:
        if self.groups < -1 or self.groups == 0:
            raise ArgumentError(f"{self.name}: groups: expected a positive integer or -1, received {self.groups!r}.")

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        (channels,) = of_channels = known_extents(positive_axes(self.axis, shape, self.name), shape, self.name)
        if channels % self.groups:
            raise ShapeError(
                f"{self.name}: expected a number of channels that is a multiple of groups={self.groups}, received an "
                f"input of shape {shape}. Choose a divisor of {channels}."
            )
        self.gamma = ctx.weight(self, "gamma", of_channels) if self.scale else None
        self.beta = ctx.weight(self, "beta", of_channels) if self.center else None

    def check_shape(self, shape: Shape) -> None:
        axes = positive_axes(self.axis, shape, self.name)
        if len(shape) != len(self.built_shape) or any(shape[a] != self.built_shape[a] for a in axes):
            super().check_shape(shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        axes, rows = self._rows(x, ctx, "x")
        statistics = ctx.workspace("statistics", (2, len(rows), rows.shape[2]), np.dtype(np.float64))
        y = ctx.workspace("y", rows.shape, rows.dtype)
        ctx.do(self._normalize, rows, statistics, y)
        return moved_back(y, axes, x.shape, ctx, "y"), (rows, statistics)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        rows, statistics = saved
        axes, slopes = self._rows(dy, ctx, "dy")
        sums = ctx.workspace("sums", statistics.shape, statistics.dtype)
        ctx.do(_sum_slopes, slopes, rows, statistics, sums)
        ctx.add_sum(self.beta, sums[0], axis=0)
        ctx.add_sum(self.gamma, sums[1], axis=0)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", rows.shape, rows.dtype)
        ctx.do(self._input_gradient, slopes, rows, statistics, sums, dx)
        return moved_back(dx, axes, dy.shape, ctx, "dx")

    def _normalize(self, rows: Array, statistics: Array, y: Array) -> None:
        means, squares = kernels.current().column_moments(rows)
        mean = self._averages(means * rows.shape[1], rows.shape[1])
        variance = self._averages(squares_about(mean, means, squares, rows.shape[1]), rows.shape[1])
        inverse = 1 / np.sqrt(variance + self.epsilon)
        statistics[0], statistics[1] = mean, inverse
        scale = inverse if self.gamma is None else inverse * self.gamma.value
        shift = np.zeros_like(mean) if self.beta is None else np.broadcast_to(self.beta.value, mean.shape)
        kernels.current().column_map(rows, mean, scale, shift, y)

    def _input_gradient(self, slopes: Array, rows: Array, statistics: Array, sums: Array, dx: Array) -> None:
        (mean, inverse), (plain, weighted) = statistics, sums
        gamma = 1.0 if self.gamma is None else self.gamma.value
        shift = -inverse * self._averages(plain * gamma, rows.shape[1])
        slope = -inverse * inverse * self._averages(weighted * gamma, rows.shape[1])
        kernels.current().column_gradient(slopes, rows, mean, inverse * gamma, slope, shift, dx)

    def _rows(self, x: Array, ctx: ForwardContext | BackwardContext, name: str) -> tuple[list[int], Array]:
        """The axis of the channels, and (N, S, C), contiguous."""
        axes = positive_axes(self.axis, x.shape, self.name)
        moved = moved_last(x, axes, ctx, name)
        return axes, moved.reshape(len(x), math.prod(moved.shape[1:-1]), moved.shape[-1])

    def _averages(self, sums: Array, rows: int) -> Array:
        """(N, C) of (N, C): what the channels of a group sum to over ``rows`` positions, divided by their number."""
        channels = sums.shape[1]
        size = 1 if self.groups == -1 else channels // self.groups
        of_groups = sums.reshape(len(sums), channels // size, size).sum(axis=2) / max(rows * size, 1)
        return np.repeat(of_groups, size, axis=1)


def _sum_slopes(slopes: Array, rows: Array, statistics: Array, sums: Array) -> None:
    """``sums`` = (2, N, C), each row's part of the gradients of beta and of gamma."""
    sums[0], sums[1] = kernels.current().column_products(slopes, rows, statistics[0])
    sums[1] *= statistics[1]
