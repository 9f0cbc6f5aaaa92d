"""Functions that keep entries in their order, or change the order of axes: shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import by_rows, rows_of, rowwise
from distnet.types import Array, ArrayLike


def _keeping_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Shapes that begin with the batch: each rank's begins with its rows."""
    (x,), (name, shape) = operands, next(iter(options.items()))
    rows, given = rows_of(operands), tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    rest = int(np.prod([n for n in given[1:] if n != -1])) if -1 not in given[1:] else None
    first = given[0] if given else None
    if first == -1 and rest is not None:
        first = x.size // rest if rest else None
    if first != rows.total:
        return None
    inner = list(given[1:])
    if -1 in inner:
        known = int(np.prod([n for n in inner if n != -1]))
        inner[inner.index(-1)] = int(np.prod(x.shape[1:])) // max(known, 1)
    return by_rows(function, operands, {name: (rows.count, *inner)}, rows)


@primitive(spread=_keeping_first)
def reshape(x: ArrayLike, newshape: Any) -> Array:
    """The entries in another shape; one extent may be -1.

    Source: ``keras.ops.reshape``.
    """
    return np.reshape(converted(x), newshape)


reshape.has_gradients(lambda dy, y, x, newshape: dy.reshape(x.shape))


@primitive()
def ravel(x: ArrayLike) -> Array:
    """The entries along one axis."""
    return converted(x).reshape(-1)


ravel.has_gradients(lambda dy, y, x: dy.reshape(x.shape))


def _to_as_many_axes(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows broadcast to as many rows of as many axes."""
    (x,), shape, rows = operands, tuple(options["shape"]), rows_of(operands)
    if len(shape) != x.ndim or shape[0] != rows.total:
        return None
    return by_rows(function, operands, {"shape": (rows.count, *shape[1:])}, rows)


@primitive(spread=_to_as_many_axes)
def broadcast_to(x: ArrayLike, shape: Any) -> Array:
    """``x`` repeated along axes of 1, and along new ones before the first."""
    return np.broadcast_to(converted(x), shape)


broadcast_to.has_gradients(lambda dy, y, x, shape: dy)


def _with_first_in_place(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x,), axes = operands, options.get("axes")
    return rowwise(function, operands, options) if axes is not None and axes[0] % x.ndim == 0 else None


@primitive(spread=_with_first_in_place)
def transpose(x: ArrayLike, axes: Any = None) -> Array:
    """The axes in another order; by default in reverse."""
    return np.transpose(converted(x), axes)


transpose.has_gradients(
    lambda dy, y, x, axes: PRIMITIVES["Transpose"](dy, None if axes is None else [int(i) for i in np.argsort(axes)])
)


def _of_later_axes(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each row by itself, if no option names the first axis."""
    (x,) = operands
    axes = [a for given in options.values() for a in (given if isinstance(given, list | tuple) else (given,))]
    return None if any(a is None or a % x.ndim == 0 for a in axes) else rowwise(function, operands, options)


@primitive(spread=_of_later_axes)
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Array:
    """Two axes changed for each other."""
    return np.swapaxes(converted(x), axis1, axis2)


swapaxes.has_gradients(lambda dy, y, x, axis1, axis2: PRIMITIVES["Swapaxes"](dy, axis1, axis2))


@primitive(spread=_of_later_axes)
def moveaxis(x: ArrayLike, source: Any, destination: Any) -> Array:
    """Axes moved to other places; the others keep their order."""
    return np.moveaxis(converted(x), source, destination)


moveaxis.has_gradients(lambda dy, y, x, source, destination: PRIMITIVES["Moveaxis"](dy, destination, source))


def _behind_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x,), axis = operands, options["axis"]
    axes = axis if isinstance(axis, list | tuple) else (axis,)
    ndim = x.ndim + len(axes)
    return None if any(a % ndim == 0 for a in axes) else rowwise(function, operands, options)


@primitive(spread=_behind_first)
def expand_dims(x: ArrayLike, axis: Any) -> Array:
    """``x`` with axes of 1 at these places of the result."""
    return np.expand_dims(converted(x), tuple(axis) if isinstance(axis, list) else axis)


expand_dims.has_gradients(lambda dy, y, x, axis: dy.reshape(x.shape))


@primitive(spread=_of_later_axes)
def squeeze(x: ArrayLike, axis: Any = None) -> Array:
    """``x`` without these axes of 1; by default without all of them."""
    return np.squeeze(converted(x), tuple(axis) if isinstance(axis, list) else axis)


squeeze.has_gradients(lambda dy, y, x, axis: dy.reshape(x.shape))
