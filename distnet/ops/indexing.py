"""Functions that pick entries by their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet import kernels
from distnet.ops.dtypes import converted, promoted
from distnet.ops.joining import matched
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import by_rows, elementwise, is_spread, rows_of, rowwise
from distnet.ops.tensor import Tensor
from distnet.types import Array, ArrayLike
from distnet.variables import Variable


def as_key(key: Any) -> tuple[Any, ...]:
    """A key as NumPy takes it, a tuple: tensors and lists in it as arrays."""
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(_part(part) for part in parts)


def _part(part: Any) -> Any:
    if isinstance(part, Tensor | Variable):
        part = part.value
    elif isinstance(part, list | tuple):
        part = np.asarray(part, None if len(part) else np.intp)
    elif isinstance(part, slice):
        ends = (part.start, part.stop, part.step)
        return slice(*(None if end is None else int(end) for end in ends))
    is_number = isinstance(part, np.ndarray) and part.ndim == 0 and part.dtype.kind in "iu"
    return int(part) if is_number else part


def _is_basic(key: tuple[Any, ...]) -> bool:
    """Whether a key takes each entry once at most, without arrays."""
    return all(isinstance(k, slice | int | np.integer | type(None) | type(Ellipsis)) for k in key)


def _stays_first(rest: tuple[Any, ...]) -> bool:
    """Whether the first axis stays the first beside arrays among the keys of the others, which must be neighbours."""
    places = [i for i, part in enumerate(rest) if isinstance(part, int | np.integer | np.ndarray)]
    return places == list(range(places[0], places[-1] + 1))


def _of_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A key that begins with ``:`` takes each rank's rows; one of spread row numbers looks up rows for these."""
    x, key = operands
    parts = key if isinstance(key, tuple) else (key,)
    if not is_spread(x):
        is_lookup = len(parts) == 1 and is_spread(parts[0]) and parts[0].dtype.kind in "iu"
        return rowwise(function, operands, options) if is_lookup and np.ndim(x) else None
    if not parts or any(isinstance(part, Tensor) for part in parts):
        return None
    first = parts[0]
    is_all = isinstance(first, slice) and first == slice(None)
    if not _is_basic(as_key(key)):
        return rowwise(function, operands, options) if is_all and _stays_first(as_key(key)[1:]) else None
    is_all_before = first is Ellipsis and sum(part is not None for part in parts) - 1 < x.ndim
    return rowwise(function, operands, options) if is_all or is_all_before else None


@primitive(2, spread=_of_rows)
def get_item(x: ArrayLike, key: Any) -> Array:
    """``x[key]``."""
    return np.asarray(converted(x)[as_key(key)])


get_item.has_gradients(lambda dy, y, x, key: PRIMITIVES["PutItem"](dy, x.shape, as_key(key)), None)


def _into_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each rank's rows, put where a key that begins with ``:`` took them."""
    rows, shape, key = rows_of(operands), options["shape"], options["key"]
    is_all = isinstance(key[0], slice) and key[0] == slice(None)
    if not is_all or shape[0] != rows.total or not (_is_basic(key) or _stays_first(key[1:])):
        return None
    return by_rows(function, operands, {"shape": (rows.count, *shape[1:]), "key": key}, rows)


@primitive(1, kind="PutItem", spread=_into_rows)
def put_item(dy: Array, shape: tuple[int, ...], key: Any) -> Array:
    """Zeros of ``shape`` with ``dy`` added at ``key``: the gradient of ``get_item``."""
    dx = np.zeros(shape, dy.dtype)
    if _is_basic(key) or any(getattr(k, "dtype", None) == np.bool_ for k in key):
        dx[key] = dy
    elif len(key) == 1 and isinstance(key[0], np.ndarray) and dy.dtype.kind == "f" and dx.size:
        rows = np.ascontiguousarray(key[0].reshape(-1) % shape[0], np.intp)
        width = dx.size // shape[0]
        kernels.current().add_rows(
            dx.reshape(shape[0], width), rows, np.ascontiguousarray(dy.reshape(len(rows), width))
        )
    else:
        np.add.at(dx, key, dy)
    return dx


put_item.has_gradients(lambda dy, y, x, shape, key: dy[key])


