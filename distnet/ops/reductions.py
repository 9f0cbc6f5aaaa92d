"""Functions that reduce axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.ops.dtypes import floating
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import adding, averaging
from distnet.types import Array, ArrayLike


def as_axis(axis: Any) -> Any:
    """The axes as NumPy takes them."""
    return tuple(axis) if isinstance(axis, list) else axis


def kept(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """``y`` with the reduced axes of x as axes of 1."""
    if keepdims:
        return y
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, list | tuple) else (axis,)
    reduced = {a % x.ndim for a in axes}
    return y.reshape(tuple(1 if i in reduced else n for i, n in enumerate(x.shape)))


def spread_to(dy: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The gradient of a sum, in the shape of x."""
    return PRIMITIVES["BroadcastTo"](kept(dy, x, axis, keepdims), x.shape)


@primitive(spread=adding)
def sum(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """The sum over axes, or over all."""
    x = np.asarray(x)
    dtype = {
        "b": "int32",
        "u": "uint32" if x.dtype.itemsize < 8 else None,
        "i": "int32" if x.dtype.itemsize < 8 else None,
    }
    return np.asarray(np.sum(x, axis=as_axis(axis), keepdims=keepdims, dtype=dtype.get(x.dtype.kind)))


sum.has_gradients(lambda dy, y, x, axis, keepdims: spread_to(dy, x, axis, keepdims))


@primitive(spread=averaging)
def mean(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """The mean over axes, or over all."""
    return np.asarray(np.mean(floating(x), axis=as_axis(axis), keepdims=keepdims))


def _of_mean(dy: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    count = math.prod(x.shape) / max(math.prod(y.shape), 1)
    return spread_to(dy / count, x, axis, keepdims)


mean.has_gradients(_of_mean)
