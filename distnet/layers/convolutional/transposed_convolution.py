"""Transposed convolutions: the gradient of a convolution by its input, as a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels.windows import Windows
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.convolutional import patches
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


class TransposedConvolution(Activated, Channelled):
    """Each entry spreads over a window of the output: ``y = f(patches^T(x W^T) + b)``.

    Args:
        filters: channels of the output.
        kernel_size: entries of a kernel, one number or one for each axis.
        strides: entries of the output from one window to the next.
        padding: ``"valid"`` or ``"same"``: the output has ``n * stride`` entries.
        output_padding: entries that the output has beyond the fewest possible; less than the stride.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        dilation_rate: entries from one tap of a kernel to the next.
        activation: name or object; linear by default.
    """

    leaves_logits: ClassVar[bool] = True
    rank: ClassVar[int]

    filters: int
    kernel_size: Extents
    strides: Extents
    padding: str
    output_padding: Extents | None
    dilation_rate: Extents
    activation: Resolved[Activation]
    use_bias: bool
    kernel_initializer: Resolved[Initializer]
    bias_initializer: Resolved[Initializer]
    kernel_regularizer: Resolved[Regularizer | None]
    bias_regularizer: Resolved[Regularizer | None]
    kernel_constraint: Resolved[Constraint | None]
    bias_constraint: Resolved[Constraint | None]

    def validate(self) -> None:
        self.kernel_size = taps = extents(self.kernel_size, self.rank, f"{self.name}: kernel_size")
        self.strides = strides = extents(self.strides, self.rank, f"{self.name}: strides")
        self.dilation_rate = dilation = extents(self.dilation_rate, self.rank, f"{self.name}: dilation_rate")
        self.padding = padding_name(self.padding, self.name)
        super().validate()
        self.extra: tuple[int, ...] | None = None
        if self.output_padding is not None:
            self.extra = extents(self.output_padding, self.rank, f"{self.name}: output_padding", least=0)
            if any(more >= stride for more, stride in zip(self.extra, strides, strict=True)):
                raise ArgumentError(
                    f"{self.name}: expected output_padding below strides {strides}, received {self.extra}."
                )
        self.output_padding = self.extra
        self.sliding = Sliding(self.name, taps, strides, self.padding, dilation)

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        self.shape_last(shape)
        self.kernel = ctx.weight(self, "kernel", (*self.sliding.taps, self.filters, input_channels(self.name, shape)))
        self.bias: Variable | None = ctx.weight(self, "bias", (self.filters,)) if self.use_bias else None

    def check_shape(self, shape: Shape) -> None:
        if self.moved_last(shape)[-1] != self.moved_last(self.built_shape)[-1]:
            super().check_shape(shape)

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.spread_extents(shape, self.extra), self.filters)

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows = self.sliding.spread(x.shape, self.extra)
        z = ctx.workspace("z", (len(x), *windows.extents, self.filters), x.dtype)
        patches.convolve_back(as_volumes(x), self.kernel.value, windows, 1, z, ctx)
        z = of_rank(z, self.rank)
        y, kept = bias_activation.forward(z, self.bias, self.activation, ctx, self.is_channels_first)
        return y, (x, kept, windows)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, kept, windows = saved
        volumes = as_volumes(x)
        dz = as_volumes(bias_activation.backward(dy, kept, self.activation, ctx, self.is_channels_first))
        patches.add_kernel_gradient(dz, volumes, windows, 1, self.kernel, ctx)
        ctx.add_sum(self.bias, dz.reshape(-1, self.filters), axis=0)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", volumes.shape, x.dtype)
        return patches.convolve(dz, self.kernel.value, windows, 1, dx, ctx).reshape(x.shape)

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer of a configuration; Keras 2 writes the groups, which there are none of."""
        return super().from_config(without_keys(config, "groups"))


@dataclass(eq=False)
class _Flat(TransposedConvolution):
    """The arguments in the order of sequences' and images' layers; Keras has another one for volumes."""

    filters: int = field(metadata=COUNT)
    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"
    output_padding: Extents | None = None
    data_format: str | None = None
    dilation_rate: Extents = 1
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()


@register_layer("Convolution1DTranspose")
@dataclass(eq=False)
class Conv1DTranspose(_Flat):
    """Transposed convolution along the time axis.

    Shapes:
        (N, T, C) -> (N, T', filters); kernel (K, filters, C).

    Source: ``keras.layers.Conv1DTranspose``.
    """

    rank: ClassVar[int] = 1


@register_layer("Convolution2DTranspose")
@dataclass(eq=False)
class Conv2DTranspose(_Flat):
    """Transposed convolution of images.

    Shapes:
        (N, H, W, C) -> (N, H', W', filters); kernel (KH, KW, filters, C).

    Source: ``keras.layers.Conv2DTranspose``.
    """

    rank: ClassVar[int] = 2


@register_layer("Convolution3DTranspose")
@dataclass(eq=False)
class Conv3DTranspose(TransposedConvolution):
    """Transposed convolution of volumes.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', filters); kernel (KD, KH, KW, filters, C).

    Source: ``keras.layers.Conv3DTranspose``.
    """

    rank: ClassVar[int] = 3

    filters: int = field(metadata=COUNT)
    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"
    data_format: str | None = None
    output_padding: Extents | None = None
    dilation_rate: Extents = 1
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
