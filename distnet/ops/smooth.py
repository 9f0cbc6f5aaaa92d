"""Smooth functions of each entry."""

from __future__ import annotations

import numpy as np

from distnet.ops.dtypes import floating
from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike


@primitive(spread=elementwise)
def square(x: ArrayLike) -> Array:
    """``x^2``."""
    return np.asarray(np.square(x))


square.has_gradients(lambda dy, y, x: dy * (2 * x))


@primitive(spread=elementwise)
def exp(x: ArrayLike) -> Array:
    """``e^x``."""
    return np.asarray(np.exp(floating(x)))


exp.has_gradients(lambda dy, y, x: dy * y)


@primitive(spread=elementwise)
def log(x: ArrayLike) -> Array:
    """The natural logarithm."""
    return np.asarray(np.log(floating(x)))


log.has_gradients(lambda dy, y, x: dy / x)


@primitive(spread=elementwise)
def tanh(x: ArrayLike) -> Array:
    """The hyperbolic tangent."""
    return np.asarray(np.tanh(floating(x)))


tanh.has_gradients(lambda dy, y, x: dy * (1 - y * y))
