"""Functions that take out blocks, and that put entries into tensors, giving new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import by_rows, is_spread, rows_of
from distnet.types import Array, ArrayLike


def _block(extents: Sequence[int], start_indices: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """The key of a block of ``shape``, moved so that it lies inside.

    Source: ``jax.lax.dynamic_slice``.
    """
    starts = [int(np.asarray(getattr(s, "value", s))) for s in getattr(start_indices, "value", start_indices)]
    key = []
    for extent, given, length in zip(extents, starts, shape, strict=True):
        start = min(max(given + extent if given < 0 else given, 0), extent - length)
        key.append(np.s_[start : start + length])
    return tuple(key)


def _all_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x, starts), shape = operands, options["shape"]
    if not is_spread(x) or is_spread(starts) or shape[0] != x.shape[0]:
        return None
    rows = rows_of(operands)
    return by_rows(function, operands, {"shape": (rows.count, *shape[1:])}, rows)


@primitive(2, module="core", spread=_all_rows)
def slice(inputs: ArrayLike, start_indices: Any, shape: Any) -> Array:
    """The block of ``shape`` that begins at ``start_indices``.

    Source: ``keras.ops.slice``.
    """
    x = converted(inputs)
    return np.asarray(x[_block(x.shape, start_indices, shape)])


slice.has_gradients(
    lambda dy, y, inputs, start_indices, shape: PRIMITIVES["PutItem"](
        dy, inputs.shape, _block(inputs.shape, start_indices, shape)
    ),
    None,
)


@primitive(3, module="core")
def slice_update(inputs: ArrayLike, start_indices: Any, updates: ArrayLike) -> Array:
    """``inputs`` with the block that begins at ``start_indices`` replaced by ``updates``.

    Source: ``keras.ops.slice_update``.
    """
    y = np.array(converted(inputs))
    new = converted(updates)
    y[_block(y.shape, start_indices, new.shape)] = new
    return y


slice_update.has_gradients(
    lambda dy, y, inputs, start_indices, updates: _emptied(dy, _block(inputs.shape, start_indices, updates.shape)),
    None,
    lambda dy, y, inputs, start_indices, updates: dy[_block(inputs.shape, start_indices, updates.shape)],
)


def _emptied(dy: Any, key: Any) -> Any:
    """``dy`` with zeros at ``key``."""
    kept = np.ones(dy.shape, bool)
    kept[key] = False
    return PRIMITIVES["Where"](kept, dy, 0.0)


def _places(indices: Any) -> tuple[Any, ...]:
    """Rows of places, as the key they make."""
    return tuple(np.moveaxis(np.asarray(getattr(indices, "value", indices)).astype(np.intp), -1, 0))


@primitive(2, module="core")
def scatter(indices: ArrayLike, values: ArrayLike, shape: Any) -> Array:
    """Zeros of ``shape`` with values added at places.

    Shapes:
        (..., K), (..., rest) -> shape, where K axes have the extents that indices number.

    Source: ``keras.ops.scatter``.
    """
    new = converted(values)
    y = np.zeros(tuple(shape), new.dtype)
    np.add.at(y, _places(indices), new)
    return y


scatter.has_gradients(None, lambda dy, y, indices, values, shape: dy[_places(indices)])

_REDUCTIONS = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


@primitive(3, module="core")
def scatter_update(inputs: ArrayLike, indices: ArrayLike, updates: ArrayLike, reduction: str | None = None) -> Array:
    """``inputs`` with the entries at places replaced by ``updates``, or joined with them.

    Args:
        reduction: ``"add"``, ``"max"``, ``"min"`` or ``"mul"`` joins; None replaces.

    Source: ``keras.ops.scatter_update``.
    """
    y = np.array(converted(inputs))
    new = converted(updates).astype(y.dtype, copy=False)
    if reduction is None:
        y[_places(indices)] = new
    elif reduction in _REDUCTIONS:
        _REDUCTIONS[reduction].at(y, _places(indices), new)
    else:
        raise ArgumentError(
            f"ops.scatter_update: expected a reduction of {list(_REDUCTIONS)} or None, received {reduction!r}."
        )
    return y


def _of_inputs(dy: Any, y: Any, inputs: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    if reduction not in (None, "add"):
        _refuse_gradient(reduction)
    return dy if reduction == "add" else _emptied(dy, _places(indices))


def _of_updates(dy: Any, y: Any, inputs: Any, indices: Any, updates: Any, reduction: str | None) -> Any:
    if reduction not in (None, "add"):
        _refuse_gradient(reduction)
    return dy[_places(indices)]


def _refuse_gradient(reduction: str | None) -> NoReturn:
    raise ArgumentError(
        f"ops.scatter_update: reduction={reduction!r} has no gradient here. Use ops.segment_max, ops.segment_min or "
        "ops.segment_prod, or reduction='add'."
    )


scatter_update.has_gradients(_of_inputs, None, _of_updates)


@composition(3)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each entry the first choice whose condition holds, or the default.

    Source: ``keras.ops.select``.
    """
    chosen = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        chosen = PRIMITIVES["Where"](condition, choice, chosen)
    return chosen
