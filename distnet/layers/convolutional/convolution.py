"""Convolutions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import COUNT, whole_number
from distnet.constraints import CONSTRAINTS, Constraint
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer
from distnet.kernels.windows import Windows
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.convolutional import patches
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.sliding import Extents, Sliding, as_volumes, extents, input_channels, of_rank, padding_name
from distnet.registry import Resolved
from distnet.regularizers import REGULARIZERS, Regularizer
from distnet.types import Array, Shape
from distnet.variables import Variable

Saved = tuple[Array, Kept, Windows]


@dataclass(eq=False)
class Convolution(Activated, Channelled):
    """Cross-correlation with ``filters`` kernels: ``y = f(patches(x) W + b)``.

    Args:
        filters: channels of the output.
        kernel_size: entries of a kernel, one number or one for each axis.
        strides: entries from one window to the next.
        padding: ``"valid"``: windows inside the input; ``"same"``: as many as ``ceil(n / stride)``, zeros
            around, the smaller half in front.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
        dilation_rate: entries from one tap of a kernel to the next.
        groups: parts of equal size into which channels and filters are split; each filter sees its part alone.
        activation: name or object; linear by default.
    """

    leaves_logits: ClassVar[bool] = True
    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ()

    filters: int = field(metadata=COUNT)
    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: Extents = 1
    groups: int = whole_number(1, 1)
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    use_bias: bool = True
    kernel_initializer: Resolved[Initializer] = INITIALIZERS.field("glorot_uniform")
    bias_initializer: Resolved[Initializer] = INITIALIZERS.field("zeros")
    kernel_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    bias_regularizer: Resolved[Regularizer | None] = REGULARIZERS.optional_field()
    kernel_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()
    bias_constraint: Resolved[Constraint | None] = CONSTRAINTS.optional_field()

    def validate(self) -> None:
        if self.filters % self.groups:
            raise ArgumentError(
                f"{self.name}: expected filters to be a multiple of groups, received {self.filters} and {self.groups}."
            )
        self.kernel_size = taps = extents(self.kernel_size, self.rank, f"{self.name}: kernel_size")
        self.strides = strides = extents(self.strides, self.rank, f"{self.name}: strides")
        self.dilation_rate = dilation = extents(self.dilation_rate, self.rank, f"{self.name}: dilation_rate")
        self.padding = padding_name(self.padding, self.name, *self.paddings)
        super().validate()
        self.sliding = Sliding(self.name, taps, strides, self.padding, dilation)

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        self.shape_last(shape)
        channels = input_channels(self.name, shape)
        if channels % self.groups:
            raise ShapeError(
                f"{self.name}: expected input channels in a multiple of groups={self.groups}, received {shape}."
            )
        self.kernel = ctx.weight(self, "kernel", (*self.sliding.taps, channels // self.groups, self.filters))
        self.bias: Variable | None = ctx.weight(self, "bias", (self.filters,)) if self.use_bias else None

    def check_shape(self, shape: Shape) -> None:
        if self.moved_last(shape)[-1] != self.moved_last(self.built_shape)[-1]:
            super().check_shape(shape)

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.output_extents(shape), self.filters)

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows, volumes = self.sliding.windows(x.shape), as_volumes(x)
        z = ctx.workspace("z", (len(x), *windows.shape, self.filters), x.dtype)
        patches.convolve(volumes, self.kernel.value, windows, self.groups, z, ctx)
        z = of_rank(z, self.rank)
        y, kept = bias_activation.forward(z, self.bias, self.activation, ctx, self.is_channels_first)
        return y, (x, kept, windows)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, kept, windows = saved
        volumes = as_volumes(x)
        dz = as_volumes(bias_activation.backward(dy, kept, self.activation, ctx, self.is_channels_first))
        patches.add_kernel_gradient(volumes, dz, windows, self.groups, self.kernel, ctx)
        ctx.add_sum(self.bias, dz.reshape(-1, self.filters), axis=0)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", volumes.shape, x.dtype)
        return patches.convolve_back(dz, self.kernel.value, windows, self.groups, dx, ctx).reshape(x.shape)


@register_layer("Convolution1D")
@dataclass(eq=False)
class Conv1D(Convolution):
    """Convolution along the time axis.

    Shapes:
        (N, T, C) -> (N, T', filters); kernel (K, C / groups, filters).

    Args:
        padding: also ``"causal"``: zeros in front alone, so that no output depends on later inputs.

    Source: ``keras.layers.Conv1D``.
    """

    rank: ClassVar[int] = 1
    paddings: ClassVar[tuple[str, ...]] = ("causal",)


@register_layer("Convolution2D")
@dataclass(eq=False)
class Conv2D(Convolution):
    """Convolution of images.

    Shapes:
        (N, H, W, C) -> (N, H', W', filters); kernel (KH, KW, C / groups, filters).

    Source: ``keras.layers.Conv2D``.
    """

    rank: ClassVar[int] = 2


@register_layer("Convolution3D")
@dataclass(eq=False)
class Conv3D(Convolution):
    """Convolution of volumes.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', filters); kernel (KD, KH, KW, C / groups, filters).

    Source: ``keras.layers.Conv3D``.
    """

    rank: ClassVar[int] = 3
