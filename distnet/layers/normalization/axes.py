"""The axes that a normalization works along: checked, counted from the front, moved last and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array, Shape


def checked_axes(axis: object, where: str) -> int | list[int]:
    """``axis`` as an int or a list of ints, in Keras 3's order: first those counted from the front.

    Keras 2 makes weights with extents in the order of the list.

    Raises:
        ArgumentError: it is neither.
    """
    if is_integer(axis):
        return int(cast(int, axis))
    axes = list(axis) if isinstance(axis, list | tuple) else []
    if not axes or not all(map(is_integer, axes)):
        raise ArgumentError(f"{where}: axis: expected an integer or a list of integers, received {axis!r}.")
    return sorted(axes, key=lambda one: (one < 0, one))


def positive_axes(axis: int | Sequence[int], shape: Shape, where: str) -> list[int]:
    """The axes counted from the front, each once, in order.

    Raises:
        ShapeError: inputs of ``shape`` do not have one of them, or one is the batch axis.
    """
    axes = set()
    for one in [axis] if isinstance(axis, int) else axis:
        counted = one + len(shape) if one < 0 else one
        if not 0 < counted < len(shape):
            raise ShapeError(
                f"{where}: axis: expected an axis of the input {shape} other than the batch axis, received {one}."
            )
        axes.add(counted)
    return sorted(axes)


def known_extents(axes: Sequence[int], shape: Shape, where: str) -> tuple[int, ...]:
    """Extents of ``shape`` along ``axes``.

    Raises:
        ShapeError: an extent is known only at run time.
    """
    extents = tuple(shape[axis] for axis in axes)
    if None in extents:
        raise ShapeError(
            f"{where}: expected an input whose extents along the axes {list(axes)} are known, received {shape}. "
            "Give them in input_shape."
        )
    return tuple(int(extent or 0) for extent in extents)


def moved_last(x: Array, axes: Sequence[int], ctx: ForwardContext | BackwardContext, name: str) -> Array:
    """``x`` with ``axes`` last, contiguous."""
    moved = x.transpose(_order(axes, x.ndim))
    if moved.flags.c_contiguous:
        return moved
    copy = ctx.workspace(f"{name} moved", moved.shape, x.dtype)
    ctx.do(np.copyto, copy, moved)
    return copy


def moved_back(
    y: Array, axes: Sequence[int], shape: tuple[int, ...], ctx: ForwardContext | BackwardContext, name: str
) -> Array:
    """The inverse of ``moved_last`` for an array of ``shape``; contiguous."""
    order = _order(axes, len(shape))
    if order == sorted(order):
        return y.reshape(shape)
    restored = ctx.workspace(f"{name} restored", shape, y.dtype)
    ctx.do(np.copyto, restored.transpose(order), y.reshape(np.take(shape, order)))
    return restored


def _order(axes: Sequence[int], ndim: int) -> list[int]:
    return [axis for axis in range(ndim) if axis not in axes] + list(axes)
