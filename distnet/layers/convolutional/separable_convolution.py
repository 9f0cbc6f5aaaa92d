"""A depthwise convolution, then a mixing of the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT, whole_number
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

Saved = tuple[Array, Array, Kept, Windows]


@dataclass(eq=False)
class SeparableConvolution(Activated, Channelled):
    """Depthwise convolution D, then products over the channels: ``y = f(D(x) P + b)``.

    Args:
        filters: channels of the output.
        kernel_size: entries of a kernel, one number or one for each axis.
        strides: entries from one window to the next.
        padding: ``"valid"`` or ``"same"``, as for convolutions.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        dilation_rate: entries from one tap of a kernel to the next.
        depth_multiplier: kernels of the depthwise convolution for each channel of the input.
        activation: name or object; linear by default.
    """

    leaves_logits: ClassVar[bool] = True
    rank: ClassVar[int]

    filters: int = field(metadata=COUNT)
    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: Extents = 1
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

    def validate(self) -> None:
        self.kernel_size = taps = extents(self.kernel_size, self.rank, f"{self.name}: kernel_size")
        self.strides = strides = extents(self.strides, self.rank, f"{self.name}: strides")
        self.dilation_rate = dilation = extents(self.dilation_rate, self.rank, f"{self.name}: dilation_rate")
        self.padding = padding_name(self.padding, self.name)
        super().validate()
        self.sliding = Sliding(self.name, taps, strides, self.padding, dilation)

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        self.shape_last(shape)
        channels, ones = input_channels(self.name, shape), (1,) * self.rank
        self.depthwise_kernel = ctx.weight(
            self, "depthwise", (*self.sliding.taps, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.pointwise_kernel = ctx.weight(
            self, "pointwise", (*ones, channels * self.depth_multiplier, self.filters), "pointwise_kernel"
        )
        self.bias: Variable | None = ctx.weight(self, "bias", (self.filters,)) if self.use_bias else None

    def check_shape(self, shape: Shape) -> None:
        if self.moved_last(shape)[-1] != self.moved_last(self.built_shape)[-1]:
            super().check_shape(shape)

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.output_extents(shape), self.filters)

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows, volumes = self.sliding.windows(x.shape), as_volumes(x)
        mixing = self._mixing
        between = ctx.workspace("between", (len(x), *windows.shape, len(mixing)), x.dtype)
        taps.convolve(volumes, self.depthwise_kernel.value, windows, between)
        z = ctx.workspace("z", (len(x), *windows.shape, self.filters), x.dtype)
        np.matmul(between.reshape(-1, len(mixing)), mixing, out=z.reshape(-1, self.filters))
        z = of_rank(z, self.rank)
        y, kept = bias_activation.forward(z, self.bias, self.activation, ctx, self.is_channels_first)
        return y, (x, between, kept, windows)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, between, kept, windows = saved
        mixing, volumes = self._mixing, as_volumes(x)
        dz = bias_activation.backward(dy, kept, self.activation, ctx, self.is_channels_first)
        dz = dz.reshape(-1, self.filters)
        if self.pointwise_kernel.is_trained:
            gradient = ctx.workspace("dpointwise", mixing.shape, x.dtype)
            np.matmul(between.reshape(-1, len(mixing)).T, dz, out=gradient)
            ctx.add(self.pointwise_kernel, gradient.reshape(self.pointwise_kernel.shape))
        ctx.add_sum(self.bias, dz, axis=0)
        if not ctx.needs_input_gradient and not self.depthwise_kernel.is_trained:
            return None
        dbetween = ctx.workspace("dbetween", between.shape, x.dtype)
        np.matmul(dz, mixing.T, out=dbetween.reshape(-1, len(mixing)))
        taps.add_kernel_gradient(volumes, dbetween, windows, self.depthwise_kernel, ctx)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", volumes.shape, x.dtype)
        return taps.convolve_back(dbetween, self.depthwise_kernel.value, windows, dx).reshape(x.shape)

    @property
    def _mixing(self) -> Array:
        """The pointwise kernel as a matrix."""
        return self.pointwise_kernel.value.reshape(-1, self.filters)

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer of a configuration; Keras 2 writes options of plain convolutions for it too."""
        return super().from_config(without_keys(config, "groups", "kernel_initializer"))


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
