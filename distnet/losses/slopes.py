"""Pieces that several losses share, with the slopes that automatic differentiation gives them.

Where a minimum or maximum changes sides, both sides count half, as in JAX.
"""

from __future__ import annotations

import numpy as np

from distnet.ops.nn import simplex, squashing
from distnet.types import Array


def clip(x: Array, low: float, high: float) -> Array:
    """``min(max(x, low), high)``."""
    return np.asarray(np.minimum(np.maximum(x, low), high))


def max_slope(x: Array) -> Array:
    """The slope of ``max(x, 0)``: 1 above 0, 0 below, a half at 0."""
    return np.asarray(np.heaviside(x, 0.5))


def power_slope(base: Array, exponent: float) -> Array:
    """``d base**exponent / d base`` for ``base >= 0``; 0 where it is infinite."""
    if exponent >= 1:
        return np.asarray(exponent * np.power(base, exponent - 1))
    if exponent == 0:
        return np.zeros_like(base)
    return np.asarray(exponent * np.power(base, exponent - 1, where=base > 0, out=np.zeros_like(base)))


def log_softmax(z: Array, axis: int) -> Array:
    """``z - log(sum(exp(z)))`` along an axis, without overflow."""
    y = np.empty_like(z)
    simplex.write_log_softmax(z, y, axis)
    return y


def write_mean(x: Array, out: Array) -> None:
    """``x.mean(axis=-1)``, to the last bit, without the checks."""
    np.add.reduce(x, -1, out=out)
    np.true_divide(out, x.shape[-1], out)


def sigmoid(z: Array) -> Array:
    """``1 / (1 + exp(-z))``, without overflow."""
    y = np.empty_like(z)
    squashing.sigmoid.write(z, y)
    return y


def softmax_pullback(dp: Array, p: Array, axis: int) -> Array:
    """The gradient of the input of a softmax, whose output was ``p``."""
    dz = np.empty_like(dp)
    simplex.write_softmax_gradient(dp, p, dz, axis)
    return dz
