"""Functions that reduce axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.kernels import long_sums
from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted, floating
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import adding, along, averaging
from distnet.types import Array, ArrayLike, DType


def as_axis(axis: Any) -> Any:
    """The axes as NumPy takes them."""
    return tuple(axis) if isinstance(axis, list) else axis


def as_sum_dtype(dtype: DType) -> DType:
    """The dtype of sums and products: of 32 bits for shorter integers and truth values."""
    if dtype.kind == "b" or (dtype.kind == "i" and dtype.itemsize < 8):
        return np.dtype(np.int32)
    return np.dtype(np.uint32) if dtype.kind == "u" and dtype.itemsize < 8 else dtype


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
    x = converted(x)
    if x.dtype.kind == "f":
        return long_sums.summed(x, axis, keepdims)
    return np.asarray(np.sum(x, axis=as_axis(axis), keepdims=keepdims, dtype=as_sum_dtype(x.dtype)))


sum.has_gradients(lambda dy, y, x, axis, keepdims: spread_to(dy, x, axis, keepdims))


@primitive(spread=averaging)
def mean(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """The mean over axes, or over all."""
    x = floating(x)
    total = long_sums.of_long(x, axis, keepdims)
    if total is None:
        return np.asarray(np.mean(x, axis=as_axis(axis), keepdims=keepdims))
    total /= x.size // total.size
    return total


def _of_mean(dy: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    count = math.prod(x.shape) / (math.prod(y.shape) or 1)
    return spread_to(dy / count, x, axis, keepdims)


mean.has_gradients(_of_mean)


def _of_extreme(dy: Any, y: Any, x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    """The gradient in equal shares to the entries that are the extreme."""
    is_it = PRIMITIVES["Cast"](x == kept(y, x, axis, keepdims), x.dtype)
    count = PRIMITIVES["Maximum"](PRIMITIVES["Sum"](is_it, axis=axis, keepdims=True), 1)
    return kept(dy, x, axis, keepdims) * is_it / count


def _extreme(name: str, text: str) -> Primitive:
    function = getattr(np, name.removeprefix("a"))

    def value(x: ArrayLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Array:
        given = {} if initial is None else {"initial": initial}
        return np.asarray(function(converted(x), axis=as_axis(axis), keepdims=keepdims, **given))

    value.__name__, value.__doc__, value.__module__ = name, text, __name__
    made = primitive(spread=along())(value)
    made.has_gradients(_of_extreme)
    return made


max = _extreme("max", "The largest entry; equal ones share the gradient.")
min = _extreme("min", "The smallest entry; equal ones share the gradient.")


@composition()
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry; equal ones share the gradient."""
    return max(x, axis=axis, keepdims=keepdims)


@composition()
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry; equal ones share the gradient."""
    return min(x, axis=axis, keepdims=keepdims)


@primitive(spread=along())
def prod(x: ArrayLike, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """The product over axes, or over all."""
    x = converted(x)
    dtype = as_sum_dtype(x.dtype) if dtype is None else dtype
    return np.asarray(np.prod(x, axis=as_axis(axis), keepdims=keepdims, dtype=dtype))


def _of_prod(dy: Any, y: Any, x: Any, axis: Any, keepdims: bool, dtype: Any) -> Any:
    """The products of all other entries: those before each times those behind it, so that zeros do no harm."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, list | tuple) else (axis,)
    reduced = sorted(a % x.ndim for a in axes)
    order = [*(i for i in range(x.ndim) if i not in reduced), *reduced]
    moved = PRIMITIVES["Transpose"](x, order)
    z = moved.reshape((*(x.shape[i] for i in order[: x.ndim - len(reduced)]), math.prod(x.shape[i] for i in reduced)))
    one = PRIMITIVES["OnesLike"](z[..., :1])
    join, running = PRIMITIVES["Concatenate"], PRIMITIVES["Cumprod"]
    before = running(join([one, z[..., :-1]], axis=-1), axis=-1)
    behind = running(join([one, z[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    back = [int(i) for i in np.argsort(order)]
    return kept(dy, x, axis, keepdims) * PRIMITIVES["Transpose"]((before * behind).reshape(moved.shape), back)


prod.has_gradients(_of_prod)


@primitive(spread=along())
def any(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """Whether one entry is true."""
    return np.asarray(np.any(converted(x), axis=as_axis(axis), keepdims=keepdims))


@primitive(spread=along())
def all(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """Whether all entries are true."""
    return np.asarray(np.all(converted(x), axis=as_axis(axis), keepdims=keepdims))


@primitive(spread=along())
def count_nonzero(x: ArrayLike, axis: Any = None) -> Array:
    """The number of entries that are not 0."""
    return np.asarray(np.count_nonzero(converted(x), axis=as_axis(axis)), np.int32)


@primitive(spread=along())
def argmax(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the largest entry, the first of equal ones."""
    return np.asarray(np.argmax(converted(x), axis=axis, keepdims=keepdims), np.int32)


@primitive(spread=along())
def argmin(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Array:
    """The place of the smallest entry, the first of equal ones."""
    return np.asarray(np.argmin(converted(x), axis=axis, keepdims=keepdims), np.int32)


@primitive(module="math", spread=along())
def logsumexp(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> Array:
    """``log(sum(exp(x)))`` without overflow."""
    x = floating(x)
    largest = np.max(x, axis=as_axis(axis), keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        y = np.log(long_sums.summed(np.exp(x - largest), axis, keepdims=True)) + largest
    return np.asarray(y if keepdims else np.squeeze(y, axis=as_axis(axis)))


logsumexp.has_gradients(
    lambda dy, y, x, axis, keepdims: kept(dy, x, axis, keepdims) * PRIMITIVES["Exp"](x - kept(y, x, axis, keepdims))
)
