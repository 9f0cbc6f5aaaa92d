"""Products of matrices, and of tensors along axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.dtypes import promoted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import is_spread, rowwise
from distnet.types import Array, ArrayLike


def _by_rows_of_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The rows of a batch times a matrix, or times matrices one for each row."""
    a, b = operands
    if is_spread(a) and a.ndim > 1 and not is_spread(b) and np.ndim(b) <= 2:
        return rowwise(function, operands, options)
    if is_spread(a) and is_spread(b) and a.ndim == b.ndim > 2:
        return rowwise(function, operands, options)
    return None


@primitive(2, spread=_by_rows_of_first)
def matmul(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The product of matrices, which the last two axes are; others are broadcast.

    Shapes:
        (..., M, K), (..., K, N) -> (..., M, N); a vector counts as a row, or as a column.

    Source: ``keras.ops.matmul``.
    """
    return np.asarray(np.matmul(*promoted(x1, x2)))


def _swapped(x: Any) -> Any:
    return PRIMITIVES["Swapaxes"](x, -1, -2)


def _of_first(dy: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return dy[..., None] * b
    if a.ndim == 1:
        return PRIMITIVES["Sum"](dy[..., None, :] * b, axis=-1)
    return PRIMITIVES["Matmul"](dy, _swapped(b))


def _of_second(dy: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return dy[..., None] * a
    if a.ndim == 1:
        return dy[..., None, :] * a[:, None]
    if a.ndim > 2 and b.ndim == 2:
        rows = a.reshape((-1, a.shape[-1]))
        return PRIMITIVES["Matmul"](_swapped(rows), dy.reshape((-1, dy.shape[-1])))
    return PRIMITIVES["Matmul"](_swapped(a), dy)


matmul.has_gradients(_of_first, _of_second)
