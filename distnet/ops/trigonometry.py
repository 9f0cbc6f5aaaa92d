"""Trigonometric and hyperbolic functions of each entry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distnet.ops.each_entry import curve, of_two
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive
from distnet.ops.smooth import rsqrt


def tanh_slope(y: Any) -> Any:
    """The derivative of ``y = tanh(x)``."""
    return 1 - y * y


sin: Primitive = curve(__name__, "sin", np.sin, lambda x, y: cos(x), "The sine.")
cos: Primitive = curve(__name__, "cos", np.cos, lambda x, y: -sin(x), "The cosine.")
tan = curve(__name__, "tan", np.tan, lambda x, y: 1 + y * y, "The tangent.")
arcsin = curve(__name__, "arcsin", np.arcsin, lambda x, y: rsqrt(1 - x * x), "The inverse of the sine.")
arccos = curve(__name__, "arccos", np.arccos, lambda x, y: -rsqrt(1 - x * x), "The inverse of the cosine.")
arctan = curve(__name__, "arctan", np.arctan, lambda x, y: 1 / (1 + x * x), "The inverse of the tangent.")
sinh: Primitive = curve(__name__, "sinh", np.sinh, lambda x, y: cosh(x), "The hyperbolic sine.")
cosh: Primitive = curve(__name__, "cosh", np.cosh, lambda x, y: sinh(x), "The hyperbolic cosine.")
tanh = curve(__name__, "tanh", np.tanh, lambda x, y: tanh_slope(y), "The hyperbolic tangent.")
arcsinh = curve(__name__, "arcsinh", np.arcsinh, lambda x, y: rsqrt(x * x + 1), "The inverse of sinh.")
arccosh = curve(__name__, "arccosh", np.arccosh, lambda x, y: rsqrt((x - 1) * (x + 1)), "The inverse of cosh.")
arctanh = curve(__name__, "arctanh", np.arctanh, lambda x, y: 1 / (1 - x * x), "The inverse of tanh.")
deg2rad = curve(__name__, "deg2rad", np.deg2rad, lambda x, y: math.pi / 180, "Degrees as radians.")
rad2deg = curve(__name__, "rad2deg", np.rad2deg, lambda x, y: 180 / math.pi, "Radians as degrees.")

arctan2 = of_two(
    __name__, "arctan2", np.arctan2,
    (lambda dy, y, x1, x2: dy * x2 / (x1 * x1 + x2 * x2), lambda dy, y, x1, x2: -dy * x1 / (x1 * x1 + x2 * x2)),
    "The angle of the point (x2, x1).", are_floats=True,
)  # fmt: skip
hypot = of_two(
    __name__, "hypot", np.hypot,
    (lambda dy, y, x1, x2: dy * x1 / y, lambda dy, y, x1, x2: dy * x2 / y),
    "``sqrt(x1^2 + x2^2)`` without overflow.", are_floats=True,
)  # fmt: skip


def _of_sinc(x: Any, y: Any) -> Any:
    """``(cos(pi x) - y) / x``, and 0 at 0."""
    where = PRIMITIVES["Where"]
    return where(x == 0, 0.0, (cos(math.pi * x) - y) / where(x == 0, 1.0, x))


sinc = curve(__name__, "sinc", np.sinc, _of_sinc, "``sin(pi x) / (pi x)``, and 1 at 0.")
