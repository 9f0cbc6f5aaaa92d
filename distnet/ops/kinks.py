"""Functions of each entry with steps and kinks: sizes, signs, bounds, rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.dtypes import converted, promoted
from distnet.ops.each_entry import curve, of_one, of_two
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike


def side(x: Any) -> Any:
    """The slope of ``|x|``: 1 from 0 on, else -1, which it is for nan, too.

    Source: ``jax.numpy.absolute``.
    """
    if isinstance(x, np.ndarray):
        slope = np.asarray(x >= 0).astype(x.dtype)
        slope *= 2
        slope -= 1
        return slope
    return PRIMITIVES["Cast"](PRIMITIVES["Where"](x >= 0, 1, -1), x.dtype)


def _side(x: Any, y: Any) -> Any:
    return PRIMITIVES["Conj"](x) / y if x.dtype.kind == "c" else side(x)


absolute = of_one(__name__, "absolute", np.absolute, _side, "``|x|``; the slope at 0 is 1.")
abs = of_one(__name__, "abs", np.absolute, _side, "``|x|``; the slope at 0 is 1.")
fabs = curve(__name__, "fabs", np.fabs, _side, "``|x|`` as a floating point number.")
sign = of_one(__name__, "sign", np.sign, None, "-1, 0 or 1.")
signbit = of_one(__name__, "signbit", np.signbit, None, "Whether the sign is set, of -0.0, too.")
ceil = curve(__name__, "ceil", np.ceil, None, "The smallest integer from x on.")
floor = curve(__name__, "floor", np.floor, None, "The largest integer up to x.")


def _whole_part(x: Array) -> Array:
    """Integers stay what they are, which NumPy before 2.1 makes float64."""
    return np.array(x) if x.dtype.kind in "biu" else np.asarray(np.trunc(x))


trunc = of_one(__name__, "trunc", _whole_part, None, "x without its fraction.")


@primitive(spread=elementwise)
def round(x: ArrayLike, decimals: int = 0) -> Array:
    """``x`` rounded to so many decimals; a half goes to the even number."""
    return np.asarray(np.round(converted(x), decimals))


def _share(dy: Any, y: Any, one: Any, other: Any) -> Any:
    """The gradient by the operand that was taken; equal ones share it by half."""
    where = PRIMITIVES["Where"]
    return dy * where(one == y, where(other == y, 0.5, 1.0), 0.0)


def _of_first(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    return _share(dy, y, x1, x2)


def _of_second(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
    return _share(dy, y, x2, x1)


maximum = of_two(
    __name__, "maximum", np.maximum, (_of_first, _of_second), "The larger entry; gradients of equal ones are halved."
)
minimum = of_two(
    __name__, "minimum", np.minimum, (_of_first, _of_second), "The smaller entry; gradients of equal ones are halved."
)


def _where_first(is_first: Any) -> Any:
    def of_first(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
        return PRIMITIVES["Where"](is_first(x1, x2), dy, 0.0)

    def of_second(dy: Any, y: Any, x1: Any, x2: Any) -> Any:
        return PRIMITIVES["Where"](is_first(x1, x2), 0.0, dy)

    return of_first, of_second


fmax = of_two(
    __name__, "fmax", np.fmax, _where_first(lambda x1, x2: (x1 > x2) | (x2 != x2)), "The larger entry, none of NaN."
)
fmin = of_two(
    __name__, "fmin", np.fmin, _where_first(lambda x1, x2: (x1 < x2) | (x2 != x2)), "The smaller entry, none of NaN."
)
heaviside = of_two(
    __name__, "heaviside", np.heaviside,
    (None, lambda dy, y, x1, x2: PRIMITIVES["Where"]((x1 < 0) | (x1 > 0), 0.0, dy)),
    "0 where x1 is negative, 1 where it is positive, x2 where it is 0.", are_floats=True,
)  # fmt: skip


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """The entries within bounds; at a bound their gradient is halved.

    Source: ``keras.ops.clip``.
    """
    if all(bound is None or isinstance(bound, int | float) for bound in (x_min, x_max)):
        return _clip(x, x_min, x_max)
    from_below = x if x_min is None else maximum(x, x_min)
    return from_below if x_max is None else minimum(from_below, x_max)


@primitive(kind="Clip", spread=elementwise)
def _clip(x: ArrayLike, x_min: float | None, x_max: float | None) -> Array:
    """The entries within two numbers."""
    x, low, high = promoted(x, *(0 if bound is None else bound for bound in (x_min, x_max)))
    return np.asarray(np.clip(x, None if x_min is None else low, None if x_max is None else high))


def _of_clipped(dy: Any, y: Any, x: Any, x_min: Any, x_max: Any) -> Any:
    where, share = PRIMITIVES["Where"], dy
    if x_min is not None:
        share = share * where(x > x_min, 1.0, where(x == x_min, 0.5, 0.0))
    if x_max is not None:
        share = share * where(x < x_max, 1.0, where(x == x_max, 0.5, 0.0))
    return share


_clip.has_gradients(_of_clipped)


@primitive(spread=elementwise)
def nan_to_num(x: ArrayLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Array:
    """``x`` with NaN and infinities replaced: by default by 0 and the dtype's largest and smallest number.

    Source: ``keras.ops.nan_to_num``; NumPy's takes ``copy`` first.
    """
    return np.asarray(np.nan_to_num(converted(x), nan=nan, posinf=posinf, neginf=neginf))


nan_to_num.has_gradients(lambda dy, y, x, **options: PRIMITIVES["Where"](PRIMITIVES["Isfinite"](x), dy, 0.0))
