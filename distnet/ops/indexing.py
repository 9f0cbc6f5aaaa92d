"""Functions that pick and put entries by their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import elementwise, rowwise
from distnet.types import Array, ArrayLike


def _all_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A key that begins with ``:`` takes each rank's rows."""
    key = options["key"]
    first = key[0] if isinstance(key, tuple) and key else key
    is_whole = first is Ellipsis and sum(k is not None for k in key) - 1 < operands[0].ndim
    is_plain = all(isinstance(k, slice | int | type(None) | type(Ellipsis)) for k in key)
    if (first == slice(None) and is_plain) or (is_whole and is_plain):
        return rowwise(function, operands, options)
    return None


@primitive(1, kind="GetItem", module="numpy", spread=_all_rows)
def get_item(x: ArrayLike, key: Any) -> Array:
    """``x[key]``."""
    return np.asarray(np.asarray(x)[tuple(key) if isinstance(key, list) else key])


get_item.has_gradients(lambda dy, y, x, key: PRIMITIVES["PutItem"](dy, x.shape, key))


@primitive(1, kind="PutItem")
def put_item(dy: Array, shape: tuple[int, ...], key: Any) -> Array:
    """Zeros of ``shape`` with ``dy`` added at ``key``: the gradient of ``get_item``."""
    dx = np.zeros(shape, dy.dtype)
    is_basic = all(isinstance(k, slice | int | np.integer | type(None) | type(Ellipsis)) for k in key)
    if is_basic:
        dx[key] = dy
    else:
        np.add.at(dx, key, dy)
    return dx


put_item.has_gradients(lambda dy, y, x, shape, key: dy[key])


@primitive(3, spread=elementwise)
def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1`` where the condition holds, else ``x2``."""
    return np.where(condition, x1, x2)


where.has_gradients(
    None,
    lambda dy, y, condition, x1, x2: PRIMITIVES["Where"](condition, dy, 0.0),
    lambda dy, y, condition, x1, x2: PRIMITIVES["Where"](condition, 0.0, dy),
)
