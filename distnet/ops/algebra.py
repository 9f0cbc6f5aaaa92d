"""Arithmetic of matching entries of two tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.dtypes import floating, promoted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike


@primitive(2, spread=elementwise)
def add(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 + x2``."""
    return np.asarray(np.add(*promoted(x1, x2)))


add.has_gradients(lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: dy)


@primitive(2, spread=elementwise)
def subtract(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 - x2``."""
    return np.asarray(np.subtract(*promoted(x1, x2)))


subtract.has_gradients(lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: -dy)


@primitive(2, spread=elementwise)
def multiply(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 x2``."""
    return np.asarray(np.multiply(*promoted(x1, x2)))


multiply.has_gradients(lambda dy, y, x1, x2: dy * x2, lambda dy, y, x1, x2: dy * x1)


@primitive(2, spread=elementwise)
def divide(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 / x2``."""
    return np.asarray(np.true_divide(*promoted(floating(x1) if _are_integers(x1, x2) else x1, x2)))


@primitive(2, spread=elementwise)
def true_divide(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 / x2``."""
    return np.asarray(np.true_divide(*promoted(floating(x1) if _are_integers(x1, x2) else x1, x2)))


for _quotient in (divide, true_divide):
    _quotient.has_gradients(lambda dy, y, x1, x2: dy / x2, lambda dy, y, x1, x2: -dy * y / x2)


@primitive(2, spread=elementwise)
def power(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 ** x2``."""
    return np.asarray(np.power(*promoted(x1, x2)))


def _of_base(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    """``x2 x1^(x2-1)``, and 0 where x2 is 0.

    Source: ``jax.numpy.power``.
    """
    if isinstance(x2, int | float):
        return dy * (x2 * x1 ** (x2 - 1)) if x2 else dy * 0
    where = PRIMITIVES["Where"]
    return dy * where(x2 == 0, 0.0, x2 * x1 ** where(x2 == 0, 1.0, x2 - 1))


def _of_exponent(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    """``x1^x2 log x1``, and 0 where x1 is not positive."""
    where = PRIMITIVES["Where"]
    return dy * y * PRIMITIVES["Log"](where(x1 > 0, x1, 1.0))


power.has_gradients(_of_base, _of_exponent)


@primitive(1, spread=elementwise)
def negative(x: ArrayLike) -> Array:
    """``-x``."""
    return np.asarray(np.negative(x))


negative.has_gradients(lambda dy, y, x: -dy)


def _are_integers(x1: Any, x2: Any) -> bool:
    return np.asarray(x1).dtype.kind in "biu" and np.asarray(x2).dtype.kind in "biu"
