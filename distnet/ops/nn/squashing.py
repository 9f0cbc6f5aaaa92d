"""Functions that saturate on both sides, and the logarithm and the integral of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.nn.entry_function import entry_function
from distnet.ops.nn.pieces import absolute, clip_slope, expm1, up_to, within
from distnet.types import Array


def write_log1p_exp(z: Array, out: Array) -> None:
    """Write ``log(1 + exp(z))`` for any z, without overflow; ``out`` may be z."""
    y = np.abs(z)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    np.clip(z, 0, np.inf, out=out)
    out += y


@entry_function(lambda y: (1 - y) * y)
def sigmoid(x: Array, out: Array) -> None:
    """The logistic function ``1 / (1 + exp(-x))``, exact to rounding even for very negative x, where it is tiny.

    Source: ``keras.ops.sigmoid``.
    """
    np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)


@entry_function(lambda y: -expm1(y))
def log_sigmoid(x: Array, out: Array) -> None:
    """The logarithm of the logistic function, ``-log(1 + exp(-x))``.

    Source: ``keras.ops.log_sigmoid``.
    """
    np.negative(x, out=out)
    write_log1p_exp(out, out)
    np.negative(out, out=out)


@entry_function(lambda y: -expm1(-y))
def softplus(x: Array, out: Array) -> None:
    """Smooth rectifier ``log(1 + exp(x))``.

    Source: ``keras.ops.softplus``.
    """
    write_log1p_exp(x, out)


def _softsign_slope(y: Any) -> Any:
    rest = 1 - absolute(y)
    return rest * rest


@entry_function(_softsign_slope)
def softsign(x: Array, out: Array) -> None:
    """``x / (1 + |x|)``.

    Source: ``keras.ops.softsign``.
    """
    size = np.abs(x)
    size += 1
    np.divide(x, size, out=out)


@entry_function(lambda y, slope: within(y, 0, 1) * slope)
def sloped_hard_sigmoid(x: Array, out: Array, slope: float) -> None:
    """Three straight lines in the shape of a sigmoid: ``clip(slope x + 1/2, 0, 1)``.

    Args:
        slope: at 0; 1/6 in Keras 3, 0.2 in Keras 1 and 2.
    """
    np.multiply(x, slope, out=out)
    out += 0.5
    np.clip(out, 0, 1, out=out)


@entry_function(lambda y: sloped_hard_sigmoid.slope(y, 1 / 6))
def hard_sigmoid(x: Array, out: Array) -> None:
    """Three straight lines in the shape of a sigmoid: ``clip(x / 6 + 1/2, 0, 1)``.

    Source: ``keras.ops.hard_sigmoid``.
    """
    sloped_hard_sigmoid.write(x, out, slope=1 / 6)


@entry_function(lambda x: clip_slope(x, -1, 1) * 0.5, saves_input=True)
def sparse_sigmoid(x: Array, out: Array) -> None:
    """The steepest hard sigmoid: ``clip(x + 1, 0, 2) / 2``.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """
    np.clip(x, -1, 1, out=out)
    out += 1
    out *= 0.5


@entry_function(lambda x: up_to(x, 1), saves_input=True)
def hard_tanh(x: Array, out: Array) -> None:
    """Three straight lines in the shape of tanh: ``clip(x, -1, 1)``; the slope is 1 at -1 and 1.

    Source: ``keras.ops.hard_tanh``.
    """
    np.clip(x, -1, 1, out=out)
