"""Batch normalization over the global batch: the same numbers on any number of ranks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.arguments import FRACTION, POSITIVE, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels import Kernels
from distnet.kernels.readying import Call, readied_by, ready
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization import batch_formulas
from distnet.layers.normalization.axes import known_extents, moved_back, moved_last, positive_axes
from distnet.registry import BESIDE, LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape


@dataclass
class Statistics:
    """Of each channel, (C,) float64; those of a batch are put in at each step.

    Args:
        each: (4, C), what follows, one after the other.
        sums: (3, C), of all ranks' rows: see ``batch_formulas.told``.
        shift: (C,), beta.
        divisor: (1, C) by which the sums over rows were divided; None for the moving statistics, which are constants.
        excess: how much the divisor exceeds the number of rows that count.
        counts: (1, M, C) bool, which entries count; None for all.
    """

    each: Array
    sums: Array
    shift: Array
    divisor: Array | None = None
    excess: float = 0.0
    counts: Array | None = None

    def __post_init__(self) -> None:
        self.mean, self.variance, self.inverse, self.scale = self.each
        """Of the rows, the variance being the biased one; ``1 / sqrt(variance + epsilon)``; gamma times that."""


Saved = tuple[Array, Statistics, bool, Array | None, bool]
"""The rows; their statistics; whether a ReLU behind was left to this layer; what it made, where that does not follow
from the rows; whether something was added."""
SumOverRanks = Callable[[Array], None]


@register_layer()
@dataclass(eq=False)
class BatchNormalization(Layer):
    """``y = gamma (x - mean) / sqrt(variance + epsilon) + beta`` for each channel.

    In training the statistics are those of the global batch, over all ranks, and update the moving statistics:
    ``moving = momentum moving + (1 - momentum) batch``. In inference, and if the layer is frozen, the
    moving statistics are used. Entries that a mask excludes do not count.

    Shapes:
        (N, ...) -> the same.

    Args:
        axis: axis of the channels.
        momentum: in [0, 1].
        epsilon: above 0.
        center: whether there is a beta.
        scale: whether there is a gamma.
        renorm: False; batch renormalization is not supported.
        synchronized: ignored; statistics are always those of the global batch.
        as_in_keras_2: whether the moving variance of images is TensorFlow's: the batch's times M / (M - 1) for
            M entries of a channel.
        sample_variance: whether the moving variance is M / (M - 1 - epsilon) times the batch's, as in Keras 2.1.4
            to 2.3; for channels-last images it is TensorFlow's, too.

    Source: Ioffe and Szegedy, 2015 (arXiv:1502.03167); ``keras.layers.BatchNormalization``.
    """

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True
    takes_activations: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "training", "mask")
    couples_rows: ClassVar[bool] = True

    axis: int = -1
    momentum: float = number(0.99, FRACTION)
    epsilon: float = number(1e-3, POSITIVE)
    center: bool = True
    scale: bool = True
    beta_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    gamma_initializer: Resolved[Initializer] = INITIALIZERS.field("ones")
    moving_mean_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    moving_variance_initializer: Resolved[Initializer] = INITIALIZERS.field("ones")
    beta_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    gamma_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    beta_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    gamma_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    renorm: bool = field(default=False, metadata=LEFT_OUT)
    renorm_clipping: dict[str, float] | None = field(default=None, metadata=LEFT_OUT)
    renorm_momentum: float = field(default=0.99, metadata=LEFT_OUT)
    synchronized: bool = field(default=False, metadata=LEFT_OUT)
    as_in_keras_2: bool = field(default=False, kw_only=True, metadata=BESIDE)
    sample_variance: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def __post_init__(self) -> None:
        if isinstance(self.axis, list | tuple) and len(self.axis) == 1:
            self.axis = self.axis[0]  # as tf.keras wrote it
        super().__post_init__()

    def validate(self) -> None:
        if self.renorm:
            raise ArgumentError(f"{self.name}: renorm: expected False, received {self.renorm!r}; it is not supported.")

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        of_channels = known_extents(positive_axes(self.axis, shape, self.name), shape, self.name)
        self.gamma = ctx.weight(self, "gamma", of_channels) if self.scale else None
        self.beta = ctx.weight(self, "beta", of_channels) if self.center else None
        self.moving_mean = ctx.variable("moving_mean", of_channels, self.moving_mean_initializer, trainable=False)
        self.moving_variance = ctx.variable(
            "moving_variance", of_channels, self.moving_variance_initializer, trainable=False
        )

    def check_shape(self, shape: Shape) -> None:
        extents = known_extents(positive_axes(self.axis, shape, self.name), shape, self.name)
        if len(shape) != len(self.built_shape) or extents != self.moving_mean.shape:
            super().check_shape(shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        rows = self._rows(x, ctx, "x")
        double, channels = np.dtype(np.float64), rows.shape[2]
        each, sums, shift = (ctx.workspace(f"statistics, {n}", (n, channels), double) for n in (4, 3, 1))
        stats = Statistics(each, sums, shift[0])
        if ctx.training and self.trainable:
            counts = None if ctx.mask is None else self._counting(ctx.mask, x, ctx)
            ctx.do(self._measure, stats, rows, counts, ctx.sum_over_ranks, ctx.kernels)
            ctx.do(self._move, stats, x, ctx.kernels)
        else:
            ctx.do(self._recall, stats, ctx.kernels)
        y = ctx.workspace("y", rows.shape, rows.dtype)
        plus = None if ctx.plus is None else self._rows(ctx.plus, ctx, "plus")
        if self.beta is None:
            ctx.do(stats.shift.fill, 0)
        else:
            ctx.do(np.copyto, stats.shift, self.beta.value.reshape(-1))
        vectors = (vector[np.newaxis] for vector in (stats.mean, stats.scale, stats.shift))
        ctx.do(ctx.kernels.column_map, rows, *vectors, y, ctx.then, plus)
        restored = moved_back(y, positive_axes(self.axis, x.shape, self.name), x.shape, ctx, "y")
        is_activated = ctx.then == "relu"
        is_kept = is_activated and (plus is not None or ctx.mask is not None)
        return restored, (rows, stats, is_activated, y if is_kept else None, plus is not None)

    def backward(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | list[Array | None] | None:
        rows, stats, is_activated, y, is_sum = saved
        slopes, axes = self._rows(dy, ctx, "dy"), positive_axes(self.axis, dy.shape, self.name)
        sums = ctx.workspace("sums", (2, 1, rows.shape[2]), np.dtype(np.float64))
        dz = slopes if y is None else ctx.workspace("dz", rows.shape, rows.dtype)
        ctx.do(self._sum_slopes, slopes, rows, stats, sums, is_activated, y, dz, ctx.kernels)
        ctx.add(self.beta, sums[0, 0])
        ctx.add(self.gamma, sums[1, 0])
        dx, is_limited = None, is_activated and y is None
        if ctx.needs_input_gradient:
            of_rows = ctx.workspace("dx", rows.shape, rows.dtype)
            arrays = dz, rows, stats, sums
            ctx.do(self._input_gradient, *arrays, is_limited, ctx.sum_over_ranks, of_rows, ctx.kernels)
            dx = moved_back(of_rows, axes, dy.shape, ctx, "dx")
        return [dx, moved_back(dz, axes, dy.shape, ctx, "dz")] if is_sum else dx

    def _ready_measure(
        self, stats: Statistics, x: Array, counts: Array | None, sum_over_ranks: SumOverRanks, kernel: Kernels
    ) -> Call:
        """Put in the statistics of the global batch, from one message, or from two where one is not precise."""
        stats.excess, stats.counts = 0.0 if counts is None else config.epsilon(), counts
        in_two = partial(self._measure_in_two, stats, x, sum_over_ranks, kernel)
        if counts is not None:
            return in_two
        moments, rows = ready(kernel.column_moments, x), float(x.shape[1])
        tell, pool = kernel.vectorwise(batch_formulas.told), kernel.vectorwise(batch_formulas.pooled)
        gamma = np.ones(stats.mean.size, x.dtype) if self.gamma is None else self.gamma.value.reshape(-1)
        sums, each, epsilon, divisor = stats.sums, stats.each, self.epsilon, stats.sums[:1]

        def measure() -> None:
            own, squares = moments()
            tell(own[0], squares[0], rows, sums)
            sum_over_ranks(sums)
            stats.divisor = divisor
            if not sums[0, 0]:
                self._measure_nothing(stats, kernel)
            elif not pool(sums, gamma, epsilon, each):
                in_two()

        return measure

    @readied_by(_ready_measure)
    def _measure(self, *args: Any) -> None:
        self._ready_measure(*args)()

    def _measure_in_two(self, stats: Statistics, x: Array, sum_over_ranks: SumOverRanks, kernel: Kernels) -> None:
        """The mean is summed first, then the squares about it.

        From one message with sums of squares, the variance of a channel whose mean is large would be a difference of
        large numbers. Keras guards only masked statistics against a count of 0.
        """
        rows, moments, counts = x.shape[1], kernel.column_moments, stats.counts
        own, squares = moments(x if counts is None else np.where(counts, x, x.dtype.type(0)))
        sums = np.empty((2, *own.shape))
        sums[0] = rows if counts is None else counts.sum(axis=1)
        np.multiply(own, rows, out=sums[1])
        sum_over_ranks(sums)
        if not (sums[0] + stats.excess).all():
            self._measure_nothing(stats, kernel)
            return
        if counts is not None:
            mean = sums[1] / (sums[0] + stats.excess)
            own, squares = moments(np.where(counts, x, mean.astype(x.dtype)))
        slots = sums[0, 0], own[0], squares[0]
        numbers = float(rows), stats.excess
        kernel.update(batch_formulas.merged, stats.mean, sums[1, 0], slots, numbers)
        sum_over_ranks(squares)
        stats.divisor = sums[0]
        self._scale(stats, squares[0], sums[0, 0], kernel)

    def _measure_nothing(self, stats: Statistics, kernel: Kernels) -> None:
        """No row of any rank counts."""
        stats.divisor = None
        stats.mean.fill(0)
        self._scale(stats, np.zeros_like(stats.mean), np.ones_like(stats.mean), kernel)

    def _recall(self, stats: Statistics, kernel: Kernels) -> None:
        """Take the moving statistics for those of the batch."""
        stats.mean[...] = self.moving_mean.value.reshape(-1)
        self._scale(stats, self.moving_variance.value.reshape(-1).astype(np.float64), np.ones(stats.mean.size), kernel)

    def _scale(self, stats: Statistics, squares: Array, divisor: Array, kernel: Kernels) -> None:
        """Put in the variance, and what follows from it."""
        stats.scale[...] = 1.0 if self.gamma is None else self.gamma.value.reshape(-1)
        slots = divisor, stats.inverse, stats.scale
        kernel.update(batch_formulas.scaled, stats.variance, squares, slots, (self.epsilon, 1.0))

    def _ready_sum_slopes(
        self, slopes: Array, rows: Array, stats: Statistics, sums: Array, is_activated: bool, y: Array | None,
        dz: Array, kernel: Kernels,
    ) -> Call:  # fmt: skip
        """``sums`` = (2, 1, C), the gradients of beta and of gamma for these rows; 0 where nobody needs them.

        Where ``y`` is what a ReLU behind made, ``dz`` becomes the gradient before it.
        """
        mean, is_trained = stats.mean[np.newaxis], any(v is not None and v.is_trained for v in (self.gamma, self.beta))
        if y is None:
            passed = (stats.scale[np.newaxis], stats.shift[np.newaxis]) if is_activated else None
            products = ready(kernel.column_products, slopes, rows, mean, passed)
        else:
            products = ready(kernel.relu_products, slopes, y, rows, mean, dz)

        def sum_slopes() -> None:
            if stats.divisor is not None or is_trained:
                sums[0], sums[1] = products()
                sums[1] *= stats.inverse
                return
            sums.fill(0)
            if y is not None:
                kernel.activation_gradient(slopes, y, "relu", dz)

        return sum_slopes

    @readied_by(_ready_sum_slopes)
    def _sum_slopes(self, *args: Any) -> None:
        self._ready_sum_slopes(*args)()

    def _ready_input_gradient(
        self, slopes: Array, rows: Array, stats: Statistics, sums: Array, is_limited: bool,
        sum_over_ranks: SumOverRanks, dx: Array, kernel: Kernels,
    ) -> Call:  # fmt: skip
        mean, scale, limit = (vector[np.newaxis] for vector in (stats.mean, stats.scale, stats.shift))
        vectors, write = np.zeros((2, 1, stats.scale.size)), kernel.vectorwise(batch_formulas.of_input)
        arrays = slopes, rows, mean, scale, *vectors, dx
        put = ready(kernel.column_gradient, *arrays, limit if is_limited else None)
        of_sums, of_vectors = sums[:, 0], vectors[:, 0]

        def input_gradient() -> None:
            if stats.divisor is not None:
                sum_over_ranks(sums)
                write(of_sums, stats.each, stats.divisor[0], stats.excess, of_vectors)
            put()
            if stats.counts is not None:
                np.copyto(dx, slopes * scale.astype(dx.dtype), where=~stats.counts)

        return input_gradient

    @readied_by(_ready_input_gradient)
    def _input_gradient(self, *args: Any) -> None:
        self._ready_input_gradient(*args)()

    def _corrected(self, variance: Array, divisor: Array, x: Array) -> Array:
        """The batch's variance as the moving variance follows it.

        Source: ``_fused_batch_norm`` of tf_keras 2.21; TensorFlow's kernel takes images only, with these axes.
        ``BatchNormalization.call`` and ``normalize_batch_in_training`` of Keras 2.2.
        """
        fused = ((4, 3),) if self.sample_variance else ((4, 1), (4, 3), (5, 1), (5, 4))
        lost = [1.0] if self.as_in_keras_2 and (x.ndim, self.axis % x.ndim) in fused else []
        lost += [1.0 + self.epsilon] if self.sample_variance else []
        for n in lost:
            variance = variance * (divisor / np.maximum(divisor - n, 1.0 - self.epsilon)).reshape(-1)
        return variance

    def _ready_move(self, stats: Statistics, x: Array, kernel: Kernels) -> Call:
        """Let the moving statistics follow those of a batch, unless nothing in it counts."""
        is_corrected = self.as_in_keras_2 or self.sample_variance
        variance = np.empty_like(stats.variance) if is_corrected else stats.variance
        rates = self.momentum, 1.0 - self.momentum
        moving, slots = self.moving_mean.value.reshape(-1), (self.moving_variance.value.reshape(-1), variance)
        follow = kernel.ready_update(batch_formulas.moved, moving, stats.mean, slots, len(rates))

        def move() -> None:
            if stats.divisor is None:
                return
            if is_corrected:
                variance[...] = self._corrected(stats.variance, stats.divisor, x)
            follow(rates)

        return move

    @readied_by(_ready_move)
    def _move(self, *args: Any) -> None:
        self._ready_move(*args)()

    def _rows(self, x: Array, ctx: ForwardContext | BackwardContext, name: str) -> Array:
        """(1, M, C), contiguous."""
        moved = moved_last(x, positive_axes(self.axis, x.shape, self.name), ctx, name)
        return moved.reshape(1, math.prod(moved.shape[:-1]), moved.shape[-1])

    def _counting(self, mask: Array, x: Array, ctx: ForwardContext) -> Array:
        """(1, M, C) bool: which entries count."""
        if mask.ndim != x.ndim - 1:
            raise ShapeError(
                f"{self.name}: expected a mask of one axis less than the input {x.shape}, received {mask.shape}."
            )
        return self._rows(np.broadcast_to(mask[..., np.newaxis], x.shape), ctx, "mask")
