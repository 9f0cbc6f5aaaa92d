"""Activations that saturate on both sides, and the logarithm and the integral of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.activations.base import Activation, register
from distnet.activations.pieces import clip_slope, within
from distnet.arguments import POSITIVE, number
from distnet.types import Array


def write_logistic(z: Array, out: Array) -> Array:
    """Write ``1 / (1 + exp(-z))``, exact to rounding even for very negative z, where it is tiny."""
    np.negative(z, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    return np.divide(1, out, out=out)


def log1p_exp(z: Array) -> Array:
    """``log(1 + exp(z))`` for any z, without overflow."""
    y = np.abs(z)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    y += np.clip(z, 0, np.inf)
    return y


@register("sigmoid")
@dataclass(frozen=True)
class Sigmoid(Activation):
    """Logistic function: ``y = 1 / (1 + exp(-z))``."""

    def forward(self, z: Array, out: Array) -> None:
        write_logistic(z, out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = 1 - saved
        slope *= saved
        np.multiply(dy, slope, out=out)


@register("log_sigmoid")
@dataclass(frozen=True)
class LogSigmoid(Activation):
    """Logarithm of the logistic function: ``y = -log(1 + exp(-z))``."""

    def forward(self, z: Array, out: Array) -> None:
        np.negative(log1p_exp(-z), out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.expm1(saved)
        np.negative(slope, out=slope)
        np.multiply(dy, slope, out=out)


@register("softplus")
@dataclass(frozen=True)
class Softplus(Activation):
    """Smooth rectifier: ``y = log(1 + exp(z))``."""

    def forward(self, z: Array, out: Array) -> None:
        out[...] = log1p_exp(z)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.negative(saved)
        np.expm1(slope, out=slope)
        np.negative(slope, out=slope)
        np.multiply(dy, slope, out=out)


@register("tanh")
@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent: ``y = tanh(z)``."""

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = saved * saved
        np.subtract(1, slope, out=slope)
        np.multiply(dy, slope, out=out)


@register("softsign")
@dataclass(frozen=True)
class Softsign(Activation):
    """Softsign: ``y = z / (1 + |z|)``."""

    def forward(self, z: Array, out: Array) -> None:
        size = np.abs(z)
        size += 1
        np.divide(z, size, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.abs(saved)
        np.subtract(1, slope, out=slope)
        slope *= slope
        np.multiply(dy, slope, out=out)


@register("hard_sigmoid")
@dataclass(frozen=True)
class HardSigmoid(Activation):
    """Three straight lines in the shape of a sigmoid: ``y = clip(slope z + 1/2, 0, 1)``.

    Args:
        slope: at 0; 1/6 in Keras 3, 0.2 in Keras 1 and 2, whose files need ``HardSigmoid(slope=0.2)``.

    Source: ``keras.activations.hard_sigmoid``.
    """

    slope: float = number(1 / 6, POSITIVE)

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, self.slope, out=out)
        out += 0.5
        np.clip(out, 0, 1, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = within(saved, 0, 1)
        slope *= self.slope
        np.multiply(dy, slope, out=out)


@register("sparse_sigmoid")
@dataclass(frozen=True)
class SparseSigmoid(Activation):
    """The steepest hard sigmoid: ``y = clip(z + 1, 0, 2) / 2``.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        np.clip(z, -1, 1, out=out)
        out += 1
        out *= 0.5

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = clip_slope(saved, -1, 1)
        slope *= 0.5
        np.multiply(dy, slope, out=out)


@register("hard_tanh")
@dataclass(frozen=True)
class HardTanh(Activation):
    """Three straight lines in the shape of tanh: ``y = clip(z, -1, 1)``; the slope is 1 at -1 and 1."""

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        np.clip(z, -1, 1, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.abs(saved)
        np.less_equal(slope, 1, out=slope, casting="unsafe")
        np.multiply(dy, slope, out=out)
