"""Crossentropies, and the ratio of signal to noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet import config, kernels
from distnet.errors import ShapeError
from distnet.ops.compositions import composition
from distnet.ops.dtypes import floating, promoted
from distnet.ops.nn.encodings import one_hot
from distnet.ops.nn.pieces import clip_slope, exp, logarithm
from distnet.ops.nn.simplex import log_softmax, share, share_gradient, total
from distnet.ops.nn.squashing import sigmoid
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, are_placeholders, primitive
from distnet.ops.reductions import mean
from distnet.ops.smooth import log, square
from distnet.ops.spread import elementwise, is_spread, rowwise
from distnet.ops.tensor import Tensor
from distnet.types import Array, ArrayLike

_MOST_INDICATED = 48
"""Classes; so many kernels compute in one pass."""


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _check_alike(where: str, one: Any, other: Any) -> None:
    if _shape(one) != _shape(other):
        raise ShapeError(f"ops.{where}: expected two tensors of one shape, received {_shape(one)} and {_shape(other)}.")


def clipped(p: Any) -> Any:
    """Probabilities, clipped to where their logarithms are finite."""
    epsilon = config.epsilon()
    if type(p) is Tensor or are_placeholders(p):
        return PRIMITIVES["Clip"](p, epsilon, 1.0 - epsilon)
    return np.minimum(np.maximum(p, epsilon), 1.0 - epsilon)


def inside(p: Any) -> Any:
    """The slope of ``clipped``."""
    return clip_slope(p, config.epsilon(), 1.0 - config.epsilon())


def binary_of_shares(t: Array, p: Array) -> Array:
    """``-(t log(p) + (1 - t) log(1 - p))`` for p clipped already."""
    return np.asarray(-(t * np.log(p) + (1.0 - t) * np.log(1.0 - p)))


def binary_of_shares_slope(t: Any, p: Any) -> Any:
    """Its derivative by p."""
    return (1.0 - t) / (1.0 - p) - t / p


def binary_of_logits(t: Array, z: Array) -> Array:
    """``max(z, 0) - t z + log(1 + exp(-|z|))``, the same for ``p = sigmoid(z)``."""
    return np.asarray(np.maximum(z, 0.0) - t * z + np.log1p(np.exp(-np.abs(z))))


def ready_binary(z: Array, slopes: Array) -> Callable[[Array], Array]:
    """``binary_of_logits`` of logits that stand where they are, for targets like them; its slopes are written, too.

    Returns:
        A function of the targets that gives the entries, in memory that it uses again.
    """
    entries, other = np.empty_like(z), np.empty_like(z)

    def write(t: Array) -> Array:
        np.maximum(z, 0.0, out=entries)
        np.subtract(entries, np.multiply(t, z, other), entries)
        np.log1p(np.exp(np.negative(np.abs(z, other), other), other), other)
        sigmoid.write(z, slopes)
        np.subtract(slopes, t, slopes)
        return np.add(entries, other, entries)

    return write


def binary_of_logits_slope(t: Any, z: Any) -> Any:
    """Its derivative by z."""
    return sigmoid.of(z) - t


@primitive(2, module="nn", spread=elementwise)
def binary_crossentropy(target: ArrayLike, output: ArrayLike, from_logits: bool = False) -> Array:
    """``-(t log(p) + (1 - t) log(1 - p))`` of each entry; p is clipped to [epsilon, 1 - epsilon].

    Args:
        from_logits: whether ``output`` are logits z, with ``p = sigmoid(z)``.

    Source: ``keras.ops.binary_crossentropy``.
    """
    _check_alike("binary_crossentropy", target, output)
    t, y = promoted(target, floating(output))
    return binary_of_logits(t, y) if from_logits else binary_of_shares(t, clipped(y))


def _of_binary_target(dy: Any, y: Any, target: Any, output: Any, from_logits: bool) -> Any:
    if from_logits:
        return -dy * output
    p = clipped(output)
    return dy * (logarithm(1.0 - p) - logarithm(p))


def _of_binary_output(dy: Any, y: Any, target: Any, output: Any, from_logits: bool) -> Any:
    if from_logits:
        return dy * binary_of_logits_slope(target, output)
    return dy * (binary_of_shares_slope(target, clipped(output)) * inside(output))


binary_crossentropy.has_gradients(_of_binary_target, _of_binary_output)


def _by_both(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows of both, unless the classes are along them."""
    if all(map(is_spread, operands)) and options["axis"] % operands[1].ndim:
        return rowwise(function, operands, options)
    return None


def categorical_of_logits(t: Array, z: Array, axis: int) -> tuple[Array, Array]:
    """``-sum(t log_softmax(z))`` of arrays of one shape and dtype, and its derivative by z."""
    if axis not in (-1, z.ndim - 1):
        values, slopes = categorical_of_logits(np.moveaxis(t, axis, -1), np.moveaxis(z, axis, -1), -1)
        return values, np.moveaxis(slopes, -1, axis)
    rows = (math.prod(z.shape[:-1]), z.shape[-1])
    values, slopes = np.empty(rows[0], z.dtype), np.empty(rows, z.dtype)
    logits, targets = np.ascontiguousarray(z).reshape(rows), np.ascontiguousarray(t).reshape(rows)
    kernels.current().softmax_crossentropy(logits, targets, values, slopes)
    return values.reshape(z.shape[:-1]), slopes.reshape(z.shape)


