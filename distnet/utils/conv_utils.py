"""Keras's path for the arithmetic of convolution shapes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from distnet.arguments import check_option, is_integer
from distnet.config import image_data_format
from distnet.errors import ArgumentError
from distnet.types import Array, ArrayLike

_PADDINGS = ("valid", "same", "causal", "full")


def normalize_tuple(value: int | Iterable[int], n: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """``n`` numbers, from one number or from ``n``.

    >>> normalize_tuple(3, 2, "kernel_size")
    (3, 3)

    Raises:
        ArgumentError: their number is another one, or one is not a positive integer.

    Source: ``keras.utils.conv_utils.normalize_tuple``.
    """
    numbers = (value,) * n if isinstance(value, int) else tuple(value)
    if len(numbers) != n or not all(is_integer(number) and number >= (0 if allow_zero else 1) for number in numbers):
        raise ArgumentError(f"{name}: expected {n} positive integers, received {value!r}.")
    return tuple(int(number) for number in numbers)


def normalize_padding(value: str) -> str:
    """The name of a padding in lower case.

    Raises:
        ArgumentError: there is no such padding.

    Source: ``keras.utils.conv_utils.normalize_padding``.
    """
    name = str(value).lower()
    check_option("padding", name, _PADDINGS[:3])
    return name


def normalize_data_format(value: str | None) -> str:
    """The name of a data format in lower case; None means the global one.

    Raises:
        ArgumentError: there is no such format.

    Source: ``keras.utils.conv_utils.normalize_data_format``.
    """
    name = str(value or image_data_format()).lower()
    check_option("data_format", name, ("channels_first", "channels_last"))
    return name


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The number of windows along an axis.

    >>> conv_output_length(28, 3, "valid", 2)
    13

    Source: ``keras.utils.conv_utils.conv_output_length``.
    """
    if input_length is None:
        return None
    check_option("padding", padding, _PADDINGS)
    span = filter_size + (filter_size - 1) * (dilation - 1)
    length = input_length + {"valid": 1 - span, "full": span - 1}.get(padding, 0)
    return (length + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The smallest extent of an axis that gives this many windows.

    Source: ``keras.utils.conv_utils.conv_input_length``.
    """
    if output_length is None:
        return None
    check_option("padding", padding, ("valid", "same", "full"))
    margin = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * margin + filter_size


def convert_kernel(kernel: ArrayLike) -> Array:
    """A convolution kernel (H, W, I, O) rotated by 180 degrees, as Theano's kernels differ from TensorFlow's.

    Source: ``keras.utils.conv_utils.convert_kernel``.
    """
    array = np.asarray(kernel)
    if not 3 <= array.ndim <= 5:
        raise ArgumentError(f"convert_kernel: expected a kernel of 3 to 5 axes, received shape {array.shape}.")
    return array[tuple(slice(None, None, -1) for _ in range(array.ndim - 2))].copy()
