"""Functions that compare and tell truth values and bits apart; they have no gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.ops.dtypes import converted, promoted, promoted_floats
from distnet.ops.each_entry import of_one, of_two
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike

equal = of_two(__name__, "equal", np.equal, (), "Where the entries are equal.")
not_equal = of_two(__name__, "not_equal", np.not_equal, (), "Where the entries differ.")
greater = of_two(__name__, "greater", np.greater, (), "Where ``x1 > x2``.")
greater_equal = of_two(__name__, "greater_equal", np.greater_equal, (), "Where ``x1 >= x2``.")
less = of_two(__name__, "less", np.less, (), "Where ``x1 < x2``.")
less_equal = of_two(__name__, "less_equal", np.less_equal, (), "Where ``x1 <= x2``.")
logical_and = of_two(__name__, "logical_and", np.logical_and, (), "Where both are true.")
logical_or = of_two(__name__, "logical_or", np.logical_or, (), "Where one is true.")
logical_xor = of_two(__name__, "logical_xor", np.logical_xor, (), "Where exactly one is true.")
logical_not = of_one(__name__, "logical_not", np.logical_not, None, "Where it is false.")

isfinite = of_one(__name__, "isfinite", np.isfinite, None, "Where it is neither infinite nor NaN.")
isinf = of_one(__name__, "isinf", np.isinf, None, "Where it is infinite.")
isnan = of_one(__name__, "isnan", np.isnan, None, "Where it is NaN.")
isneginf = of_one(__name__, "isneginf", np.isneginf, None, "Where it is minus infinity.")
isposinf = of_one(__name__, "isposinf", np.isposinf, None, "Where it is plus infinity.")
isreal = of_one(__name__, "isreal", np.isreal, None, "Where the imaginary part is 0.")


def _of_bits(name: str, function: Callable[..., Any], text: str) -> Primitive:
    def value(x: ArrayLike, y: ArrayLike) -> Array:
        return np.asarray(function(*promoted(x, y)))

    value.__name__, value.__module__, value.__doc__ = name, __name__, text
    return primitive(2, spread=elementwise)(value)


bitwise_and = _of_bits("bitwise_and", np.bitwise_and, "The bits that both have.")
bitwise_or = _of_bits("bitwise_or", np.bitwise_or, "The bits that one has.")
bitwise_xor = _of_bits("bitwise_xor", np.bitwise_xor, "The bits that exactly one has.")
bitwise_not = of_one(__name__, "bitwise_not", np.bitwise_not, None, "The bits that it has not.")
bitwise_invert = of_one(__name__, "bitwise_invert", np.bitwise_not, None, "The bits that it has not.")


left_shift = _of_bits("left_shift", np.left_shift, "``x 2^y`` of integers.")
bitwise_left_shift = _of_bits("bitwise_left_shift", np.left_shift, "``x 2^y`` of integers.")
right_shift = _of_bits("right_shift", np.right_shift, "``x / 2^y`` of integers, rounded down.")
bitwise_right_shift = _of_bits("bitwise_right_shift", np.right_shift, "``x / 2^y`` of integers, rounded down.")


@primitive(2, spread=elementwise)
def isclose(
    x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Array:  # fmt: skip
    """Where ``|x1 - x2| <= atol + rtol |x2|``."""
    a, b = promoted_floats(x1, x2)
    return np.asarray(np.isclose(a, b, rtol, atol, equal_nan))


@primitive(2, kind="AllClose")
def allclose(
    x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Array:  # fmt: skip
    """Whether ``isclose`` holds for all entries."""
    a, b = promoted_floats(x1, x2)
    return np.asarray(np.allclose(a, b, rtol, atol, equal_nan))


@primitive(2, kind="IsIn")
def isin(x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False, invert: bool = False) -> Array:
    """Where the entries of x1 are among those of x2."""
    return np.isin(converted(x1), converted(x2), assume_unique=assume_unique, invert=invert)
