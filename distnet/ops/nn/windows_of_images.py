"""Blocks of images as channels, and windows of images as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.operators import PRIMITIVES


def pair(value: Any) -> tuple[int, int]:
    """A number for rows and columns."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _window_places(extents: Any, kernel: Any, stride: Any, dilation: Any) -> list[Any]:
    """The rows and the columns of each window's pixels, as the key (kernel rows, kernel columns, rows, columns)."""
    each = []
    for axis, (extent, size, step, apart) in enumerate(zip(extents, kernel, stride, dilation, strict=True)):
        count = (extent - apart * (size - 1) - 1) // step + 1
        places = np.arange(size)[:, None] * apart + np.arange(count) * step
        each.append(places[:, None, :, None] if axis == 0 else places[None, :, None, :])
    return each


@composition(module="nn")
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of images, as columns.

    Shapes:
        (N, C, H, W) -> (N, C * kernel rows * kernel columns, windows).

    Source: ``keras.ops.unfold``.
    """
    rows, columns = pair(padding)
    kernel = pair(kernel_size)
    padded = PRIMITIVES["Pad"](x, [(0, 0), (0, 0), (rows, rows), (columns, columns)])
    batch, channels = padded.shape[:2]
    places = _window_places(padded.shape[2:], kernel, pair(stride), pair(dilation))
    windows = PRIMITIVES["GetItem"](padded, (slice(None), slice(None), *places))
    count = int(np.prod(windows.shape[4:]))
    return PRIMITIVES["Reshape"](windows, (batch, channels * kernel[0] * kernel[1], count))


@composition(module="nn")
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The sum of windows of images, each in its place: what ``unfold`` took apart.

    Shapes:
        (N, C * kernel rows * kernel columns, windows) -> (N, C, *output_size).

    Source: ``keras.ops.fold``.
    """
    size, kernel, (rows, columns) = pair(output_size), pair(kernel_size), pair(padding)
    given = PRIMITIVES["ConvertToTensor"](x)
    batch, channels = given.shape[0], given.shape[1] // (kernel[0] * kernel[1])
    extents = size[0] + 2 * rows, size[1] + 2 * columns
    places = _window_places(extents, kernel, pair(stride), pair(dilation))
    counts = places[0].shape[2], places[1].shape[3]
    windows = PRIMITIVES["Reshape"](given, (batch, channels, *kernel, *counts))
    padded = PRIMITIVES["PutItem"](windows, (batch, channels, *extents), (slice(None), slice(None), *places))
    return padded[:, :, rows : rows + size[0], columns : columns + size[1]]


@composition(module="nn")
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels as blocks of pixels.

    Shapes:
        (N, H, W, C) -> (N, H * block_size, W * block_size, C / block_size^2).

    Source: ``keras.ops.depth_to_space``.
    """
    if data_format == "channels_last":
        batch, height, width, channels = x.shape
        split = PRIMITIVES["Reshape"](x, (batch, height, width, block_size, block_size, channels // block_size**2))
        moved = PRIMITIVES["Transpose"](split, (0, 1, 3, 2, 4, 5))
        return PRIMITIVES["Reshape"](moved, (batch, height * block_size, width * block_size, channels // block_size**2))
    batch, channels, height, width = x.shape
    split = PRIMITIVES["Reshape"](x, (batch, channels // block_size**2, block_size, block_size, height, width))
    moved = PRIMITIVES["Transpose"](split, (0, 1, 4, 2, 5, 3))
    return PRIMITIVES["Reshape"](moved, (batch, channels // block_size**2, height * block_size, width * block_size))


@composition(module="nn")
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels as channels.

    Shapes:
        (N, H, W, C) -> (N, H / block_size, W / block_size, C * block_size^2).

    Source: ``keras.ops.space_to_depth``.
    """
    if data_format == "channels_last":
        batch, height, width, channels = x.shape
        size = height // block_size, width // block_size
        split = PRIMITIVES["Reshape"](x, (batch, size[0], block_size, size[1], block_size, channels))
        moved = PRIMITIVES["Transpose"](split, (0, 1, 3, 2, 4, 5))
        return PRIMITIVES["Reshape"](moved, (batch, *size, channels * block_size**2))
    batch, channels, height, width = x.shape
    size = height // block_size, width // block_size
    split = PRIMITIVES["Reshape"](x, (batch, channels, size[0], block_size, size[1], block_size))
    moved = PRIMITIVES["Transpose"](split, (0, 1, 3, 5, 2, 4))
    return PRIMITIVES["Reshape"](moved, (batch, channels * block_size**2, *size))


@composition(2, module="nn")
def polar(abs_: Any, angle: Any) -> Any:
    """Complex numbers of these absolute values and angles; they have no gradients.

    Source: ``keras.ops.polar``.
    """
    real, imaginary = abs_ * PRIMITIVES["Cos"](angle), abs_ * PRIMITIVES["Sin"](angle)
    return PRIMITIVES["ViewAsComplex"](PRIMITIVES["Stack"]([real, imaginary], axis=-1))
