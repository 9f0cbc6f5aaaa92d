"""Makes functions of each entry of the operands by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from distnet.ops.dtypes import converted, floating, promoted, promoted_floats
from distnet.ops.primitive import Gradient, Primitive, primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike

Slope = Callable[[Any, Any], Any]
"""``(x, y)`` -> the derivative; written with operators and functions of this package."""


def _made(value: Callable[..., Array], name: str, module: str, text: str, operands: int, room: str) -> Primitive:
    value.__name__, value.__module__, value.__doc__ = name, module, text
    return primitive(operands, module=room, spread=elementwise)(value)


def curve(
    module: str, name: str, function: Callable[..., Any], slope: Slope | None, text: str, room: str = "numpy"
) -> Primitive:
    """A function of one operand whose result is a floating point number.

    Args:
        module: that defines it.
        function: its value, of arrays of floating point numbers.
        slope: its derivative; None where it is 0 or there is none.
        text: what it is.
        room: the part of Keras that has it.
    """

    def value(x: ArrayLike) -> Array:
        return np.asarray(function(floating(x)))

    made = _made(value, name, module, text, 1, room)
    if slope is not None:
        made.has_gradients(lambda dy, y, x: dy * slope(x, y))
    return made


def of_one(module: str, name: str, function: Callable[..., Any], slope: Slope | None, text: str) -> Primitive:
    """A function of one operand of any dtype. See ``curve``."""

    def value(x: ArrayLike) -> Array:
        return np.asarray(function(converted(x)))

    made = _made(value, name, module, text, 1, "numpy")
    if slope is not None:
        made.has_gradients(lambda dy, y, x: dy * slope(x, y))
    return made


def of_two(
    module: str, name: str, function: Callable[..., Any], pulls: tuple[Gradient | None, ...], text: str,
    are_floats: bool = False,
) -> Primitive:  # fmt: skip
    """A function of two operands, which are broadcast.

    Args:
        pulls: the gradients by the operands.
        are_floats: whether integers are taken as floating point numbers.
    """
    convert = promoted_floats if are_floats else promoted

    def value(x1: ArrayLike, x2: ArrayLike) -> Array:
        return np.asarray(function(*convert(x1, x2)))

    made = _made(value, name, module, text, 2, "numpy")
    made.has_gradients(*pulls)
    return made
