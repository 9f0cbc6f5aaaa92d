"""Keras 2's convolutions, pooling, padding and resizing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from distnet import config, ops
from distnet.errors import ArgumentError

Many = int | Sequence[int]


def conv1d(
    x: Any, kernel: Any, strides: int = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: int = 1,
) -> Any:  # fmt: skip
    """A convolution over time; ``"causal"`` padding too."""
    if padding == "causal":
        left = dilation_rate * (kernel.shape[0] - 1)
        x, padding = temporal_padding(x, (left, 0), data_format), "valid"
    return _conv(ops.conv, x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: Any, kernel: Any, strides: Many = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Many = (1, 1),
) -> Any:  # fmt: skip
    """A convolution over images."""
    return _conv(ops.conv, x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: Any, kernel: Any, strides: Many = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Many = (1, 1, 1),
) -> Any:  # fmt: skip
    """A convolution over volumes."""
    return _conv(ops.conv, x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Sequence[int], strides: Many = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Many = (1, 1),
) -> Any:  # fmt: skip
    """The gradient of a convolution over images.

    Args:
        output_shape: of the result, with the batch; it decides among the shapes from which the convolution gives x.
    """
    return _transposed(x, kernel, output_shape, strides, padding, data_format, dilation_rate)


def conv3d_transpose(
    x: Any, kernel: Any, output_shape: Sequence[int], strides: Many = (1, 1, 1), padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """The gradient of a convolution over volumes."""
    return _transposed(x, kernel, output_shape, strides, padding, data_format, (1, 1, 1))


def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Many = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Many = (1, 1),
) -> Any:  # fmt: skip
    """A convolution of each channel by itself."""
    return _conv(ops.depthwise_conv, x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv1d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: int = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: int = 1,
) -> Any:  # fmt: skip
    """A convolution of each channel over time, and one of the channels at each place."""
    return _separable(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Many = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Many = (1, 1),
) -> Any:  # fmt: skip
    """A convolution of each channel over images, and one of the channels at each place."""
    return _separable(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Sequence[int], strides: Sequence[int], data_format: str | None = None
) -> Any:
    """A convolution over time with a kernel for each place.

    Shapes:
        kernel (places, kernel_size * C, filters).
    """
    return _local(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


def local_conv2d(
    inputs: Any, kernel: Any, kernel_size: Sequence[int], strides: Sequence[int], output_shape: Sequence[int],
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """A convolution over images with a kernel for each place.

    Args:
        output_shape: height and width of the result.
    """
    return _local(inputs, kernel, kernel_size, strides, tuple(output_shape), data_format)


def pool2d(
    x: Any, pool_size: Many, strides: Many = (1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """The largest, or the mean (``"avg"``), of each window of images."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any, pool_size: Many, strides: Many = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """The largest, or the mean (``"avg"``), of each window of volumes."""
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def temporal_padding(x: Any, padding: Sequence[int] = (1, 1), data_format: str | None = None) -> Any:
    """Zeros before and after the time steps."""
    return _padded(x, (padding,), data_format)


def spatial_2d_padding(
    x: Any, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around images."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(
    x: Any, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Zeros around volumes."""
    return _padded(x, padding, data_format)


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str | None = None, interpolation: str = "nearest"
) -> Any:
    """Images larger by whole factors."""
    if interpolation == "nearest":
        return _repeated(x, (height_factor, width_factor), data_format)
    first = _first_axis(data_format)
    size = x.shape[first] * height_factor, x.shape[first + 1] * width_factor
    return ops.image.resize(x, size, interpolation=interpolation, data_format=data_format)


def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None = None
) -> Any:
    """Volumes larger by whole factors."""
    return _repeated(x, (depth_factor, height_factor, width_factor), data_format)


def _first_axis(data_format: str | None) -> int:
    """The first axis that is neither batch nor channels."""
    return 2 if (data_format or config.image_data_format()) == "channels_first" else 1


def _conv(
    function: Any, x: Any, kernel: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Any:
    options = {"padding": padding, "data_format": data_format, "dilation_rate": _plain(dilation_rate)}
    return function(x, kernel, strides=_plain(strides), **options)


def _separable(
    x: Any, depthwise: Any, pointwise: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Any:
    options = {"padding": padding, "data_format": data_format, "dilation_rate": _plain(dilation_rate)}
    return ops.separable_conv(x, depthwise, pointwise, strides=_plain(strides), **options)


def _transposed(
    x: Any, kernel: Any, output_shape: Sequence[int], strides: Any, padding: str, data_format: str | None,
    dilation_rate: Any,
) -> Any:  # fmt: skip
    rank, first = len(x.shape) - 2, _first_axis(data_format)
    steps, gaps = ((n,) * rank if isinstance(n, int) else tuple(n) for n in (strides, dilation_rate))
    rest = []
    for i, step in enumerate(steps):
        reach = (kernel.shape[i] - 1) * gaps[i] + 1
        least = (x.shape[first + i] - 1) * step + reach - (2 * (reach // 2) if padding == "same" else 0)
        rest.append(output_shape[first + i] - least)
    options = {"padding": padding, "data_format": data_format, "dilation_rate": gaps}
    return ops.conv_transpose(x, kernel, strides=steps, output_padding=tuple(rest), **options)


def _local(
    x: Any, kernel: Any, kernel_size: Sequence[int], strides: Sequence[int], places: tuple[int, ...],
    data_format: str | None,
) -> Any:  # fmt: skip
    first = _first_axis(data_format)
    windows = []
    for place in product(*map(range, places)):
        spans = [slice(i * s, i * s + k) for i, s, k in zip(place, strides, kernel_size, strict=True)]
        window = ops.get_item(x, (*[slice(None)] * first, *spans))
        windows.append(ops.reshape(window, (-1, kernel.shape[1])))
    y = ops.einsum("npi,pif->npf", ops.stack(windows, axis=1), kernel)
    y = ops.reshape(y, (-1, *places, kernel.shape[-1]))
    return y if first == 1 else ops.moveaxis(y, -1, 1)


def _pool(x: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None, pool_mode: str) -> Any:
    if pool_mode not in ("max", "avg"):
        raise ArgumentError(f"pool_mode: expected 'max' or 'avg', received {pool_mode!r}.")
    function = ops.max_pool if pool_mode == "max" else ops.average_pool
    return function(x, _plain(pool_size), strides=_plain(strides), padding=padding, data_format=data_format)


def _padded(x: Any, padding: Sequence[Sequence[int]], data_format: str | None) -> Any:
    sides = [tuple(side) for side in padding]
    first = _first_axis(data_format)
    return ops.pad(x, [(0, 0)] * first + sides + [(0, 0)] * (2 - first))


def _repeated(x: Any, factors: Sequence[int], data_format: str | None) -> Any:
    for axis, factor in enumerate(factors, _first_axis(data_format)):
        x = ops.repeat(x, factor, axis=axis)
    return x


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else tuple(value)
