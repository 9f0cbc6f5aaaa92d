"""A layer that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet import activations
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class Identity(Layer):
    """``y = x``.

    Shapes:
        (N, ...) -> the same.

    Source: ``keras.layers.Identity``.
    """

    supports_masking: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    @property
    def elementary(self) -> activations.Activation:
        """The function that gives its argument."""
        return activations.linear

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        return x, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return dy
