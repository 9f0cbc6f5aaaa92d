"""Functions that put entries in order, and count them by their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted, promoted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import along, elementwise, is_spread, rowwise
from distnet.types import Array, ArrayLike


@primitive(spread=along())
def argsort(x: ArrayLike, axis: int | None = -1) -> Array:
    """The places of the entries in ascending order; equal ones keep theirs, NaN come last."""
    return np.asarray(np.argsort(converted(x), axis=axis, kind="stable"), np.int32)


@composition()
def sort(x: Any, axis: int | None = -1) -> Any:
    """The entries in ascending order."""
    x = x if hasattr(x, "ndim") else converted(x)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    return PRIMITIVES["TakeAlongAxis"](x, argsort(x, axis=axis), axis=axis)


@primitive(spread=along())
def argpartition(x: ArrayLike, kth: int, axis: int | None = -1) -> Array:
    """Places such that the kth entry is where sorting puts it, the smaller ones before it."""
    return np.asarray(np.argpartition(converted(x), kth, axis=axis), np.int32)


@primitive(kind="PlacesOfLargest", spread=along())
def _places_of_largest(x: ArrayLike, k: int, axis: int = -1) -> Array:
    """Those of the k largest entries along the last axis, the largest first, of equal ones the first."""
    x = converted(x)
    ascending = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")
    return np.asarray(ascending[..., ::-1][..., :k], np.int32)


@composition(module="math", kind="TopK", returns_many=True)
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest entries along the last axis, and their places.

    Source: ``keras.ops.top_k``.
    """
    x = x if hasattr(x, "ndim") else converted(x)
    places = _places_of_largest(x, k)
    return PRIMITIVES["TakeAlongAxis"](x, places, axis=-1), places


@primitive(2, kind="SearchSorted", spread=lambda function, operands, options: _by_values(function, operands, options))
def searchsorted(sorted_sequence: ArrayLike, values: ArrayLike, side: str = "left") -> Array:
    """Where values would have to be put into a sorted sequence."""
    return np.asarray(np.searchsorted(*promoted(sorted_sequence, values), side=side), np.int32)  # type: ignore[call-overload]


def _by_values(function: Any, operands: Any, options: Any) -> Any:
    return None if is_spread(operands[0]) else rowwise(function, operands, options)


@primitive(spread=elementwise)
def digitize(x: ArrayLike, bins: Any) -> Array:
    """The number of the bin, between ascending borders, that each entry lies in."""
    return np.asarray(np.digitize(converted(x), np.asarray(bins)), np.int32)


@primitive(2)
def bincount(x: ArrayLike, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Array:
    """How often each whole number from 0 on occurs, or the sum of the weights there; of the rows of a matrix, each."""
    x = np.asarray(x)
    length = int(np.max(x, initial=-1)) + 1
    length = length if length > minlength else minlength
    rows = x.reshape((-1, x.shape[-1]))
    parts = np.broadcast_to(np.asarray(1 if weights is None else weights), x.shape).reshape(rows.shape)
    totals = np.zeros((len(rows), length), np.int32 if weights is None else parts.dtype)
    np.add.at(totals, (np.arange(len(rows))[:, None], rows), parts)
    return totals.reshape((*x.shape[:-1], length))


def _of_weights(dy: Any, y: Any, x: Any, weights: Any, minlength: int, sparse: bool) -> Any:
    return PRIMITIVES["TakeAlongAxis"](dy, x, axis=-1)


bincount.has_gradients(None, _of_weights)


@primitive(kind="CountsBetween")
def _counts_between(x: ArrayLike, bins: int, range: Any) -> Array:
    """How many entries lie between borders of equal distances."""
    x = converted(x)
    counts, _ = np.histogram(x, bins=bins, range=range)
    return counts.astype(x.dtype if x.dtype.kind == "f" else np.float32)


@composition(returns_many=True)
def histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    """How many entries lie between borders of equal distances, and the borders."""
    x = x if hasattr(x, "ndim") else converted(x)
    counts = _counts_between(x, bins, range)
    low, high = (PRIMITIVES["Min"](x), PRIMITIVES["Max"](x)) if range is None else range
    return counts, low + (high - low) * np.linspace(0, 1, bins + 1, dtype=counts.dtype)


@primitive(kind="Unique", returns_many=True)
def _unique(
    x: ArrayLike, sorted: bool, return_index: bool, return_inverse: bool, return_counts: bool, axis: int | None,
    size: int | None, fill_value: Any,
) -> tuple[Array, ...]:  # fmt: skip
    """See ``unique``."""
    differing: Any = np.unique
    made = differing(converted(x), return_index, return_inverse, return_counts, axis=axis)
    parts = list(made) if isinstance(made, tuple) else [made]
    is_inverse = [False, *[False] * return_index, *[True] * return_inverse, *[False] * return_counts]
    whole = []
    for i, (part, is_for_entries) in enumerate(zip(parts, is_inverse, strict=True)):
        place = 0 if axis is None or i else axis
        if size is not None and not is_for_entries:
            part = np.take(part, np.arange(min(size, part.shape[place])), axis=place)
            missing = size - part.shape[place]
            if missing > 0:
                first = np.take(part, [0], axis=place)
                filler = np.full_like(first, (0 if i else fill_value) if i or fill_value is not None else first.min())
                part = np.concatenate([part, np.repeat(filler, missing, axis=place)], axis=place)
        whole.append(part if not i else part.astype(np.int32))
    return tuple(whole)


def unique(
    x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    """The entries that differ, in ascending order; without gradient.

    Args:
        return_index: whether the places where each is first are returned, too.
        return_inverse: whether the numbers that make the entries of the unique ones are.
        return_counts: whether the numbers of their occurrences are.
        axis: whose slices are compared, instead of entries.
        size: how many to return: the first, or ``fill_value`` behind the last.

    Source: ``keras.ops.unique``.
    """
    made = _unique(x, sorted, return_index, return_inverse, return_counts, axis, size, fill_value)
    return made if len(made) > 1 else made[0]