def are_few(z: Array, axis: int) -> bool:
    """Whether classes along the last axis are so few that targets of 0 and 1 take less time than looking labels up."""
    return axis in (-1, z.ndim - 1) and z.shape[-1] <= _MOST_INDICATED


def indicators(labels: Array, out: Array) -> Array:
    """Write 1 where the last axis of ``out`` has the label's number, else 0."""
    np.equal(labels[..., np.newaxis], np.arange(out.shape[-1]), out=out)
    return out


def ready_categorical(t: Array, z: Array) -> tuple[Callable[[Array, Any], object], Array, Array] | None:
    """``categorical_of_logits`` of logits that stand where they are, for targets like ``t``.

    Returns:
        A function of the targets and of a factor of the slopes, and the values and slopes that it writes; None unless
        both arrays are of one shape and dtype, and the logits contiguous. Values are in float64, in which they are
        added up, unless there are so many that NumPy would convert them in parts.
    """
    if t.shape != z.shape or t.dtype != z.dtype or z.ndim < 2 or not z.flags.c_contiguous:
        return None
    rows = (math.prod(z.shape[:-1]), z.shape[-1])
    dtype = np.dtype(np.float64) if rows[0] <= np.getbufsize() else z.dtype
    logits, values, slopes = z.reshape(rows), np.empty(rows[0], dtype), np.empty(rows, z.dtype)
    write = kernels.current().softmax_crossentropy

    def evaluate(t: Array, factor: Any) -> None:
        if t.ndim > 2 or not t.flags.c_contiguous:
            t = np.ascontiguousarray(t).reshape(rows)
        write(logits, t, values, slopes, factor)

    return evaluate, values.reshape(z.shape[:-1]), slopes.reshape(z.shape)


def categorical_of_logits_slope(t: Any, log_q: Any, axis: int) -> Any:
    """The derivative of ``-sum(t log_softmax(z))`` by z, of ``log_q = log_softmax(z)``."""
    return exp(log_q) * total(t, axis) - t


def categorical_of_shares_slope(t: Any, q: Any, sums: Any, axis: int) -> Any:
    """The derivative of ``-sum(t log(clipped(q)))`` by p, of ``q = p / sums``."""
    return share_gradient(-t / clipped(q) * inside(q), q, sums, axis)


@primitive(2, module="nn", spread=_by_both)
def categorical_crossentropy(target: ArrayLike, output: ArrayLike, from_logits: bool = False, axis: int = -1) -> Array:
    """``-sum(t log(q))`` over the classes of one-hot targets; ``q = p / sum(p)``, clipped to [epsilon, 1 - epsilon].

    Args:
        from_logits: whether ``output`` are logits z, with ``q = softmax(z)``.
        axis: of the classes.

    Source: ``keras.ops.categorical_crossentropy``.
    """
    _check_alike("categorical_crossentropy", target, output)
    t, y = promoted(target, floating(output))
    return np.asarray(-(t * _log_shares(y, from_logits, axis)).sum(axis=axis))


def _of_categorical_target(dy: Any, y: Any, target: Any, output: Any, from_logits: bool, axis: int) -> Any:
    return -_along(dy, axis) * _log_shares(output, from_logits, axis)


def _of_categorical_output(dy: Any, y: Any, target: Any, output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        slope = categorical_of_logits_slope(target, _log_shares(output, True, axis), axis)
    else:
        q, sums = share(output, axis)
        slope = categorical_of_shares_slope(target, q, sums, axis)
    return _along(dy, axis) * slope


categorical_crossentropy.has_gradients(_of_categorical_target, _of_categorical_output)


def _along(dy: Any, axis: int) -> Any:
    return PRIMITIVES["ExpandDims"](dy, axis)


def _log_shares(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis=axis)
    return logarithm(clipped(share(output, axis)[0]))


@composition(2, module="nn")
def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """``-log(q[t])``, the crossentropy of class numbers; q as in ``categorical_crossentropy``.

    Shapes:
        target (...) or (..., 1), output (..., C) -> (...).

    Source: ``keras.ops.sparse_categorical_crossentropy``.
    """
    shape, of_output = _shape(target), _shape(output)
    if len(shape) == len(of_output) and shape[-1] == 1:
        target, shape = PRIMITIVES["Squeeze"](target, -1), shape[:-1]
    if shape != of_output[:-1]:
        raise ShapeError(
            "ops.sparse_categorical_crossentropy: expected class numbers in the shape of the output but for the last "
            f"axis, received {shape} and {of_output}."
        )
    numbers = PRIMITIVES["Cast"](target, "int32")
    dtype = output.dtype.name if hasattr(output, "dtype") else config.floatx()
    shares = one_hot(numbers, of_output[axis], axis=axis, dtype=dtype)
    return -PRIMITIVES["Sum"](shares * _log_shares(output, from_logits, axis), axis=axis)


@composition(2, kind="PSNR", module="nn")
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Peak signal-to-noise ratio in decibels, ``20 log10(max_val) - 10 log10(mean((x1 - x2)^2))``.

    Source: ``keras.ops.psnr``.
    """
    _check_alike("psnr", x1, x2)
    return 20 * math.log10(max_val) - log(mean(square(x1 - x2))) * (10 / math.log(10))
