"""Functions that make a probability distribution of each vector, or its logarithm."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from distnet import kernels
from distnet.kernels.long_sums import summed
from distnet.kernels.readying import Call, ready
from distnet.ops.dtypes import floating
from distnet.ops.nn.pieces import exp, step
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import along
from distnet.ops.tensor import Tensor
from distnet.types import Array, ArrayLike

Axes: TypeAlias = int | tuple[int, ...] | None
"""One axis, several, or None for all."""


def total(x: Any, axis: Axes) -> Any:
    """The sum along the axes, kept as axes of 1; of arrays and of tensors."""
    if type(x) is Tensor:
        return PRIMITIVES["Sum"](x, axis=axis, keepdims=True)
    return _sum(x, axis)


def _sum(x: Array, axis: Axes) -> Array:
    """The same of arrays; NumPy rounds less where it adds along the last axis."""
    return np.sum(x, axis=axis, keepdims=True) if axis in (-1, x.ndim - 1) else summed(x, axis, keepdims=True)


def _are_vectors(axis: Axes, *arrays: Array) -> bool:
    """Whether they are for kernels: vectors along the last axis, contiguous, in one of two precisions."""
    first = arrays[0]
    is_along = axis in (-1, first.ndim - 1) and first.dtype.char in "fd" and first.size > 0
    return is_along and all(a.flags.c_contiguous and a.dtype == first.dtype and a.shape == first.shape for a in arrays)


def ready_softmax(x: Array, out: Array, axis: Axes) -> Call | None:
    """The kernel's call that writes ``softmax``; None where no kernel does it."""
    if not _are_vectors(axis, x, out):
        return None
    return ready(kernels.current().softmax, x.reshape(-1, x.shape[-1]), out.reshape(-1, x.shape[-1]))


def write_softmax(x: Array, out: Array, axis: Axes) -> None:
    """Write ``softmax``; ``out`` may be x."""
    call = ready_softmax(x, out, axis)
    if call is not None:
        call()
        return
    np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= _sum(out, axis)


def share(x: Any, axis: Axes) -> tuple[Any, Any]:
    """``x / sum(x)`` along the axes, and the sum."""
    sums = total(x, axis)
    return x / sums, sums


def share_gradient(dq: Any, q: Any, sums: Any, axis: Axes) -> Any:
    """The gradient of the input of ``share``."""
    return (dq - total(dq * q, axis)) / sums


def _products(dy: Any, y: Any, axis: Axes) -> Any:
    """The sums of the products along the axes, kept as axes of 1."""
    if axis == -1 and isinstance(dy, np.ndarray) and isinstance(y, np.ndarray):
        return np.vecdot(dy, y)[..., None]
    return total(dy * y, axis)


def write_softmax_gradient(dy: Array, y: Array, out: Array, axis: Axes) -> None:
    """Write the gradient of x; ``out`` may be ``dy``."""
    if _are_vectors(axis, dy, y, out):
        kernels.current().softmax_gradient(*(a.reshape(-1, a.shape[-1]) for a in (dy, y, out)))
        return
    np.subtract(dy, _products(dy, y, axis), out=out)
    out *= y


@primitive(module="nn", spread=along())
def softmax(x: ArrayLike, axis: Axes = -1) -> Array:
    """``exp(x_i) / sum_j exp(x_j)`` along one axis or several.

    Source: ``keras.ops.softmax``.
    """
    x = floating(x)
    out = np.empty_like(x)
    write_softmax(x, out, _as_axes(axis))
    return out


softmax.has_gradients(lambda dy, y, x, axis: (dy - _products(dy, y, _as_axes(axis))) * y)


def write_log_softmax(x: Array, out: Array, axis: Axes) -> None:
    """Write ``log_softmax``; ``out`` may be x."""
    np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    out -= np.log(_sum(np.exp(out), axis))


def write_log_softmax_gradient(dy: Array, y: Array, out: Array, axis: Axes) -> None:
    """Write the gradient of x; ``out`` may be ``dy``."""
    share = np.exp(y)
    share *= total(dy, axis)
    np.subtract(dy, share, out=out)


@primitive(module="nn", spread=along())
def log_softmax(x: ArrayLike, axis: Axes = -1) -> Array:
    """``x_i - log(sum_j exp(x_j))`` along one axis or several.

    Source: ``keras.ops.log_softmax``.
    """
    x = floating(x)
    out = np.empty_like(x)
    write_log_softmax(x, out, _as_axes(axis))
    return out


log_softmax.has_gradients(lambda dy, y, x, axis: dy - exp(y) * total(dy, _as_axes(axis)))


def write_sparsemax(x: Array, out: Array, axis: int) -> None:
    """Write ``sparsemax``; ``out`` may be x."""
    np.subtract(x, x.max(axis=axis, keepdims=True), out=out)
    falling = np.flip(np.sort(out, axis=axis), axis)
    excess = np.cumsum(falling, axis=axis)
    excess -= 1
    along_axis = [1] * x.ndim
    along_axis[axis] = -1
    ranks = np.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape(along_axis)
    kept = np.count_nonzero(falling * ranks > excess, axis=axis, keepdims=True)
    tau = np.take_along_axis(excess, kept - 1, axis=axis)
    tau /= kept
    out -= tau
    np.clip(out, 0, np.inf, out=out)


def write_sparsemax_gradient(dy: Array, y: Array, out: Array, axis: int) -> None:
    """Write the gradient of x; ``out`` may be ``dy``."""
    is_kept = step(y, 0)
    np.subtract(dy, _mean_of(dy, is_kept, axis), out=out)
    out *= is_kept


def _mean_of(dy: Any, is_kept: Any, axis: int) -> Any:
    return total(dy * is_kept, axis) / total(is_kept, axis)


@primitive(module="nn", spread=along())
def sparsemax(x: ArrayLike, axis: int = -1) -> Array:
    """The distribution nearest to x, mostly 0: ``max(x_i - tau, 0)``, with tau such that it sums to 1.

    Source: Martins and Astudillo, 2016 (arXiv:1602.02068), algorithm 1 and equation 14. Keras 3.15 adds up all
    cumulative sums instead of taking the last, so its y does not sum to 1 if two entries are positive.
    """
    x = floating(x)
    out = np.empty_like(x)
    write_sparsemax(x, out, axis)
    return out


def _of_sparsemax(dy: Any, y: Any, x: Any, axis: int) -> Any:
    is_kept = step(y, 0)
    return (dy - _mean_of(dy, is_kept, axis)) * is_kept


sparsemax.has_gradients(_of_sparsemax)


def _as_axes(axis: Any) -> Axes:
    return tuple(axis) if isinstance(axis, list) else axis
