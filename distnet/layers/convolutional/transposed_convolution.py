"""Transposed convolutions: the gradient of a convolution by its input, as a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.errors import ArgumentError
from distnet.kernels import patches
from distnet.kernels.windows import Windows, of_rank
from distnet.layers.convolutional import kernel_gradients
from distnet.layers.convolutional.base import Convolving, Dilated, Filters
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import KernelAndBias
from distnet.layers.engine.sliding import Extents, extents
from distnet.types import Array, Shape


class TransposedConvolution(Convolving):
    """Each entry spreads over a window of the output: ``y = f(patches^T(x W^T) + b)``.

    Args:
        strides: entries of the output from one window to the next.
        padding: ``"valid"`` or ``"same"``: the output has ``n * stride`` entries.
        output_padding: entries that the output has beyond the fewest possible; less than the stride.
    """

    of_others: ClassVar[tuple[str, ...]] = ("groups",)

    output_padding: Extents | None

    def validate(self) -> None:
        super().validate()
        self.extra: tuple[int, ...] | None = None
        if self.output_padding is not None:
            self.extra = extents(self.output_padding, self.rank, f"{self.name}: output_padding", least=0)
            strides = self.sliding.strides
            if any(more >= stride for more, stride in zip(self.extra, strides, strict=True)):
                raise ArgumentError(
                    f"{self.name}: expected output_padding below strides {strides}, received {self.extra}."
                )
        self.output_padding = self.extra

    def build_kernels(self, channels: int, ctx: BuildContext) -> None:
        self.kernel = ctx.weight(self, "kernel", (*self.sliding.taps, self.filters, channels))

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.spread_extents(shape, self.extra), self.filters)

    def convolve(self, x: Array, ctx: ForwardContext) -> tuple[Array, Windows]:
        windows = self.sliding.spread(of_rank(x, self.rank).shape, self.extra)
        z = ctx.workspace("z", (len(x), *windows.extents, self.filters), x.dtype)
        ctx.do(patches.convolve_back, x, self.kernel.value, windows, 1, z, ctx.here())
        return z, windows

    def convolve_back(self, x: Array, dz: Array, kept: Windows, ctx: BackwardContext) -> Array | None:
        kernel_gradients.add_dense(dz, x, kept, 1, self.kernel, ctx)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", x.shape, x.dtype)
        ctx.do(patches.convolve, dz, self.kernel.value, kept, 1, dx, ctx.here())
        return dx


@dataclass(eq=False)
class _OutputPadding:
    output_padding: Extents | None = None


@dataclass(eq=False)
class _OfVolumes:
    """Keras has another order for volumes."""

    data_format: str | None = None
    output_padding: Extents | None = None
    dilation_rate: Extents = 1


@register_layer("Convolution1DTranspose")
@dataclass(eq=False)
class Conv1DTranspose(KernelAndBias, Dilated, _OutputPadding, Filters, TransposedConvolution):
    """Transposed convolution along the time axis.

    Shapes:
        (N, T, C) -> (N, T', filters); kernel (K, filters, C).

    Source: ``keras.layers.Conv1DTranspose``.
    """

    rank: ClassVar[int] = 1


@register_layer("Convolution2DTranspose")
@dataclass(eq=False)
class Conv2DTranspose(KernelAndBias, Dilated, _OutputPadding, Filters, TransposedConvolution):
    """Transposed convolution of images.

    Shapes:
        (N, H, W, C) -> (N, H', W', filters); kernel (KH, KW, filters, C).

    Source: ``keras.layers.Conv2DTranspose``.
    """

    rank: ClassVar[int] = 2


@register_layer("Convolution3DTranspose")
@dataclass(eq=False)
class Conv3DTranspose(KernelAndBias, _OfVolumes, Filters, TransposedConvolution):
    """Transposed convolution of volumes.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', filters); kernel (KD, KH, KW, filters, C).

    Source: ``keras.layers.Conv3DTranspose``.
    """

    rank: ClassVar[int] = 3


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
"""Keras's other names."""
