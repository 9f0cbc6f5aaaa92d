"""Arithmetic of matching entries of two tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.ops.dtypes import converted, floating
from distnet.ops.each_entry import of_one, of_two
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike

add = of_two(
    __name__, "add", np.add, (lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: dy), "``x1 + x2``."
)  # fmt: skip
multiply = of_two(
    __name__, "multiply", np.multiply, (lambda dy, y, x1, x2: dy * x2, lambda dy, y, x1, x2: dy * x1), "``x1 x2``."
)


def _difference(x1: Array, x2: Array) -> Array:
    """NumPy does not subtract truth values."""
    return np.logical_xor(x1, x2) if x1.dtype.kind == "b" else np.subtract(x1, x2)


subtract = of_two(
    __name__, "subtract", _difference, (lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: -dy), "``x1 - x2``."
)
_OF_QUOTIENT = (lambda dy, y, x1, x2: dy / x2, lambda dy, y, x1, x2: -dy * y / x2)
divide = of_two(__name__, "divide", np.true_divide, _OF_QUOTIENT, "``x1 / x2``.", are_floats=True)
true_divide = of_two(__name__, "true_divide", np.true_divide, _OF_QUOTIENT, "``x1 / x2``.", are_floats=True)


def _quotient_or_zero(x1: Array, x2: Array) -> Array:
    out = np.zeros(np.broadcast_shapes(x1.shape, x2.shape), x1.dtype)
    return np.true_divide(x1, x2, out=out, where=x2 != 0)


divide_no_nan = of_two(
    __name__, "divide_no_nan", _quotient_or_zero,
    (
        lambda dy, y, x1, x2: PRIMITIVES["DivideNoNan"](dy, x2),
        lambda dy, y, x1, x2: PRIMITIVES["DivideNoNan"](-dy * y, x2),
    ),
    "``x1 / x2``; 0 where x2 is 0.", are_floats=True,
)  # fmt: skip


def _of_base(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    """``x2 x1^(x2-1)``, and 0 where x2 is 0.

    Source: ``jax.numpy.power``.
    """
    if isinstance(x2, int | float):
        return dy * (x2 * x1 ** (x2 - 1)) if x2 else dy * 0
    where = PRIMITIVES["Where"]
    return dy * where(x2 == 0, 0.0, x2 * x1 ** where(x2 == 0, 1.0, x2 - 1))


def _of_exponent(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    """``x1^x2 log x1``, and 0 where x1 is 0."""
    where = PRIMITIVES["Where"]
    return dy * y * PRIMITIVES["Log"](where(x1 == 0, 1.0, x1))


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which takes truth values as integers."""
    return lambda x1, x2: function(*(x.astype(np.int32) if x.dtype.kind == "b" else x for x in (x1, x2)))


power = of_two(__name__, "power", _of_numbers(np.power), (_of_base, _of_exponent), "``x1 ** x2``.")
floor_divide = of_two(__name__, "floor_divide", _of_numbers(np.floor_divide), (), "``x1 / x2``, rounded down.")
mod = of_two(
    __name__, "mod", _of_numbers(np.mod),
    (lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: -dy * PRIMITIVES["FloorDivide"](x1, x2)),
    "What ``floor_divide`` leaves, of the sign of x2.",
)  # fmt: skip
fmod = of_two(
    __name__, "fmod", np.fmod,
    (lambda dy, y, x1, x2: dy, lambda dy, y, x1, x2: -dy * PRIMITIVES["Trunc"](x1 / x2)),
    "What division leaves, of the sign of x1.",
)  # fmt: skip
gcd = of_two(__name__, "gcd", np.gcd, (), "The greatest common divisor of integers.")
lcm = of_two(__name__, "lcm", np.lcm, (), "The least common multiple of integers.")
nextafter = of_two(
    __name__, "nextafter", np.nextafter, (), "The number next to x1 towards x2; without gradient.", are_floats=True
)
negative = of_one(__name__, "negative", np.negative, lambda x, y: -1, "``-x``.")
negative.has_gradients(lambda dy, y, x: -dy)


@primitive(2, spread=elementwise)
def ldexp(x1: ArrayLike, x2: ArrayLike) -> Array:
    """``x1 2^x2``, of integers x2.

    Source: ``keras.ops.ldexp``.
    """
    x1 = floating(x1)
    return np.asarray(np.ldexp(x1, converted(x2))).astype(x1.dtype)


ldexp.has_gradients(lambda dy, y, x1, x2: PRIMITIVES["Ldexp"](dy, x2))
