"""An activation as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from distnet.activations import ACTIVATIONS
from distnet.activations import Activation as ActivationFunction
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.layer_activation import WholeLayer
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Inner
from distnet.registry import Resolved
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class Activation(Activated):
    """Applies an activation function: ``y = f(x)``.

    Shapes:
        (N, ...) -> the same.

    Source: ``keras.layers.Activation``.
    """

    supports_masking: ClassVar[bool] = True

    leaves_logits: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    activation: Resolved[ActivationFunction] = ACTIVATIONS.field("linear")

    @property
    def elementary(self) -> ActivationFunction:
        """Its function."""
        return self.activation

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array | Inner]:
        if ctx.logits:
            return x, x
        if isinstance(self.activation, WholeLayer):
            return wrapper.forward(self.activation.layer, x, ctx.within(0, ctx.mask), ctx.global_rows)
        y = ctx.workspace("y", x.shape, x.dtype)
        ctx.do(self.activation.forward, x, out=y)
        return y, x if self.activation.saves_input else y

    def backward(self, dy: Array, saved: Array | Inner, ctx: BackwardContext) -> Array:
        if ctx.is_of_logits:
            return dy
        if isinstance(saved, Inner):
            dx: Array = wrapper.backward(cast(WholeLayer, self.activation).layer, dy, saved, ctx.within(0))
            return dx
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        ctx.do(self.activation.backward, dy, saved, out=dx)
        return dx
