"""Functions that give entries other places: shapes and axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
    return np.reshape(np.asarray(x), newshape)


reshape.has_gradients(lambda dy, y, x, newshape: dy.reshape(x.shape))


@primitive()
def broadcast_to(x: ArrayLike, shape: Any) -> Array:
    """``x`` repeated along axes of 1, and along new ones before the first."""
    return np.broadcast_to(np.asarray(x), shape)


broadcast_to.has_gradients(lambda dy, y, x, shape: dy)


def _with_first_in_place(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x,), axes = operands, options.get("axes")
    return rowwise(function, operands, options) if axes is not None and axes[0] % x.ndim == 0 else None


@primitive(spread=_with_first_in_place)
def transpose(x: ArrayLike, axes: Any = None) -> Array:
    """The axes in another order; by default in reverse."""
    return np.transpose(np.asarray(x), axes)


transpose.has_gradients(
    lambda dy, y, x, axes: PRIMITIVES["Transpose"](dy, None if axes is None else [int(i) for i in np.argsort(axes)])
)


@primitive()
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Array:
    """Two axes changed for each other."""
    return np.swapaxes(np.asarray(x), axis1, axis2)


swapaxes.has_gradients(lambda dy, y, x, axis1, axis2: PRIMITIVES["Swapaxes"](dy, axis1, axis2))


@primitive(module="core", spread=rowwise)
def cast(x: ArrayLike, dtype: Any) -> Array:
    """``x`` in another dtype.

    Source: ``keras.ops.cast``.
    """
    return np.asarray(x).astype(dtype)


cast.has_gradients(lambda dy, y, x, dtype: dy)
