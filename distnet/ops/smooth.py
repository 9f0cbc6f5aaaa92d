"""Powers, exponential functions and logarithms of each entry, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.ops.each_entry import curve, of_one, of_two
from distnet.ops.operators import PRIMITIVES

square = of_one(__name__, "square", np.square, lambda x, y: 2 * x, "``x^2``.")
sqrt = curve(__name__, "sqrt", np.sqrt, lambda x, y: 0.5 / y, "The square root.")
rsqrt = curve(__name__, "rsqrt", lambda x: 1 / np.sqrt(x), lambda x, y: -0.5 * y / x, "``1 / sqrt(x)``.", room="math")
cbrt = curve(__name__, "cbrt", np.cbrt, lambda x, y: 1 / (3 * y * y), "The cube root.")
reciprocal = curve(__name__, "reciprocal", np.reciprocal, lambda x, y: -y * y, "``1 / x``.")

exp = curve(__name__, "exp", np.exp, lambda x, y: y, "``e^x``.")
exp2 = curve(__name__, "exp2", np.exp2, lambda x, y: math.log(2) * y, "``2^x``.")
expm1 = curve(__name__, "expm1", np.expm1, lambda x, y: y + 1, "``e^x - 1``, exact for small x.")
log = curve(__name__, "log", np.log, lambda x, y: 1 / x, "The natural logarithm.")
log10 = curve(__name__, "log10", np.log10, lambda x, y: 1 / (math.log(10) * x), "The logarithm of base 10.")
log1p = curve(__name__, "log1p", np.log1p, lambda x, y: 1 / (1 + x), "``log(1 + x)``, exact for small x.")
log2 = curve(__name__, "log2", np.log2, lambda x, y: 1 / (math.log(2) * x), "The logarithm of base 2.")


def _share(power: Callable[[Any], Any], x: Any, y: Any) -> Any:
    """``e^(x - y)``, also of two infinite ones."""
    return PRIMITIVES["Where"](x == y, 1.0, power(x - y))


logaddexp = of_two(
    __name__, "logaddexp", np.logaddexp,
    (lambda dy, y, x1, x2: dy * _share(exp, x1, y), lambda dy, y, x1, x2: dy * _share(exp, x2, y)),
    "``log(e^x1 + e^x2)`` without overflow.", are_floats=True,
)  # fmt: skip
logaddexp2 = of_two(
    __name__, "logaddexp2", np.logaddexp2,
    (lambda dy, y, x1, x2: dy * _share(exp2, x1, y), lambda dy, y, x1, x2: dy * _share(exp2, x2, y)),
    "``log2(2^x1 + 2^x2)`` without overflow.", are_floats=True,
)  # fmt: skip