@primitive(3, kind="Where", spread=elementwise)
def either(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> Array:
    """``where`` with two tensors to choose from."""
    chosen = np.asarray(condition)
    return np.asarray(np.where(chosen.astype(bool, copy=False), *promoted(x1, x2)))


either.has_gradients(
    None,
    lambda dy, y, condition, x1, x2: PRIMITIVES["Where"](condition, dy, 0.0),
    lambda dy, y, condition, x1, x2: PRIMITIVES["Where"](condition, 0.0, dy),
)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """``x1`` where the condition holds, else ``x2``; of the condition alone, the places where it holds.

    Source: ``keras.ops.where``.
    """
    if x1 is None or x2 is None:
        return nonzero(condition)
    return either(condition, x1, x2)


def _rows_taken(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows looked up for spread row numbers; or of each row the same entries."""
    (x, indices), axis = operands, options["axis"]
    if axis is None:
        return None
    is_first = axis % np.ndim(x) == 0
    if is_spread(indices):
        return rowwise(function, operands, options) if is_first and not is_spread(x) else None
    return None if is_first else rowwise(function, operands, options)


@primitive(2, spread=_rows_taken)
def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Array:
    """The entries at places along an axis; negative places count from the end.

    Shapes:
        (A, I, B), (J...) -> (A, J..., B), where I is the extent of the axis.

    Args:
        axis: None for places among all entries.

    Source: ``keras.ops.take``.
    """
    return np.asarray(np.take(converted(x), _whole_numbers(indices), axis))


def _whole_numbers(indices: Any) -> Array:
    return np.asarray(indices).astype(np.intp, copy=False)


def _of_take(dy: Any, y: Any, x: Any, indices: Any, axis: int | None) -> Any:
    places = _whole_numbers(getattr(indices, "value", indices))
    if axis is None:
        return PRIMITIVES["PutItem"](dy, (x.size,), (places,)).reshape(x.shape)
    return PRIMITIVES["PutItem"](dy, x.shape, (*[slice(None)] * (axis % x.ndim), places))


take.has_gradients(_of_take, None)


def _matched_along(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x, _), axis = operands, options["axis"]
    return None if axis is None or axis % np.ndim(x) == 0 else matched(function, operands, options)


@primitive(2, spread=_matched_along)
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Array:
    """Of each vector along an axis the entries at places of its own.

    Args:
        axis: None for places among all entries.

    Source: ``keras.ops.take_along_axis``.
    """
    given, places = converted(x), _whole_numbers(indices)
    if axis is None:
        return np.asarray(given.reshape(-1)[places.reshape(-1)])
    return np.asarray(given[_along(given.shape, places, axis)])


def _along(shape: tuple[int, ...], places: Array, axis: int) -> tuple[Array, ...]:
    """The key of entries at places along an axis: of the other axes every entry."""
    axis, ndim = axis % len(shape), len(shape)
    each = [np.arange(n).reshape([-1 if i == j else 1 for j in range(ndim)]) for i, n in enumerate(shape)]
    return tuple(places if i == axis else numbers for i, numbers in enumerate(each))


def _of_take_along_axis(dy: Any, y: Any, x: Any, indices: Any, axis: int | None) -> Any:
    places = _whole_numbers(getattr(indices, "value", indices))
    if axis is None:
        return PRIMITIVES["PutItem"](dy, (x.size,), (places.reshape(-1),)).reshape(x.shape)
    return PRIMITIVES["PutItem"](dy, x.shape, _along(x.shape, places, axis))


take_along_axis.has_gradients(_of_take_along_axis, None)


@primitive(returns_many=True)
def nonzero(x: ArrayLike) -> tuple[Array, ...]:
    """The places of entries that are not 0: for each axis an array of numbers."""
    return tuple(part.astype(np.int32) for part in np.nonzero(np.atleast_1d(converted(x))))


@primitive(returns_many=True, spread=rowwise)
def unravel_index(indices: ArrayLike, shape: Any) -> tuple[Array, ...]:
    """Places among all entries as places along each axis of ``shape``.

    Source: ``keras.ops.unravel_index``.
    """
    flat = converted(indices)
    size = int(np.prod(shape))
    return tuple(part.astype(flat.dtype) for part in np.unravel_index(np.mod(flat, size), tuple(shape)))
