"""Integrals of each entry: the error function, its inverse, Bessel's functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.ops.each_entry import curve
from distnet.ops.nn.gaussian import normal_tail
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive
from distnet.ops.smooth import exp
from distnet.types import Array

_SERIES = tuple(2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(14))
"""Coefficients of ``erf(x) / x`` in powers of ``x^2``: exact to the last bit up to 0.5."""

_ANGLES = (np.arange(512) + 0.5) * (math.pi / 512)
"""Where the integrand of Bessel's functions is summed: their sums converge faster than any power."""

_CENTRAL = (
    *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503),
    *(-0.00417768164, 0.246640727, 1.50140941),
)
_OUTER = (
    *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613),
    *(0.00943887047, 1.00167406, 2.83297682),
)
"""Coefficients of the inverse, highest power first.

Source: Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011, table 5.
"""


def _erfc_of_size(size: Array) -> Array:
    return 2 * normal_tail(np.atleast_1d(size * size.dtype.type(math.sqrt(2)))).reshape(size.shape)


def _erf(x: Array) -> Array:
    size = np.abs(x)
    small = np.minimum(size, 0.5)
    square, series = small * small, np.zeros_like(small)
    for coefficient in reversed(_SERIES):
        series *= square
        series += x.dtype.type(coefficient)
    outer = np.copysign(1 - _erfc_of_size(np.where(np.isfinite(size), size, 40)), x)
    return np.where(np.isnan(x), x, np.where(size < 0.5, x * series, outer)).astype(x.dtype)


def _erfc(x: Array) -> Array:
    tail = _erfc_of_size(np.where(np.isfinite(x), np.abs(x), 40))
    return np.where(np.isnan(x), x, np.where(np.abs(x) < 0.5, 1 - _erf(x), np.where(x < 0, 2 - tail, tail)))


def _erfinv(x: Array) -> Array:
    """Giles's polynomials, and steps of Halley's method in float64."""
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        w = -np.log1p(-wide * wide)
        center, outer = np.polyval(_CENTRAL, w - 2.5), np.polyval(_OUTER, np.sqrt(np.maximum(w, 5)) - 3)
        y = np.where(w < 5, center, outer) * wide
        for _ in range(4 if x.dtype == np.float64 else 1):
            size = np.abs(y)
            error = np.where(size < 0.5, _erf(size) - np.abs(wide), (1 - np.abs(wide)) - _erfc_of_size(size))
            step = error * (math.sqrt(math.pi) / 2) * np.exp(y * y)
            y = np.copysign(size - step / (1 + size * step), y)
        y = np.where(np.abs(wide) == 1, np.copysign(np.inf, wide), np.where(np.abs(wide) > 1, np.nan, y))
    return y.astype(x.dtype)


def _i1(x: Array) -> Array:
    """``(1/pi) int_0^pi e^(x cos t) cos t dt``."""
    cosines = np.cos(_ANGLES)
    return np.asarray(np.exp(x[..., None] * cosines) @ cosines / len(_ANGLES), x.dtype)


def _of_i1(x: Any, y: Any) -> Any:
    where = PRIMITIVES["Where"]
    return where(x == 0, 0.5, i0(x) - y / where(x == 0, 1.0, x))


erf = curve(
    __name__, "erf", _erf, lambda x, y: 2 / math.sqrt(math.pi) * exp(-x * x), "The error function.", room="math"
)
erfc = curve(
    __name__, "erfc", _erfc, lambda x, y: -2 / math.sqrt(math.pi) * exp(-x * x), "``1 - erf(x)``.", room="math"
)
erfinv = curve(
    __name__, "erfinv", _erfinv, lambda x, y: math.sqrt(math.pi) / 2 * exp(y * y), "The inverse of erf.", room="math"
)
i0: Primitive = curve(__name__, "i0", np.i0, lambda x, y: i1(x), "Bessel's modified function of order 0.")
i1: Primitive = curve(__name__, "i1", _i1, _of_i1, "Bessel's modified function of order 1.")
