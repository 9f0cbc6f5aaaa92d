"""An activation as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.activations import ACTIVATIONS
from distnet.activations import Activation as ActivationFunction
from distnet.layers.base import Layer, register_layer
from distnet.layers.context import BackwardContext, ForwardContext
from distnet.registry import Resolved
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class Activation(Layer):
    """Applies an activation function: ``y = f(x)``.

    Shapes:
        (N, ...) -> the same.

    Source: ``keras.layers.Activation``.
    """

    supports_masking: ClassVar[bool] = True

    leaves_logits: ClassVar[bool] = True

    activation: Resolved[ActivationFunction] = ACTIVATIONS.field("linear")

    @property
    def elementary(self) -> ActivationFunction:
        """Its function."""
        return self.activation

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        if ctx.logits:
            return x, x
        y = ctx.workspace("y", x.shape, x.dtype)
        self.activation.forward(x, out=y)
        return y, x if self.activation.saves_input else y

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        if ctx.is_of_logits:
            return dy
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        self.activation.backward(dy, saved, out=dx)
        return dx
