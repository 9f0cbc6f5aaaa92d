"""Pooling over sliding windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from distnet import kernels
from distnet.kernels import window_means
from distnet.kernels.windows import Windows, as_volumes, of_rank
from distnet.layers.activation import bias_activation
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.left_work import LeftWork
from distnet.layers.engine.sliding import Extents, Sliding, extents, padding_name
from distnet.types import Array, Shape

Saved = tuple[tuple[int, ...], Windows, Array, tuple[LeftWork, Array] | None]
"""The shape of the input, the windows, what the pool keeps; what the layer before left, and what became of it."""


class WindowPool(Protocol):
    """How the entries of a window are pooled."""

    def kept(self, windows: Windows, y: Array, ctx: ForwardContext) -> Array:
        """Memory for what ``backward`` needs."""

    def forward(self, x: Array, windows: Windows, y: Array, kept: Array) -> None:
        """Overwrite ``y`` (N, D', H', W', C), and what is kept."""

    def backward(self, dy: Array, windows: Windows, kept: Array, dx: Array) -> None:
        """Overwrite ``dx`` (N, D, H, W, C)."""


class WindowMaximum:
    """The largest entry; ties go to the first. Padding never wins."""

    def kept(self, windows: Windows, y: Array, ctx: ForwardContext) -> Array:
        return ctx.workspace("winners", y.shape, np.min_scalar_type(windows.taps))

    def forward(self, x: Array, windows: Windows, y: Array, kept: Array) -> None:
        kernels.current().max_pool(x, windows, y, kept)

    def forward_left(self, x: Array, windows: Windows, y: Array, kept: Array, bias: Array | None) -> None:
        """``forward`` of the ReLU of x and the bias."""
        kernels.current().max_pool(x, windows, y, kept, bias, "relu")

    def backward(self, dy: Array, windows: Windows, kept: Array, dx: Array) -> None:
        kernels.current().max_pool_gradient(dy, kept, windows, dx)


MAXIMUM = WindowMaximum()


class WindowMean:
    """The mean of the entries inside the volume."""

    def kept(self, windows: Windows, y: Array, ctx: ForwardContext) -> Array:
        return ctx.workspace("shares", (*windows.shape, 1), y.dtype)

    def forward(self, x: Array, windows: Windows, y: Array, kept: Array) -> None:
        kept[...] = window_means.means(x, windows, y)

    def backward(self, dy: Array, windows: Windows, kept: Array, dx: Array) -> None:
        window_means.means_back(dy, windows, kept, dx)


@dataclass(eq=False)
class Pooling(Channelled):
    """One number for each window of each channel.

    Args:
        pool_size: entries of a window, one number or one for each axis.
        strides: entries from one window to the next; ``pool_size`` by default.
        padding: ``"valid"``: windows inside the input; ``"same"``: as many as ``ceil(n / stride)``; what
            lies outside the input does not count.
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
    """

    repeats: ClassVar[bool] = True
    rank: ClassVar[int]
    pool: ClassVar[WindowPool]

    pool_size: Extents = 2
    strides: Extents | None = None
    padding: str = "valid"
    data_format: str | None = None

    def validate(self) -> None:
        self.pool_size = taps = extents(self.pool_size, self.rank, f"{self.name}: pool_size")
        given = taps if self.strides is None else self.strides
        self.strides = strides = extents(given, self.rank, f"{self.name}: strides")
        self.padding = padding_name(self.padding, self.name)
        super().validate()
        self.sliding = Sliding(self.name, taps, strides, self.padding, what="pool")

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.output_extents(shape), shape[-1])

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        windows = self.sliding.windows(x.shape)
        y = ctx.workspace("y", (len(x), *windows.shape, x.shape[-1]), x.dtype)
        kept = self.pool.kept(windows, y, ctx)
        left = ctx.left
        if left is None:
            ctx.do(self.pool.forward, as_volumes(x), windows, y, kept)
        else:
            bias = None if left.bias is None else left.bias.value
            ctx.do(MAXIMUM.forward_left, as_volumes(x), windows, y, kept, bias)
        return of_rank(y, self.rank), (x.shape, windows, kept, None if left is None else (left, y))

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array:
        shape, windows, kept, of_left = saved
        if of_left is not None:
            left, y = of_left
            dy = bias_activation.backward(dy, y.reshape(dy.shape), left.bias, left.activation, ctx)
        dx = ctx.workspace("dx", (len(dy), *windows.extents, shape[-1]), dy.dtype)
        ctx.do(self.pool.backward, as_volumes(dy), windows, kept, dx)
        return dx.reshape(shape)


@register_layer("MaxPool1D")
@dataclass(eq=False)
class MaxPooling1D(Pooling):
    """The largest entry of each window along the time axis; the gradient of ties goes to the first.

    Shapes:
        (N, T, C) -> (N, T', C).

    Source: ``keras.layers.MaxPooling1D``.
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[WindowPool] = MAXIMUM
    takes_left: ClassVar[bool] = True


@register_layer("MaxPool2D")
@dataclass(eq=False)
class MaxPooling2D(Pooling):
    """The largest entry of each window of an image; the gradient of ties goes to the first.

    Shapes:
        (N, H, W, C) -> (N, H', W', C).

    Source: ``keras.layers.MaxPooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[WindowPool] = MAXIMUM
    takes_left: ClassVar[bool] = True


@register_layer("MaxPool3D")
@dataclass(eq=False)
class MaxPooling3D(Pooling):
    """The largest entry of each window of a volume; the gradient of ties goes to the first.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', C).

    Source: ``keras.layers.MaxPooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[WindowPool] = MAXIMUM
    takes_left: ClassVar[bool] = True


@register_layer("AvgPool1D")
@dataclass(eq=False)
class AveragePooling1D(Pooling):
    """The mean of each window along the time axis.

    Shapes:
        (N, T, C) -> (N, T', C).

    Source: ``keras.layers.AveragePooling1D``.
    """

    rank: ClassVar[int] = 1
    pool: ClassVar[WindowPool] = WindowMean()


@register_layer("AvgPool2D")
@dataclass(eq=False)
class AveragePooling2D(Pooling):
    """The mean of each window of an image.

    Shapes:
        (N, H, W, C) -> (N, H', W', C).

    Source: ``keras.layers.AveragePooling2D``.
    """

    rank: ClassVar[int] = 2
    pool: ClassVar[WindowPool] = WindowMean()


@register_layer("AvgPool3D")
@dataclass(eq=False)
class AveragePooling3D(Pooling):
    """The mean of each window of a volume.

    Shapes:
        (N, D, H, W, C) -> (N, D', H', W', C).

    Source: ``keras.layers.AveragePooling3D``.
    """

    rank: ClassVar[int] = 3
    pool: ClassVar[WindowPool] = WindowMean()


AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
"""Keras's other names."""
