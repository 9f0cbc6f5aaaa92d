"""Reductions and statistics of the entries that are numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.reductions import amax, amin, prod, sum
from distnet.ops.spread import along
from distnet.ops.statistics import as_tensor, between_neighbours, in_floats, reduced_last
from distnet.types import Array, ArrayLike


def _instead(x: Any, number: Any) -> Any:
    x = as_tensor(x)
    return PRIMITIVES["Where"](PRIMITIVES["Isnan"](x), number, x) if x.dtype.kind in "fc" else x


def _count(x: Any, axis: Any, keepdims: bool = False) -> Any:
    return sum(PRIMITIVES["Cast"](PRIMITIVES["LogicalNot"](PRIMITIVES["Isnan"](x)), x.dtype), axis, keepdims)


def _or_nan(made: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if x.dtype.kind not in "fc":
        return made
    has_none = PRIMITIVES["All"](PRIMITIVES["Isnan"](x), axis=axis, keepdims=keepdims)
    return PRIMITIVES["Where"](has_none, math.nan, made)


@composition()
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``sum`` without NaN."""
    return sum(_instead(x, 0), axis=axis, keepdims=keepdims)


@composition()
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``prod`` without NaN."""
    return prod(_instead(x, 1), axis=axis, keepdims=keepdims)


@composition()
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``max`` without NaN; NaN where there is nothing else."""
    x = as_tensor(x)
    return _or_nan(amax(_instead(x, -math.inf), axis=axis, keepdims=keepdims), x, axis, keepdims)


@composition()
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``min`` without NaN; NaN where there is nothing else."""
    x = as_tensor(x)
    return _or_nan(amin(_instead(x, math.inf), axis=axis, keepdims=keepdims), x, axis, keepdims)


@composition()
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``mean`` without NaN."""
    x = in_floats(x)
    return nansum(x, axis=axis, keepdims=keepdims) / _count(x, axis, keepdims)


@composition()
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``var`` without NaN."""
    x = in_floats(x)
    distance = PRIMITIVES["Where"](PRIMITIVES["Isnan"](x), 0, x - nanmean(x, axis=axis, keepdims=True))
    return sum(PRIMITIVES["Square"](distance), axis=axis, keepdims=keepdims) / _count(x, axis, keepdims)


@composition()
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``std`` without NaN."""
    return PRIMITIVES["Sqrt"](nanvar(x, axis=axis, keepdims=keepdims))


def _place(x: ArrayLike, function: Any, other: float, axis: Any, keepdims: bool) -> Array:
    x = converted(x)
    if x.dtype.kind != "f":
        return np.asarray(function(x, axis=axis, keepdims=keepdims), np.int32)
    places = function(np.where(np.isnan(x), other, x), axis=axis, keepdims=keepdims)
    return np.where(np.all(np.isnan(x), axis=axis, keepdims=keepdims), -1, places).astype(np.int32)


@primitive(spread=along())
def nanargmax(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """``argmax`` without NaN; -1 where there is nothing else."""
    return _place(x, np.argmax, -math.inf, axis, keepdims)


@primitive(spread=along())
def nanargmin(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """``argmin`` without NaN; -1 where there is nothing else."""
    return _place(x, np.argmin, math.inf, axis, keepdims)


@composition()
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """``quantile`` without NaN."""
    x = in_floats(x)
    flat, kept_shape = reduced_last(x, axis)
    ordered = PRIMITIVES["Sort"](flat, axis=-1)  # NaN last
    last = np.asarray(np.sum(~np.isnan(_values(flat)), axis=-1, keepdims=True), np.float64) - 1
    parts = []
    for one in np.atleast_1d(np.asarray(q, np.float64)).ravel():
        place = np.maximum(last, 0) * one
        low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
        a, b = (PRIMITIVES["TakeAlongAxis"](ordered, i, axis=-1)[..., 0] for i in (low, high))
        part = between_neighbours(a, b, (place - low)[..., 0].astype(x.dtype), method)
        parts.append(part.reshape(kept_shape) if keepdims else part)
    return parts[0] if np.ndim(q) == 0 else PRIMITIVES["Stack"](parts, axis=0)


def _values(x: Any) -> Array:
    numpy = getattr(x, "numpy", None)
    return np.asarray(x) if numpy is None else np.asarray(numpy())


@composition()
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """``percentile`` without NaN."""
    return nanquantile(x, np.asarray(q, np.float64) / 100, axis=axis, method=method, keepdims=keepdims)


@composition()
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``median`` without NaN."""
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)
