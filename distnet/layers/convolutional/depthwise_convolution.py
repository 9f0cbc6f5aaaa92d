"""Convolutions that treat each channel by itself, alone or followed by a mixing of the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels.windows import Windows
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.convolutional import taps
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.sliding import (
    Extents,
    Sliding,
    as_volumes,
    extents,
    input_channels,
    of_rank,
    padding_name,
    without_keys,
)
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Json, Shape
from distnet.variables import Variable

Saved = tuple[Array, Kept, Windows]


@dataclass(eq=False)
class DepthwiseConvolution(Activated, Channelled):
    """Each channel's patches times kernels of its own: ``y[c, m] = f(patches(x[c]) W[c, m] + b)``.

    Args:
        kernel_size: entries of a kernel, one number or one for each axis.
        strides: entries from one window to the next.
        padding: ``"valid"`` or ``"same"``, as for convolutions.
        depth_multiplier: kernels, and so channels of the output, for each channel of the input.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        dilation_rate: entries from one tap of a kernel to the next.
        activation: name or object; linear by default.
    """

    leaves_logits: ClassVar[bool] = True
    rank: ClassVar[int]

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

    def validate(self) -> None:
        self.kernel_size = taps = extents(self.kernel_size, self.rank, f"{self.name}: kernel_size")
        self.strides = strides = extents(self.strides, self.rank, f"{self.name}: strides")
        self.dilation_rate = dilation = extents(self.dilation_rate, self.rank, f"{self.name}: dilation_rate")
        self.padding = padding_name(self.padding, self.name)
        super().validate()
        self.sliding = Sliding(self.name, taps, strides, self.padding, dilation)

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        self.shape_last(shape)
        channels = input_channels(self.name, shape)
        self.kernel = ctx.weight(self, "depthwise", (*self.sliding.taps, channels, self.depth_multiplier), "kernel")
        self.bias: Variable | None = (
            ctx.weight(self, "bias", (channels * self.depth_multiplier,)) if self.use_bias else None
        )

    def check_shape(self, shape: Shape) -> None:
        if self.moved_last(shape)[-1] != self.moved_last(self.built_shape)[-1]:
            super().check_shape(shape)

    def shape_last(self, shape: Shape) -> Shape:
        channels = None if shape[-1] is None else shape[-1] * self.depth_multiplier
        return (shape[0], *self.sliding.output_extents(shape), channels)

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows, volumes = self.sliding.windows(x.shape), as_volumes(x)
        z = ctx.workspace("z", (len(x), *windows.shape, x.shape[-1] * self.depth_multiplier), x.dtype)
        taps.convolve(volumes, self.kernel.value, windows, z)
        z = of_rank(z, self.rank)
        y, kept = bias_activation.forward(z, self.bias, self.activation, ctx, self.is_channels_first)
        return y, (x, kept, windows)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, kept, windows = saved
        volumes = as_volumes(x)
        dz = as_volumes(bias_activation.backward(dy, kept, self.activation, ctx, self.is_channels_first))
        taps.add_kernel_gradient(volumes, dz, windows, self.kernel, ctx)
        ctx.add_sum(self.bias, dz.reshape(-1, dz.shape[-1]), axis=0)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", volumes.shape, x.dtype)
        return taps.convolve_back(dz, self.kernel.value, windows, dx).reshape(x.shape)

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer of a configuration; Keras 2 writes the groups of convolutions for it too."""
        return super().from_config(without_keys(config, "groups"))


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
