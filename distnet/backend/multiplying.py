"""Keras 2's products of tensors."""

from __future__ import annotations

import string
from typing import Any

from distnet import ops
from distnet.errors import ArgumentError


def dot(x: Any, y: Any) -> Any:
    """The product over the last axis of ``x`` and the last but one of ``y``."""
    return ops.dot(x, y)


def batch_dot(x: Any, y: Any, axes: int | tuple[int, int] | list[int] | None = None) -> Any:
    """For each row of the batch the product over one axis of each.

    Args:
        axes: one number, or one for each; by default the last of ``x`` and the last but one of ``y``, of a matrix the
            last.

    Shapes:
        (N, ...), (N, ...) -> (N, axes of x, axes of y), each without the one summed over; (N, 1) if none is left.

    Raises:
        ArgumentError: a tensor of less than two axes, or the batch axis among the axes.

    Source: ``keras.backend.batch_dot`` of Keras 2.3.
    """
    x_ndim, y_ndim = len(x.shape), len(y.shape)
    if axes is None:
        axes = (x_ndim - 1, y_ndim - 1 if y_ndim == 2 else y_ndim - 2)
    first, second = (axes, axes) if isinstance(axes, int) else axes
    first, second = first + x_ndim * (first < 0), second + y_ndim * (second < 0)
    if min(x_ndim, y_ndim) < 2 or first == 0 or second == 0:
        raise ArgumentError(
            f"batch_dot: expected tensors of two axes or more, and none of the batch, the first one, among the axes; "
            f"received {x.shape}, {y.shape} and {axes}."
        )
    batch, summed, rest = "a", "b", string.ascii_letters[2:]
    of_x = [batch, *rest[: x_ndim - 2]]
    of_y = [batch, *rest[x_ndim - 2 : x_ndim + y_ndim - 4]]
    made = "".join([*of_x, *of_y[1:]])
    of_x.insert(first, summed)
    of_y.insert(second, summed)
    y = ops.einsum(f"{''.join(of_x)},{''.join(of_y)}->{made}", x, y)
    return ops.expand_dims(y, -1) if len(made) == 1 else y


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """``x + bias``, a number for each channel, or as many axes as a row has.

    Args:
        data_format: ``"channels_first"`` or ``"channels_last"``, the default.
    """
    rank = len(x.shape)
    if data_format != "channels_first" or rank < 3:
        return ops.add(x, bias)
    if len(bias.shape) == 1:
        return ops.add(x, ops.reshape(bias, (1, bias.shape[0], *[1] * (rank - 2))))
    return ops.add(x, ops.transpose(bias, (rank - 2, *range(rank - 2))))
