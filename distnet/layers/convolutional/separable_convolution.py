"""A depthwise convolution, then a mixing of the channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels import taps
from distnet.kernels.matrix_products import by_blas
from distnet.kernels.windows import Windows
from distnet.layers.convolutional import kernel_gradients
from distnet.layers.convolutional.base import Convolving, Dilated, Filters
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array


@dataclass(eq=False)
class SeparableConvolution(Dilated, Filters, Convolving):
    """Depthwise convolution D, then products over the channels: ``y = f(D(x) P + b)``.

    Args:
        depth_multiplier: kernels of the depthwise convolution for each channel of the input.
        activation: name or object; linear by default.
    """

    of_others: ClassVar[tuple[str, ...]] = ("groups", "kernel_initializer")

    depth_multiplier: int = whole_number(1, 1)
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True
    depthwise_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    pointwise_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    depthwise_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    pointwise_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    depthwise_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    pointwise_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()

    def build_kernels(self, channels: int, ctx: BuildContext) -> None:
        ones = (1,) * self.rank
        self.depthwise_kernel = ctx.weight(
            self, "depthwise", (*self.sliding.taps, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.pointwise_kernel = ctx.weight(
            self, "pointwise", (*ones, channels * self.depth_multiplier, self.filters), "pointwise_kernel"
        )

    def convolve(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[Array, Windows]]:
        windows, mixing = self.windows(x), self._mixing
        between = ctx.workspace("between", (len(x), *windows.shape, len(mixing)), x.dtype)
        ctx.do(taps.convolve, x, self.depthwise_kernel.value, windows, between, ctx.here())
        z = ctx.workspace("z", (len(x), *windows.shape, self.filters), x.dtype)
        ctx.do(by_blas, between.reshape(-1, len(mixing)), mixing, out=z.reshape(-1, self.filters))
        return z, (between, windows)

    def convolve_back(self, x: Array, dz: Array, kept: tuple[Array, Windows], ctx: BackwardContext) -> Array | None:
        (between, windows), mixing, flat = kept, self._mixing, dz.reshape(-1, self.filters)
        ctx.add_product(self.pointwise_kernel, between.reshape(-1, len(mixing)).T, flat)
        if not ctx.needs_input_gradient and not self.depthwise_kernel.is_trained:
            return None
        dbetween = ctx.workspace("dbetween", between.shape, x.dtype)
        ctx.do(by_blas, flat, mixing.T, out=dbetween.reshape(-1, len(mixing)))
        kernel_gradients.add_depthwise(x, dbetween, windows, self.depthwise_kernel, ctx)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", x.shape, x.dtype)
        ctx.do(taps.convolve_back, dbetween, self.depthwise_kernel.value, windows, dx, ctx.here())
        return dx

    @property
    def _mixing(self) -> Array:
        """The pointwise kernel as a matrix."""
        return self.pointwise_kernel.value.reshape(-1, self.filters)


@register_layer("SeparableConvolution1D")
@dataclass(eq=False)
class SeparableConv1D(SeparableConvolution):
    """Separable convolution along the time axis.

    Shapes:
        (N, T, C) -> (N, T', filters); depthwise kernel (K, C, depth_multiplier), pointwise kernel
        (1, C * depth_multiplier, filters).

    Source: ``keras.layers.SeparableConv1D``.
    """

    rank: ClassVar[int] = 1


@register_layer("SeparableConvolution2D")
@dataclass(eq=False)
class SeparableConv2D(SeparableConvolution):
    """Separable convolution of images.

    Shapes:
        (N, H, W, C) -> (N, H', W', filters); depthwise kernel (KH, KW, C, depth_multiplier), pointwise
        kernel (1, 1, C * depth_multiplier, filters).

    Source: ``keras.layers.SeparableConv2D``.
    """

    rank: ClassVar[int] = 2


SeparableConvolution1D = SeparableConv1D
"""Keras's other names."""
