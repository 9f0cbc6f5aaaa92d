"""Averages, variances, quantiles, correlations and norms, made of other functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted, floating
from distnet.ops.operators import PRIMITIVES
from distnet.ops.reductions import amax, amin, mean, sum


def as_tensor(x: Any) -> Any:
    """Whatever has axes as it is, numbers and lists as an array."""
    return x if hasattr(x, "ndim") else converted(x)


def in_floats(x: Any) -> Any:
    """``as_tensor``, in floating point numbers."""
    x = as_tensor(x)
    if x.dtype.kind in "fc":
        return x
    return floating(x) if isinstance(x, np.ndarray) else PRIMITIVES["Cast"](x, floating(0).dtype.name)


@composition()
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean square of the distances from the mean."""
    x = in_floats(x)
    return mean(PRIMITIVES["Square"](x - mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims)


@composition()
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The square root of the variance."""
    return PRIMITIVES["Sqrt"](var(x, axis=axis, keepdims=keepdims))


@composition()
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry less the smallest."""
    return amax(x, axis=axis, keepdims=keepdims) - amin(x, axis=axis, keepdims=keepdims)


@composition()
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean, of weighted entries if there are weights: of the shape of x, or one for each entry along the axis."""
    x = in_floats(x)
    if weights is None:
        return mean(x, axis=axis)
    weights = as_tensor(weights)
    if tuple(weights.shape) != tuple(x.shape):
        place = 0 if axis is None else axis % x.ndim
        weights = weights.reshape((-1, *(1,) * (x.ndim - 1 - place)))
    weights = weights + PRIMITIVES["ZerosLike"](x)
    return sum(x * weights, axis=axis) / sum(weights, axis=axis)


def reduced_last(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """``x`` with the reduced axes as one at the end; and its shape with 1 for each of them."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, list | tuple) else (axis,)
    reduced = sorted(a % x.ndim for a in axes)
    others = [i for i in range(x.ndim) if i not in reduced]
    moved = x if others + reduced == list(range(x.ndim)) else PRIMITIVES["Transpose"](x, [*others, *reduced])
    flat = moved.reshape((*(x.shape[i] for i in others), math.prod(x.shape[i] for i in reduced)))
    return flat, tuple(1 if i in reduced else n for i, n in enumerate(x.shape))


def between_neighbours(low: Any, high: Any, share: Any, method: str) -> Any:
    """The value at a place between two, by one of NumPy's methods.

    Args:
        share: how much of the way from one to the other.
    """
    where = PRIMITIVES["Where"]
    if method == "linear":
        return low * (1 - share) + high * share
    if method == "midpoint":
        return where(share == 0, low, (low + high) * 0.5)
    if method == "lower":
        return low
    if method == "higher":
        return high
    if method == "nearest":
        return where(share <= 0.5, low, high)
    raise ArgumentError(
        f"ops.quantile: expected the method linear, lower, higher, midpoint or nearest, received {method!r}."
    )


@composition()
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The value that a share q of the entries does not exceed.

    Args:
        q: a number from 0 to 1, or a list of them, which makes a new first axis.
        method: what lies between two entries: linear, lower, higher, midpoint or nearest.

    Source: ``keras.ops.quantile``.
    """
    x = in_floats(x)
    flat, kept_shape = reduced_last(x, axis)
    ordered = PRIMITIVES["Sort"](flat, axis=-1)
    parts = []
    for one in np.atleast_1d(np.asarray(q, np.float64)).ravel():
        place = float(one) * (flat.shape[-1] - 1)
        low = math.floor(place)
        high = low + 1 if low + 1 < flat.shape[-1] and place > low else low
        part = between_neighbours(ordered[..., low], ordered[..., high], place - low, method)
        parts.append(part.reshape(kept_shape) if keepdims else part)
    made = parts[0] if np.ndim(q) == 0 else PRIMITIVES["Stack"](parts, axis=0)
    is_nan = PRIMITIVES["Any"](PRIMITIVES["Isnan"](flat), axis=-1)
    return PRIMITIVES["Where"](is_nan.reshape(kept_shape) if keepdims else is_nan, math.nan, made)


@composition()
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """``quantile`` of hundredths."""
    return quantile(x, np.asarray(q, np.float64) / 100, axis=axis, method=method, keepdims=keepdims)


@composition()
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The entry in the middle, or the mean of the two there."""
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


@composition()
def corrcoef(x: Any) -> Any:
    """Correlations between the rows."""
    x = in_floats(x)
    if x.ndim < 2:
        return PRIMITIVES["OnesLike"](mean(x))
    centered = x - mean(x, axis=1, keepdims=True)
    scale = PRIMITIVES["Sqrt"](sum(PRIMITIVES["Square"](centered), axis=1, keepdims=True))
    unit = centered / scale
    return PRIMITIVES["Clip"](PRIMITIVES["Matmul"](unit, PRIMITIVES["Transpose"](unit)), -1.0, 1.0)


@composition(2)
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Sums of products of a sequence with a shifted one.

    Args:
        mode: which shifts: valid (they overlap whole), same (as many as the longer has entries), full (all).
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    n, m = x1.shape[0], x2.shape[0]
    padded = PRIMITIVES["Pad"](x1, [(m - 1, m - 1)])
    windows = PRIMITIVES["Take"](padded, np.arange(n + m - 1)[:, None] + np.arange(m), axis=0)
    whole = PRIMITIVES["Sum"](windows * PRIMITIVES["Conj"](x2), axis=-1)
    shorter, longer = (n, m) if n < m else (m, n)
    first, count = {
        "full": (0, n + m - 1), "valid": (shorter - 1, longer - shorter + 1), "same": ((shorter - 1) // 2, longer),
    }[mode]  # fmt: skip
    return whole[first : first + count]
