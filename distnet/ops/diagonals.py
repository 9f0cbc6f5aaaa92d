"""Diagonals of matrices, and what lies above and below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.rearranging import moved
from distnet.ops.spread import rowwise
from distnet.types import Array, ArrayLike


def _of_later_two(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each row by itself, if the first axis is none of a matrix's two."""
    (x,) = operands
    axes = [options.get("axis1", -1) % x.ndim, options.get("axis2", -2) % x.ndim]
    return None if 0 in axes else rowwise(function, operands, options)


@primitive()
def diag(x: ArrayLike, k: int = 0) -> Array:
    """The k-th diagonal of a matrix; or the matrix with a vector as its k-th diagonal."""
    return np.array(np.diag(converted(x), k))


diag.has_gradients(lambda dy, y, x, k: PRIMITIVES["Diag"](dy, k) if x.ndim == 1 else _of_diagonal(dy, y, x, k, 0, 1))


@primitive()
def diagflat(x: ArrayLike, k: int = 0) -> Array:
    """The matrix with all entries of x on its k-th diagonal."""
    return np.diagflat(converted(x), k)


diagflat.has_gradients(lambda dy, y, x, k: PRIMITIVES["Diag"](dy, k).reshape(x.shape))


@primitive(spread=_of_later_two)
def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonals of matrices, along the last axis."""
    return np.array(np.diagonal(converted(x), offset, axis1, axis2))


def _of_diagonal(dy: Any, y: Any, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return moved(diagonal.value)(dy, y, x, offset=offset, axis1=axis1, axis2=axis2)


diagonal.has_gradients(_of_diagonal)


@composition()
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a matrix's diagonal."""
    return PRIMITIVES["Sum"](diagonal(x, offset, axis1, axis2), axis=-1)


@primitive(spread=_of_later_two)
def tril(x: ArrayLike, k: int = 0) -> Array:
    """Matrices with zeros above the k-th diagonal."""
    return np.tril(converted(x), k)


tril.has_gradients(lambda dy, y, x, k: PRIMITIVES["Tril"](dy, k))


@primitive(spread=_of_later_two)
def triu(x: ArrayLike, k: int = 0) -> Array:
    """Matrices with zeros below the k-th diagonal."""
    return np.triu(converted(x), k)


triu.has_gradients(lambda dy, y, x, k: PRIMITIVES["Triu"](dy, k))
