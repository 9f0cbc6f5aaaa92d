"""Convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.arguments import whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels import patches
from distnet.kernels.windows import Windows
from distnet.layers.convolutional import kernel_gradients
from distnet.layers.convolutional.base import Convolving, Dilated, Filters
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import KernelAndBias
from distnet.types import Array


@dataclass(eq=False)
class _Grouped:
    groups: int = whole_number(1, 1)


@dataclass(eq=False)
class Convolution(KernelAndBias, _Grouped, Dilated, Filters, Convolving):
    """Cross-correlation with ``filters`` kernels: ``y = f(patches(x) W + b)``.

    Args:
        groups: parts of equal size into which channels and filters are split; each filter sees its part alone.
    """

    def validate(self) -> None:
        super().validate()
        if self.filters % self.groups:
            raise ArgumentError(
                f"{self.name}: expected filters to be a multiple of groups, received {self.filters} and {self.groups}."
            )

    def build_kernels(self, channels: int, ctx: BuildContext) -> None:
        if channels % self.groups:
            raise ShapeError(
                f"{self.name}: expected input channels in a multiple of groups={self.groups}, received {channels}."
            )
        self.kernel = ctx.weight(self, "kernel", (*self.sliding.taps, channels // self.groups, self.filters))

    def convolve(self, x: Array, ctx: ForwardContext) -> tuple[Array, Windows]:
        windows = self.windows(x)
        z = ctx.workspace("z", (len(x), *windows.shape, self.filters), x.dtype)
        ctx.do(patches.convolve, x, self.kernel.value, windows, self.groups, z, ctx.here())
        return z, windows

    def convolve_back(self, x: Array, dz: Array, kept: Windows, ctx: BackwardContext) -> Array | None:
        kernel_gradients.add_dense(x, dz, kept, self.groups, self.kernel, ctx)
        if not ctx.needs_input_gradient:
            return None
        dx = ctx.workspace("dx", x.shape, x.dtype)
        ctx.do(patches.convolve_back, dz, self.kernel.value, kept, self.groups, dx, ctx.here())
        return dx


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
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal")


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
