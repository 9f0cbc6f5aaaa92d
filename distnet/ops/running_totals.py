"""Sums and products up to each entry along an axis, and differences between neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.reductions import as_sum_dtype
from distnet.ops.spread import along
from distnet.types import Array, ArrayLike


@primitive(spread=along())
def cumsum(x: ArrayLike, axis: int | None = None, dtype: Any = None) -> Array:
    """The sums up to each entry along an axis; by default of all entries in a row.

    They are added up in float64: one after the other, a million numbers of float32 would be a percent off.
    """
    x = converted(x)
    dtype = np.dtype(_total_dtype(x, dtype))
    if dtype.kind != "f":
        return np.cumsum(x, axis=axis, dtype=dtype)
    with np.errstate(over="ignore"):
        return np.cumsum(x, axis=axis, dtype=np.float64).astype(dtype, copy=False)


def _total_dtype(x: Array, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    return as_sum_dtype(x.dtype) if x.dtype.kind == "b" else x.dtype


def _of_cumsum(dy: Any, y: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    place = 0 if axis is None else axis
    flip = PRIMITIVES["Flip"]
    return flip(PRIMITIVES["Cumsum"](flip(dy, axis=place), axis=place), axis=place).reshape(x.shape)


cumsum.has_gradients(_of_cumsum)


@primitive(spread=along())
def cumprod(x: ArrayLike, axis: int | None = None, dtype: Any = None) -> Array:
    """The products up to each entry along an axis; by default of all entries in a row."""
    x = converted(x)
    return np.cumprod(x, axis=axis, dtype=_total_dtype(x, dtype))


def _of_cumprod(dy: Any, y: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    """Backward from the last entry: ``carry_i = dy_i + carry_i+1 x_i+1``, and ``dx_i = carry_i y_i-1``."""
    place = 0 if axis is None else axis % x.ndim
    flat = x.reshape((-1,)) if axis is None else x
    steps = [_entry(flat, place, i) for i in range(flat.shape[place])]
    if not steps:
        return dy.reshape(x.shape)
    slopes: list[Any] = []
    carry: Any = None
    for i in reversed(range(len(steps))):
        carry = _entry(dy, place, i) if carry is None else _entry(dy, place, i) + carry * steps[i + 1]
        slopes.insert(0, carry * _entry(y, place, i - 1) if i else carry)
    return PRIMITIVES["Concatenate"](slopes, axis=place).reshape(x.shape)


def _entry(x: Any, axis: int, i: int) -> Any:
    return x[(*[slice(None)] * axis, slice(i, i + 1))]


cumprod.has_gradients(_of_cumprod)


@composition()
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """``cumsum`` with 0 for NaN."""
    return cumsum(PRIMITIVES["Where"](PRIMITIVES["Isnan"](x), 0, x), axis=axis, dtype=dtype)


@composition()
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """``cumprod`` with 1 for NaN."""
    return cumprod(PRIMITIVES["Where"](PRIMITIVES["Isnan"](x), 1, x), axis=axis, dtype=dtype)


@composition()
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """What each entry has more than the one before it, n times."""
    a = a if hasattr(a, "ndim") else converted(a)
    before = (slice(None),) * (axis % a.ndim)
    for _ in range(n):
        a = PRIMITIVES["Subtract"](a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


@composition()
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule.

    Args:
        x: where the entries lie; by default ``dx`` apart.
    """
    y = y if hasattr(y, "ndim") else converted(y)
    y = y if y.dtype.kind in "fc" else PRIMITIVES["Cast"](y, "float32")
    widths = dx
    if x is not None:
        x = x if hasattr(x, "ndim") else converted(x)
        widths = diff(x, axis=axis if x.ndim > 1 else -1)
        if x.ndim == 1:
            widths = widths.reshape((-1, *(1,) * (y.ndim - 1 - axis % y.ndim)))
    before = (slice(None),) * (axis % y.ndim)
    heights = y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]
    return PRIMITIVES["Sum"](heights * widths, axis=axis) * 0.5
