"""Convolutions that treat each channel by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels import taps
from distnet.kernels.windows import Windows
from distnet.layers.convolutional import kernel_gradients
from distnet.layers.convolutional.base import Convolving
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.sliding import Extents
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape


@dataclass(eq=False)
class DepthwiseConvolution(Convolving):
    """Each channel's patches times kernels of its own: ``y[c, m] = f(patches(x[c]) W[c, m] + b)``.

    Args:
        kernel_size, strides, padding, data_format, dilation_rate: as for convolutions.
        depth_multiplier: kernels, and so channels of the output, for each channel of the input.
        activation: name or object; linear by default.
    """

    of_others: ClassVar[tuple[str, ...]] = ("groups",)

    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"
    depth_multiplier: int = whole_number(1, 1)
    data_format: str | None = None
    dilation_rate: Extents = 1
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True
    depthwise_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    depthwise_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    depthwise_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()

    def build_kernels(self, channels: int, ctx: BuildContext) -> None:
        self.kernel = ctx.weight(self, "depthwise", (*self.sliding.taps, channels, self.depth_multiplier), "kernel")

    def shape_last(self, shape: Shape) -> Shape:
        channels = None if shape[-1] is None else shape[-1] * self.depth_multiplier
        return (shape[0], *self.sliding.output_extents(shape), channels)

    def convolve(self, x: Array, ctx: ForwardContext) -> tuple[Array, Windows]:
        windows = self.windows(x)
        z = ctx.workspace("z", (len(x), *windows.shape, x.shape[-1] * self.depth_multiplier), x.dtype)
        ctx.do(taps.convolve, x, self.kernel.value, windows, z, ctx.here())
        return z, windows

    def convolve_back(self, x: Array, dz: Array, kept: Windows, ctx: BackwardContext) -> Array | None:
        kernel_gradients.add_depthwise(x, dz, kept, self.kernel, ctx)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", x.shape, x.dtype)
        ctx.do(taps.convolve_back, dz, self.kernel.value, kept, dx, ctx.here())
        return dx


@register_layer()
@dataclass(eq=False)
class DepthwiseConv1D(DepthwiseConvolution):
    """Depthwise convolution along the time axis.

    Shapes:
        (N, T, C) -> (N, T', C * depth_multiplier); kernel (K, C, depth_multiplier).

    Source: ``keras.layers.DepthwiseConv1D``.
    """

    rank: ClassVar[int] = 1


@register_layer()
@dataclass(eq=False)
class DepthwiseConv2D(DepthwiseConvolution):
    """Depthwise convolution of images.

    Shapes:
        (N, H, W, C) -> (N, H', W', C * depth_multiplier); kernel (KH, KW, C, depth_multiplier).

    Source: ``keras.layers.DepthwiseConv2D``.
    """

    rank: ClassVar[int] = 2
