"""Rectifiers with a bend: exponential, algebraic or a parabola."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.nn.entry_function import entry_function
from distnet.ops.nn.pieces import negative_part, step
from distnet.ops.operators import PRIMITIVES
from distnet.ops.tensor import Tensor
from distnet.types import Array

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _bend(x: Array, out: Array, slope: float, depth: float, rate: float) -> None:
    """Write ``slope x`` above 0, ``depth (exp(rate x) - 1)`` below."""
    below = np.clip(x, -np.inf, 0)
    below *= rate
    np.expm1(below, out=below)
    below *= depth
    np.clip(x, 0, np.inf, out=out)
    out *= slope
    out += below


def _bend_slope(y: Any, slope: float, depth: float, rate: float) -> Any:
    """The derivative of ``_bend``: the slope above 0, ``rate (y + depth)`` below."""
    return (negative_part(y) + depth) * rate + step(y, 0) * (slope - rate * depth)


@entry_function(lambda y, alpha: _bend_slope(y, 1.0, alpha, 1.0))
def elu(x: Array, out: Array, alpha: float = 1.0) -> None:
    """Exponential linear unit: ``x`` above 0, ``alpha (exp(x) - 1)`` below.

    Source: Clevert et al., 2016 (arXiv:1511.07289), equation 15.
    """
    _bend(x, out, 1.0, alpha, 1.0)


@entry_function(lambda y: _bend_slope(y, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0))
def selu(x: Array, out: Array) -> None:
    """Scaled exponential linear unit: ELU scaled to keep zero mean and unit variance.

    Source: Klambauer et al., 2017 (arXiv:1706.02515), equation 2.
    """
    _bend(x, out, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0)


@entry_function(lambda y, alpha: _bend_slope(y, 1.0, alpha, 1 / alpha))
def celu(x: Array, out: Array, alpha: float = 1.0) -> None:
    """Continuously differentiable ELU: ``x`` above 0, ``alpha (exp(x / alpha) - 1)`` below.

    Source: Barron, 2017 (arXiv:1704.07483), equation 2.
    """
    _bend(x, out, 1.0, alpha, 1 / alpha)


def _squareplus_slope(y: Any, b: float) -> Any:
    square = y * y
    return square / (square + b / 4)


@entry_function(_squareplus_slope)
def squareplus(x: Array, out: Array, b: float = 4) -> None:
    """Algebraic smooth rectifier ``(x + sqrt(x**2 + b)) / 2``, with derivative ``y**2 / (y**2 + b / 4)``.

    Source: Barron, 2021 (arXiv:2112.11687), equation 1.
    """
    # The sum as it stands loses all digits for very negative x; this form adds only positive numbers.
    size = np.abs(x)
    bend = np.sqrt(x * x + b)
    bend += size
    np.divide(b / 2, bend, out=bend)
    np.clip(x, 0, np.inf, out=out)
    out += bend


def _sparse_plus_slope(x: Any) -> Any:
    if type(x) is Tensor:
        inside = Tensor(np.abs(x.value) < 1)
        return PRIMITIVES["Where"](inside, (x + 1) * 0.5, step(x, 0))
    slope = np.clip(x, -1, 1)
    slope += 1
    slope *= 0.5
    return slope


@entry_function(_sparse_plus_slope, saves_input=True)
def sparse_plus(x: Array, out: Array) -> None:
    """Rectifier with a parabola for a bend: 0 up to -1, ``(x + 1)**2 / 4`` up to 1, x above.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """
    bend = np.clip(x, -1, 1)
    bend += 1
    bend *= bend
    bend *= 0.25
    np.clip(x, 1, np.inf, out=out)
    out -= 1
    out += bend
