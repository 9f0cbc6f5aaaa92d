"""Inputs rescaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, ArrayLike, Shape


@register_layer()
@dataclass(eq=False)
class Rescaling(Layer):
    """``y = scale x + offset``.

    Shapes:
        (N, ...) -> the same.

    Args:
        scale: a number, or one for each entry of the last axis.
        offset: likewise.

    Source: ``keras.layers.Rescaling``.
    """

    supports_masking: ClassVar[bool] = True
    takes_integers: ClassVar[bool] = True

    scale: ArrayLike
    offset: ArrayLike = 0.0

    def validate(self) -> None:
        self.scale = self._numbers("scale", self.scale)
        self.offset = self._numbers("offset", self.offset)

    def compute_output_shape(self, shape: Shape) -> Shape:
        for name in ("scale", "offset"):
            entries = np.size(getattr(self, name))
            if np.ndim(getattr(self, name)) and shape[-1] not in (None, entries):
                raise ArgumentError(
                    f"{self.name}: expected {name} to be a number or {shape[-1]} numbers, as many as the last axis of "
                    f"the input {shape}, received {entries}."
                )
        return shape

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        y = ctx.workspace("y", x.shape, np.dtype(self.dtype))
        np.multiply(x, np.asarray(self.scale, y.dtype), out=y, dtype=y.dtype)
        y += np.asarray(self.offset, y.dtype)
        return y, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        np.multiply(dy, np.asarray(self.scale, dy.dtype), out=dx)
        return dx

    def _numbers(self, name: str, value: Any) -> float | list[float]:
        """A number or a list; Keras 3 writes arrays as ``{"class_name": "__numpy__", "config": {"value": ...}}``."""
        if isinstance(value, dict):
            value = value.get("config", value).get("value")
        try:
            numbers = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.zeros((0, 0))
        if numbers.ndim > 1:
            raise ArgumentError(f"{self.name}: {name}: expected a number or a list of numbers, received {value!r}.")
        return cast("float | list[float]", numbers.tolist())
