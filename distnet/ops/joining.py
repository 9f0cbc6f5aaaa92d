"""Functions that join tensors to one, and split one into several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import promoted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, flat, mapped, of_rows, primitive
from distnet.ops.spread import along, by_rows, is_spread, own_rows, rows_of
from distnet.ops.tensor import Tensor
from distnet.types import Array, ArrayLike


def matched(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows of tensors that all have as many rows, and as many axes; of those that every rank has, its own."""
    rows, leaves = rows_of(operands), flat(operands)
    if any(np.ndim(leaf) == 0 or np.shape(leaf)[0] != rows.total for leaf in leaves):
        return None

    def own(leaf: Any) -> Any:
        if is_spread(leaf):
            return leaf
        part = own_rows(leaf, rows)
        return of_rows(part if type(part) is Tensor else Tensor(part), rows)

    return by_rows(function, mapped(own, operands), options, rows)


def _matched_along(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    ndim = np.ndim(operands[0][0]) + (function.kind == "Stack")
    return None if options["axis"] % ndim == 0 else matched(function, operands, options)


@primitive(spread=_matched_along)
def concatenate(xs: Sequence[ArrayLike], axis: int = 0) -> Array:
    """Tensors one after another along an axis."""
    return np.concatenate(promoted(*xs), axis)


def _of_concatenate(dy: Any, y: Any, xs: Any, axis: int) -> Any:
    axis, first, parts = axis % dy.ndim, 0, []
    for x in xs:
        parts.append(dy[(*[slice(None)] * axis, slice(first, first + np.shape(x)[axis]))])
        first += np.shape(x)[axis]
    return parts


concatenate.has_gradients(_of_concatenate)


@primitive(spread=_matched_along)
def stack(x: Sequence[ArrayLike], axis: int = 0) -> Array:
    """Tensors of one shape along a new axis."""
    return np.stack([np.asarray(part) for part in promoted(*x)], axis)


def _of_stack(dy: Any, y: Any, x: Any, axis: int) -> Any:
    axis %= dy.ndim
    return [dy[(*[slice(None)] * axis, i)] for i in range(len(x))]


stack.has_gradients(_of_stack)


@composition(2)
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """``x2`` after ``x1`` along an axis; by default the entries of both along one."""
    if axis is None:
        return concatenate([PRIMITIVES["Ravel"](x1), PRIMITIVES["Ravel"](x2)], 0)
    return concatenate([x1, x2], axis)


def at_least(x: Any, ndim: int) -> Any:
    """``x`` with axes of 1 as NumPy's ``atleast_1d``, ``atleast_2d`` and ``atleast_3d`` add them."""
    shape: tuple[int, ...] = np.shape(x)
    if len(shape) >= ndim:
        return x
    wanted = {0: (1,) * ndim, 1: (1, *shape, 1)[:ndim] if ndim > 1 else shape, 2: (*shape, 1)}[len(shape)]
    return PRIMITIVES["Reshape"](x, wanted)


@composition()
def vstack(xs: Any) -> Any:
    """Tensors one above another, along the first axis."""
    return concatenate([at_least(x, 2) for x in xs], 0)


@composition()
def hstack(xs: Any) -> Any:
    """Tensors side by side, along the second axis; vectors along their only one."""
    parts = [at_least(x, 1) for x in xs]
    return concatenate(parts, 0 if np.ndim(parts[0]) == 1 else 1)


@composition()
def dstack(xs: Any) -> Any:
    """Tensors one behind another, along the third axis."""
    return concatenate([at_least(x, 3) for x in xs], 2)


def _pieces(x: Any, indices_or_sections: Any, axis: int, is_even: bool) -> list[slice]:
    """Where each part lies along the axis."""
    extent = np.shape(x)[axis]
    split = np.split if is_even else np.array_split
    given = indices_or_sections
    ends = given if isinstance(given, int) else [int(i) for i in np.asarray(given)]
    starts = np.cumsum([0, *(len(part) for part in split(np.arange(extent), ends))])
    return [slice(int(a), int(b)) for a, b in zip(starts[:-1], starts[1:], strict=True)]


def _parts(x: Any, pieces: list[slice], axis: int) -> list[Any]:
    array = np.asarray(x)
    return [array[(*[slice(None)] * (axis % array.ndim), piece)] for piece in pieces]


@primitive(spread=along(), returns_many=True)
def split(x: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Parts along an axis.

    Args:
        indices_or_sections: how many parts, of the same extent; or where they begin, but the first.
    """
    return _parts(x, _pieces(x, indices_or_sections, axis, is_even=True), axis)


@primitive(spread=along(), returns_many=True)
def array_split(x: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Parts along an axis, of which the first may be larger by one."""
    return _parts(x, _pieces(x, indices_or_sections, axis, is_even=False), axis)


for _split in (split, array_split):
    _split.has_gradients(lambda dy, y, x, indices_or_sections, axis: concatenate(list(dy), axis))


@composition(returns_many=True)
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the first axis."""
    return split(x, indices_or_sections, 0)


@composition(returns_many=True)
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the second axis; of a vector along its only one."""
    return split(x, indices_or_sections, 0 if np.ndim(x) == 1 else 1)


@composition(returns_many=True)
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """Parts along the third axis."""
    return split(x, indices_or_sections, 2)


@primitive(module="core", spread=along(), returns_many=True)
def unstack(x: ArrayLike, num: int | None = None, axis: int = 0) -> list[Array]:
    """The parts along an axis, without it.

    Args:
        num: how many there are; unused, as the extent says it.

    Source: ``keras.ops.unstack``.
    """
    return [np.asarray(part) for part in np.moveaxis(np.asarray(x), axis, 0)]


unstack.has_gradients(lambda dy, y, x, num, axis: stack(list(dy), axis))


@composition(operands=1, returns_many=True)
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Coordinates along axes, as arrays over the grid they span.

    Args:
        indexing: ``"xy"`` has the first coordinate along the second axis; ``"ij"`` along the first.
    """
    flat_ones = [PRIMITIVES["Ravel"](each) for each in x]
    places = list(range(len(x)))
    if indexing == "xy" and len(x) > 1:
        places[:2] = [1, 0]
    shape = [1] * len(x)
    for each, place in zip(flat_ones, places, strict=True):
        shape[place] = np.shape(each)[0]
    return [
        PRIMITIVES["BroadcastTo"](
            PRIMITIVES["Reshape"](each, tuple(-1 if i == place else 1 for i in range(len(x)))), tuple(shape)
        )
        for each, place in zip(flat_ones, places, strict=True)
    ]
