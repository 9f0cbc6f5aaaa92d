"""The fully connected layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from distnet.errors import ShapeError
from distnet.kernels import matrix_products
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import KernelAndBias, Units
from distnet.types import Array, Shape
from distnet.variables import Variable


@register_layer()
@dataclass(eq=False)
class Dense(KernelAndBias, Units, Activated):
    """Affine map of the last axis, then an activation: ``y = f(x W + b)``.

    Shapes:
        (N, ..., I) -> (N, ..., units); I is read when the layer is built.

    Source: ``keras.layers.Dense``.
    """

    supports_masking: ClassVar[bool] = True
    leaves_logits: ClassVar[bool] = True
    leaves_activations: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        if len(shape) < 2 or shape[-1] is None:
            raise ShapeError(
                f"{self.name}: expected an input of at least 2 axes whose last extent is known, received {shape}. "
                "Give the first layer input_shape=..., or put a Flatten before this one."
            )
        self.kernel = ctx.weight(self, "kernel", (shape[-1], self.units))
        self.bias: Variable | None = ctx.weight(self, "bias", (self.units,)) if self.use_bias else None

    def check_shape(self, shape: Shape) -> None:
        if len(shape) < 2 or shape[-1] != self.kernel.shape[0]:
            super().check_shape(shape)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.units)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[Array, Kept]]:
        rows = math.prod(x.shape[:-1])
        z = ctx.workspace("z", (rows, self.units), x.dtype)
        ctx.do(matrix_products.multiply, x.reshape(rows, x.shape[-1]), self.kernel.value, out=z)
        # In its own shape: an activation such as softmax may go along any axis.
        y, kept = bias_activation.forward(z.reshape(*x.shape[:-1], self.units), self.bias, self.activation, ctx)
        return y, (x, kept)

    def backward(self, dy: Array, saved: tuple[Array, Kept], ctx: BackwardContext) -> Array | None:
        x, kept = saved
        dz = bias_activation.backward(dy, kept, self.bias, self.activation, ctx).reshape(-1, self.units)
        ctx.add_product(self.kernel, x.reshape(len(dz), x.shape[-1]).T, dz)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", (len(dz), x.shape[-1]), x.dtype)
        ctx.do(matrix_products.multiply, dz, self.kernel.value.T, out=dx)
        return dx.reshape(x.shape)
