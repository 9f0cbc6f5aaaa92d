"""The gradients of convolutions' kernels, handed to their variables; a frozen one costs nothing."""

from __future__ import annotations

from distnet.kernels import patches, taps
from distnet.kernels.windows import Windows
from distnet.layers.engine.context import BackwardContext
from distnet.types import Array
from distnet.variables import Variable


def add_dense(x: Array, dz: Array, windows: Windows, groups: int, kernel: Variable, ctx: BackwardContext) -> None:
    """Of a kernel that mixes channels.

    Shapes:
        x (N, D, H, W, C), dz (N, D', H', W', O); contiguous.
    """
    if kernel.is_trained:
        ctx.add_made(kernel, patches.kernel_gradient, x, dz, windows, groups, kernel.shape, ctx.here())


def add_depthwise(x: Array, dz: Array, windows: Windows, kernel: Variable, ctx: BackwardContext) -> None:
    """Of a kernel that treats each channel by itself."""
    if kernel.is_trained:
        ctx.add_made(kernel, taps.kernel_gradient, x, dz, windows, kernel.shape, ctx.here())
