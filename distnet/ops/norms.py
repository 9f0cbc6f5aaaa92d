"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.operators import PRIMITIVES
from distnet.ops.reductions import amax, amin, sum
from distnet.ops.statistics import in_floats


@composition(module="linalg")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors along an axis, or of matrices along two.

    Args:
        ord: the kind; of vectors any number, of matrices ``"fro"``, ``"nuc"``, 1, -1, 2, -2, inf, -inf.

    Source: ``keras.ops.norm``, ``numpy.linalg.norm``.
    """
    x = in_floats(x)
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return PRIMITIVES["Sqrt"](sum(PRIMITIVES["Square"](PRIMITIVES["Absolute"](x)), axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        return _of_vectors(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrices(x, ord, axes[0] % x.ndim, axes[1] % x.ndim, keepdims)
    raise ArgumentError(f"ops.norm: expected one axis or two for ord={ord!r}, received {axis!r} of {x.ndim} axes.")


def _of_vectors(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ArgumentError(f"ops.norm: expected a number as ord of vectors, received {ord!r}.")
    size = PRIMITIVES["Absolute"](x)
    if abs(ord) == math.inf:
        return (amax if ord > 0 else amin)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(PRIMITIVES["Cast"](x != 0, x.dtype), axis=axis, keepdims=keepdims)
    return sum(size if ord == 1 else size**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def _of_matrices(x: Any, ord: Any, rows: int, columns: int, keepdims: bool) -> Any:
    extreme = amin if not isinstance(ord, str) and ord < 0 else amax
    if ord in ("nuc", 2, -2):
        matrices = PRIMITIVES["Moveaxis"](x, (rows, columns), (-2, -1))
        values = PRIMITIVES["SVD"](matrices, full_matrices=False)[1]
        made = sum(values, axis=-1) if ord == "nuc" else extreme(values, axis=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
        made = extreme(sum(PRIMITIVES["Absolute"](x), axis=summed), axis=other - (other > summed))
    else:
        raise ArgumentError(f"ops.norm: expected fro, nuc, 1, -1, 2, -2, inf or -inf for matrices, received {ord!r}.")
    if not keepdims:
        return made
    return made.reshape(tuple(1 if i in (rows, columns) else n for i, n in enumerate(x.shape)))
