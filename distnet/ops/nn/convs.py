"""Convolutions of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet import config
from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.windows import Windows, slide, spread
from distnet.ops.compositions import composition
from distnet.ops.dtypes import floating, promoted
from distnet.ops.nn.window_products import Products, kernel_products, window_products, window_products_back
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.types import Array, ArrayLike


def _by_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows of the input, with kernels that all ranks have."""
    return None if any(map(is_spread, operands[1:])) else rowwise(function, operands, options)


def numbers_for(where: str, value: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis.

    Raises:
        ArgumentError: it is neither a number nor so many.
    """
    each = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * rank
    if len(each) != rank or not all(is_integer(n) and n >= 0 for n in each):
        raise ArgumentError(f"ops.{where}: expected an integer or {rank} of these, received {value!r}.")
    return tuple(int(n) for n in each)


def padding_of(where: str, padding: Any) -> str:
    """``"valid"`` or ``"same"``.

    Raises:
        ArgumentError: another value.
    """
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("valid", "same"):
        raise ArgumentError(f'ops.{where}: expected padding "valid" or "same", received {padding!r}.')
    return str(name)


def has_channels_first(where: str, data_format: Any) -> bool:
    """Whether the channels are the second axis; the format is the configured one if none is given.

    Raises:
        ArgumentError: it is neither of Keras's.
    """
    data_format = data_format or config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f'ops.{where}: expected data_format "channels_last" or "channels_first", received {data_format!r}.'
        )
    return bool(data_format == "channels_first")


def _products(
    where: str, x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any,
    is_depthwise: bool = False,
) -> Products:  # fmt: skip
    rank, is_first = len(x.shape) - 2, has_channels_first(where, data_format)
    if rank not in (1, 2, 3) or len(kernel.shape) != rank + 2:
        raise ShapeError(
            f"ops.{where}: expected an input with one to three axes between rows and channels, and a kernel with as "
            f"many axes, received the shapes {x.shape} and {kernel.shape}."
        )
    channels, extents = _channels_and_extents(x.shape, is_first)
    if channels % kernel.shape[-2] or (is_depthwise and channels != kernel.shape[-2]):
        raise ShapeError(
            f"ops.{where}: expected input channels that the kernel's shape {kernel.shape} fits, received {channels}."
        )
    name = padding_of(where, padding)
    steps, dilation = numbers_for(where, strides, rank), numbers_for(where, dilation_rate, rank)
    axes = [slide(*each, name) for each in zip(extents, kernel.shape[:-2], steps, dilation, strict=True)]
    if not all(axis.windows for axis in axes):
        raise ShapeError(
            f"ops.{where}: kernel {tuple(kernel.shape[:-2])} exceeds the input {extents}. "
            'Use padding="same" or a smaller kernel.'
        )
    return Products(Windows.over(*axes), channels, tuple(kernel.shape), is_depthwise, is_first)


def _channels_and_extents(shape: tuple[int, ...], is_first: bool) -> tuple[int, tuple[int, ...]]:
    return (shape[1], tuple(shape[2:])) if is_first else (shape[-1], tuple(shape[1:-1]))


def _pair(x: Any, kernel: Any) -> tuple[Array, Array]:
    x, kernel = promoted(floating(x), floating(kernel))
    return x, kernel


@primitive(2, module="nn", spread=_by_first)
def conv(
    inputs: ArrayLike, kernel: ArrayLike, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Array:  # fmt: skip
    """Convolution along one, two or three axes.

    Shapes:
        inputs (N, ..., C), kernel (..., C / groups, O) -> (N, ..., O).

    Source: ``keras.ops.conv``.
    """
    x, k = _pair(inputs, kernel)
    products = _products("conv", x, k, strides, padding, data_format, dilation_rate)
    return np.asarray(window_products.value(x, k, products))


@primitive(2, module="nn", spread=_by_first)
def depthwise_conv(
    inputs: ArrayLike, kernel: ArrayLike, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Array:  # fmt: skip
    """Convolution of each channel with kernels of its own.

    Shapes:
        inputs (N, ..., C), kernel (..., C, M) -> (N, ..., C * M).

    Source: ``keras.ops.depthwise_conv``.
    """
    x, k = _pair(inputs, kernel)
    products = _products("depthwise_conv", x, k, strides, padding, data_format, dilation_rate, is_depthwise=True)
    return np.asarray(window_products.value(x, k, products))


def _gradients(where: str, is_depthwise: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def of_input(dy: Any, y: Any, x: Any, kernel: Any, **options: Any) -> Any:
        return window_products_back(
            dy, kernel, products=_products(where, x, kernel, **options, is_depthwise=is_depthwise)
        )

    def of_kernel(dy: Any, y: Any, x: Any, kernel: Any, **options: Any) -> Any:
        products = _products(where, x, kernel, **options, is_depthwise=is_depthwise)
        return kernel_products(x, dy, products=products)

    return of_input, of_kernel


conv.has_gradients(*_gradients("conv", False))
depthwise_conv.has_gradients(*_gradients("depthwise_conv", True))


@composition(3, module="nn")
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution of each channel by itself, then products over the channels.

    Shapes:
        inputs (N, ..., C), depthwise_kernel (..., C, M), pointwise_kernel (1, ..., C * M, O) -> (N, ..., O).

    Source: ``keras.ops.separable_conv``.
    """
    between = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(between, pointwise_kernel, 1, "valid", data_format, dilation_rate)


def _transposed(
    x: Any, kernel: Any, strides: Any, padding: Any, output_padding: Any, data_format: Any, dilation_rate: Any
) -> Products:
    """How the kernel meets the windows of the output of a transposed convolution."""
    where, rank, is_first = "conv_transpose", len(x.shape) - 2, has_channels_first("conv_transpose", data_format)
    if rank not in (1, 2, 3) or len(kernel.shape) != rank + 2:
        raise ShapeError(
            f"ops.{where}: expected an input with one to three axes between rows and channels, and a kernel with as "
            f"many axes, received the shapes {x.shape} and {kernel.shape}."
        )
    channels, extents = _channels_and_extents(x.shape, is_first)
    if channels != kernel.shape[-1]:
        raise ShapeError(f"ops.{where}: expected {kernel.shape[-1]} input channels, received {channels}.")
    name = padding_of(where, padding)
    steps, dilation = numbers_for(where, strides, rank), numbers_for(where, dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else numbers_for(where, output_padding, rank)
    axes = [
        spread(extent, taps, step, apart, name, more)
        for extent, taps, step, apart, more in zip(extents, kernel.shape[:-2], steps, dilation, extra, strict=True)
    ]
    return Products(Windows.over(*axes), kernel.shape[-2], tuple(kernel.shape), False, is_first)


@primitive(2, module="nn", spread=_by_first)
def conv_transpose(
    inputs: ArrayLike, kernel: ArrayLike, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str | None = None, dilation_rate: Any = 1,
) -> Array:  # fmt: skip
    """Transposed convolution: each entry spreads over a window of the output.

    Shapes:
        inputs (N, ..., C), kernel (..., O, C) -> (N, ..., O).

    Source: ``keras.ops.conv_transpose``.
    """
    x, k = _pair(inputs, kernel)
    products = _transposed(x, k, strides, padding, output_padding, data_format, dilation_rate)
    return np.asarray(window_products_back.value(x, k, products))


conv_transpose.has_gradients(
    lambda dy, y, x, kernel, **options: window_products(dy, kernel, products=_transposed(x, kernel, **options)),
    lambda dy, y, x, kernel, **options: kernel_products(dy, x, products=_transposed(x, kernel, **options)),
)
