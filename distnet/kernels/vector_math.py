"""Sigmoid, tanh and exp as compiled loops compute them: without branches, so that loops become vectors.

``exp(x) = 2^n exp(r)`` with n the integer nearest to ``x / log(2)``; ``exp(r) - 1`` is its series, as long as the dtype
needs it. Results are off by at most 3 units in the last place, those of NumPy's tanh by 2.

Source: Cody and Waite, 1980, for the two parts of log(2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload


class _Precision(NamedTuple):
    """What depends on the dtype.

    Args:
        number: its type.
        terms: of the series.
        high, low: parts of log(2); the first has so few bits that its products with n are exact.
        limit: of the argument of exp; beyond it ``2^n`` is no normal number.
    """

    number: type[Any]
    terms: int
    high: float
    low: float
    limit: float


_SINGLE = _Precision(np.float32, 7, 0.693359375, -2.12194440e-4, 87.0)
_DOUBLE = _Precision(np.float64, 13, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 708.0)


def _precision(x: Any) -> _Precision:
    return _SINGLE if x == types.float32 else _DOUBLE


def _power_of_2(typing_context: Any, n: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """``2^n`` for an int32 n as a number like ``like``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, bias, fraction = (32, 127, 23) if signature.return_type == types.float32 else (64, 1023, 52)
        whole = ir.IntType(bits)
        exponent = arguments[0] if bits == 32 else builder.sext(arguments[0], whole)
        shifted = builder.shl(builder.add(exponent, ir.Constant(whole, bias)), ir.Constant(whole, fraction))
        return builder.bitcast(shifted, context.get_value_type(signature.return_type))

    return like(types.int32, like), generate


power_of_2: Any = intrinsic(_power_of_2)


def _exp_parts(x: float) -> tuple[float, float]:
    """``2^n`` and ``exp(r) - 1``, such that ``exp(x) = 2^n exp(r)``; x within the limit, or NaN."""
    raise NotImplementedError


@overload(_exp_parts)
def _compiled_exp_parts(x: Any) -> Callable[[Any], Any]:
    number, terms, *parts, _ = _precision(x)
    inverse, half, high, low = map(number, (1 / math.log(2), 0.5, *parts))
    c = tuple(number(1 / math.factorial(i)) for i in range(2, terms + 1))
    if number is np.float32:

        def of_single(x: Any) -> Any:
            n = np.floor(x * inverse + half)
            r = (x - n * high) - n * low
            rest = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * c[5]))))
            return power_of_2(np.int32(n), x), r + r * r * rest

        return of_single

    def of_double(x: Any) -> Any:
        n = np.floor(x * inverse + half)
        r = (x - n * high) - n * low
        rest = c[6] + r * (c[7] + r * (c[8] + r * (c[9] + r * (c[10] + r * c[11]))))
        rest = c[0] + r * (c[1] + r * (c[2] + r * (c[3] + r * (c[4] + r * (c[5] + r * rest)))))
        return power_of_2(np.int32(n), x), r + r * r * rest

    return of_double


def sigmoid(x: float) -> float:
    """``1 / (1 + exp(-x))``, for compiled code only; never below ``exp(-87)``, or ``exp(-708)``."""
    raise NotImplementedError


@overload(sigmoid)
def _compiled_sigmoid(x: Any) -> Callable[[Any], Any]:
    number, limit = _precision(x).number, _precision(x).limit
    most, least, one = number(limit), number(-limit), number(1)

    def compute(x: Any) -> Any:
        z = -x
        z = most if z > most else z  # NaN stays NaN
        z = least if z < least else z
        power, rest = _exp_parts(z)
        return one / (one + (power + power * rest))

    return compute


def tanh(x: float) -> float:
    """The hyperbolic tangent, ``e / (e + 2)`` with ``e = exp(2 |x|) - 1``, for compiled code only."""
    raise NotImplementedError


@overload(tanh)
def _compiled_tanh(x: Any) -> Callable[[Any], Any]:
    number = _precision(x).number
    zero, one, two, most = map(number, (0, 1, 2, 40))

    def compute(x: Any) -> Any:
        z = abs(x) * two
        z = most if z > most else z  # NaN stays NaN
        power, rest = _exp_parts(z)
        e = power * rest + (power - one)
        y = e / (e + two)
        return -y if x < zero else y

    return compute


def exp_below_0(x: float) -> float:
    """``exp(x)`` for x up to 0; compiled code takes it of whole vectors, with 0 below -87, or -708."""
    return math.exp(x)


@overload(exp_below_0)
def _compiled_exp_below_0(x: Any) -> Callable[[Any], Any]:
    number, limit = _precision(x).number, _precision(x).limit
    least, zero = number(-limit), number(0)

    def compute(x: Any) -> Any:
        z = least if x < least else x  # NaN stays NaN
        power, rest = _exp_parts(z)
        return zero if x < least else power + power * rest

    return compute
