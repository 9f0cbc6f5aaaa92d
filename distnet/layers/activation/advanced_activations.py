"""Activations that are layers in Keras, with options, weights or a mask."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import activations
from distnet.arguments import NOT_NEGATIVE, POSITIVE, as_numbers, check_number, is_integer, number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.layers.engine.base import KerasTensor, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.registry import LEFT_OUT, Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Json, Shape


class _Elementwise(Layer):
    """A layer that applies an activation function made of its options."""

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    @property
    @abstractmethod
    def elementary(self) -> activations.Activation:
        """The function."""

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        function, y = self.elementary, ctx.workspace("y", x.shape, x.dtype)
        ctx.do(function.forward, x, out=y)
        return y, x if function.saves_input else y

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(self.elementary.backward, dy, saved, out=dx)
        return dx


@register_layer()
@dataclass(eq=False)
class ReLU(_Elementwise):
    """``y = min(x, max_value)`` above the threshold, ``negative_slope (x - threshold)`` below.

    Shapes:
        (N, ...) -> the same.

    Args:
        max_value: largest y, at least 0; None for no limit.
        negative_slope: at least 0.
        threshold: at least 0.

    Source: ``keras.layers.ReLU``.
    """

    max_value: float | None = number(None, NOT_NEGATIVE)
    negative_slope: float = number(0.0, NOT_NEGATIVE)
    threshold: float = number(0.0, NOT_NEGATIVE)

    @property
    def elementary(self) -> activations.Activation:
        return activations.ReLU(self.negative_slope, self.max_value, self.threshold)


@register_layer()
@dataclass(eq=False)
class ThresholdedReLU(Layer):
    """``y = x`` above ``theta``, 0 elsewhere.

    Shapes:
        (N, ...) -> the same.

    Args:
        theta: at least 0.

    Source: Konda et al., 2014 (arXiv:1402.3337); ``keras.layers.ThresholdedReLU`` of Keras 2.
    """

    supports_masking: ClassVar[bool] = True

    theta: float = number(1.0, NOT_NEGATIVE)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        return np.multiply(x, x > self.theta, out=ctx.workspace("y", x.shape, x.dtype)), x

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        return np.multiply(dy, saved > self.theta, out=ctx.workspace("dx", dy.shape, dy.dtype))


@register_layer()
@dataclass(eq=False)
class LeakyReLU(_Elementwise):
    """``y = x`` from 0 on, ``negative_slope x`` below.

    Shapes:
        (N, ...) -> the same.

    Args:
        negative_slope: at least 0.
        alpha: Keras 2's name for ``negative_slope``.

    Source: ``keras.layers.LeakyReLU``.
    """

    negative_slope: float = number(0.3, NOT_NEGATIVE)
    alpha: Any = field(default=None, kw_only=True, metadata=LEFT_OUT)

    def validate(self) -> None:
        if self.alpha is not None:
            # Keras <= 2.2 wrote an array of no axes.
            given = self.alpha.get("value") if isinstance(self.alpha, Mapping) else self.alpha
            self.negative_slope = check_number(f"{self.name}: alpha", given, NOT_NEGATIVE)
        self.alpha = self.negative_slope

    def get_config(self) -> dict[str, Json]:
        """The arguments, with the slope under the name that Keras 2 and Keras 3 both read."""
        config = super().get_config()
        return {("alpha" if key == "negative_slope" else key): value for key, value in config.items()}

    @property
    def elementary(self) -> activations.Activation:
        return activations.LeakyReLU(self.negative_slope)


@register_layer()
@dataclass(eq=False)
class ELU(_Elementwise):
    """``y = x`` above 0, ``alpha (exp(x) - 1)`` below.

    Shapes:
        (N, ...) -> the same.

    Args:
        alpha: above 0.

    Source: Clevert et al., 2016 (arXiv:1511.07289); ``keras.layers.ELU``.
    """

    alpha: float = number(1.0, POSITIVE)

    @property
    def elementary(self) -> activations.Activation:
        return activations.ELU(self.alpha)


@register_layer()
@dataclass(eq=False)
class PReLU(Layer):
    """``y = x`` from 0 on, ``alpha x`` below, with a learned alpha.

    Shapes:
        (N, ...) -> the same; alpha has a row's shape, with extent 1 along ``shared_axes``.

    Args:
        shared_axes: axes, counted from 1, whose entries share one alpha.

    Source: He et al., 2015 (arXiv:1502.01852); ``keras.layers.PReLU``.
    """

    supports_masking: ClassVar[bool] = True

    alpha_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    alpha_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    alpha_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    shared_axes: list[int] | None = None

    def validate(self) -> None:
        if isinstance(self.shared_axes, int):
            self.shared_axes = [self.shared_axes]
        if self.shared_axes is not None:
            self.shared_axes = list(self.shared_axes)
            if any(not isinstance(axis, int) or axis < 1 for axis in self.shared_axes):
                raise ArgumentError(f"{self.name}: shared_axes: expected axes from 1, received {self.shared_axes!r}.")

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.alpha = ctx.weight(self, "alpha", self._alpha_shape(shape))

    def check_shape(self, shape: Shape) -> None:
        if self._alpha_shape(shape) != self.alpha.shape:
            super().check_shape(shape)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        y = ctx.workspace("y", x.shape, x.dtype)
        np.minimum(x, 0, out=y)
        y *= self.alpha.value - self.alpha.dtype.type(1)
        y += x
        return y, x

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array | None:
        below = np.minimum(saved, 0)
        if self.alpha.is_trained:
            axes = tuple(i for i, n in enumerate(self.alpha.shape, 1) if n == 1)
            of_alpha = np.einsum("n...,n...->...", below, dy) if not axes else np.multiply(below, dy).sum((0, *axes))
            ctx.add(self.alpha, of_alpha.reshape(self.alpha.shape))
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        # Sloping 1 above 0 and alpha below; Keras composes it of two rectifiers, whose slopes at 0 are both 0.
        np.multiply(saved < 0, self.alpha.value, out=dx)
        dx += saved > 0
        dx *= dy
        return dx

    def _alpha_shape(self, shape: Shape) -> tuple[int, ...]:
        shared = self.shared_axes or []
        if any(axis >= len(shape) for axis in shared):
            raise ShapeError(f"{self.name}: shared_axes: expected axes of the input {shape}, received {shared}.")
        extents = [1 if axis in shared else n for axis, n in enumerate(shape) if axis > 0]
        if None in extents:
            raise ShapeError(
                f"{self.name}: expected an input whose extents are known, received {shape}. "
                "Give them in input_shape, or share alpha along the others with shared_axes."
            )
        return tuple(int(n or 0) for n in extents)


@register_layer()
@dataclass(eq=False)
class Softmax(Layer):
    """``y_i = exp(x_i) / sum_j exp(x_j)`` along an axis; entries that a mask excludes are 0.

    A call may pass ``mask=...``, an array or tensor that broadcasts against the input and is true, or above one
    half, where an entry counts.

    Shapes:
        (N, ...) -> the same.

    Args:
        axis: along which y sums to 1; a list for several axes.

    Source: ``keras.layers.Softmax``.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "mask")
    supports_masking: ClassVar[bool] = True
    leaves_logits: ClassVar[bool] = True

    axis: int | list[int] = -1

    def validate(self) -> None:
        axes = list(self.axis) if isinstance(self.axis, list | tuple) else [self.axis]
        if not axes or not all(map(is_integer, axes)):
            raise ArgumentError(f"{self.name}: axis: expected an integer or a list of these, received {self.axis!r}.")
        self.axis = axes if isinstance(self.axis, list | tuple) else axes[0]

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        mask = args[0] if args else kwargs.pop("mask", None)
        tensors, options = super().bind(inputs, *args[1:], **kwargs)
        if mask is None or isinstance(mask, KerasTensor):
            return tensors if mask is None else [*tensors, mask], options
        # An array has one row for all, or as many rows as the input: broadcasting decides.
        return tensors, {**options, "counts": as_numbers(f"{self.name}: mask", mask)}

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0] if isinstance(shape, list) else shape

    def compute_mask(self, x: Any, mask: Any) -> Any:
        return mask[0] if isinstance(x, list) else mask

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Array, tuple[Array, bool]]:
        x, counts = x if isinstance(x, list) else (x, ctx.options.get("counts"))
        is_input = counts is not None and "counts" not in ctx.options
        if ctx.logits:
            return x, (x, False)
        y, axes = ctx.workspace("y", x.shape, x.dtype), self._axes
        if counts is not None:
            counts = self._counting(counts, x)
            x = np.where(counts, x, x.dtype.type(-1e9))
        np.subtract(x, x.max(axis=axes, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=axes, keepdims=True)
        if counts is not None:
            y *= counts
        return y, (y, is_input)

    def backward(self, dy: Array, saved: tuple[Array, bool], ctx: BackwardContext) -> Any:
        y, is_input = saved
        if ctx.is_of_logits:
            return dy
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        np.multiply(dy, y, out=dx)
        np.subtract(dy, dx.sum(axis=self._axes, keepdims=True), out=dx)
        dx *= y
        return [dx, None] if is_input else dx

    @property
    def elementary(self) -> activations.Activation:
        return activations.Softmax(self.axis if isinstance(self.axis, int) else tuple(self.axis))

    @property
    def _axes(self) -> tuple[int, ...]:
        return (self.axis,) if isinstance(self.axis, int) else tuple(self.axis)

    def _counting(self, mask: Array, x: Array) -> Array:
        if mask.ndim > x.ndim or any(m not in (1, n) for m, n in zip(mask.shape[::-1], x.shape[::-1], strict=False)):
            raise ShapeError(
                f"{self.name}: expected a mask that broadcasts against the input {x.shape}, received {mask.shape}."
            )
        return mask if mask.dtype == bool else mask > 0.5
