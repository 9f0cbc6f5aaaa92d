"""Functions that map small numbers to zero, or to another value."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.nn.entry_function import entry_function
from distnet.ops.nn.pieces import differs, step, tanh
from distnet.types import Array


@entry_function(lambda y, threshold: differs(y, 0))
def hard_shrink(x: Array, out: Array, threshold: float = 0.5) -> None:
    """``x`` where ``|x| > threshold``, else 0.

    Source: ``keras.ops.hard_shrink``.
    """
    np.multiply(x, step(np.abs(x), threshold), out=out)


@entry_function(lambda y, threshold: differs(y, 0))
def soft_shrink(x: Array, out: Array, threshold: float = 0.5) -> None:
    """x moved towards 0 by ``threshold``, or to 0 if it is nearer: ``x - clip(x, -threshold, threshold)``.

    Source: ``keras.ops.soft_shrink``.
    """
    np.subtract(x, np.clip(x, -threshold, threshold), out=out)


def _tanh_shrink_slope(x: Any) -> Any:
    curve = tanh(x)
    return curve * curve


@entry_function(_tanh_shrink_slope, saves_input=True)
def tanh_shrink(x: Array, out: Array) -> None:
    """``x - tanh(x)``.

    Source: ``keras.ops.tanh_shrink``.
    """
    np.subtract(x, np.tanh(x), out=out)


@entry_function(lambda x, threshold, default_value: step(x, threshold), saves_input=True)
def threshold(x: Array, out: Array, threshold: float, default_value: float) -> None:
    """``x`` where ``x > threshold``, else ``default_value``.

    Source: ``keras.ops.threshold``.
    """
    is_above = step(x, threshold)
    np.multiply(x, is_above, out=out)
    if default_value:
        out += default_value * (1 - is_above)
