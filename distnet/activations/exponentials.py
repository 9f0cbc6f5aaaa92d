"""Activations that follow the exponential function below zero, or everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.activations.base import Activation, register
from distnet.activations.pieces import step
from distnet.arguments import POSITIVE, number
from distnet.types import Array

_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@register("exponential")
@dataclass(frozen=True)
class Exponential(Activation):
    """The exponential function: ``y = exp(z)``; infinite if it exceeds the dtype."""

    def forward(self, z: Array, out: Array) -> None:
        with np.errstate(over="ignore"):
            np.exp(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, saved, out=out)


@register("elu")
@dataclass(frozen=True)
class ELU(Activation):
    """Exponential linear unit: ``y = z`` above 0, ``alpha (exp(z) - 1)`` below.

    Args:
        alpha: minus the limit of y for very negative z; positive.

    Source: Clevert et al., 2016 (arXiv:1511.07289), equation 15.
    """

    alpha: float = number(1.0, POSITIVE)

    def forward(self, z: Array, out: Array) -> None:
        _bend(z, out, 1.0, self.alpha, 1.0)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        _bend_gradient(dy, saved, out, 1.0, self.alpha, 1.0)


@register("selu")
@dataclass(frozen=True)
class SELU(Activation):
    """Scaled exponential linear unit: ELU scaled to keep zero mean and unit variance.

    Source: Klambauer et al., 2017 (arXiv:1706.02515), equation 2.
    """

    def forward(self, z: Array, out: Array) -> None:
        _bend(z, out, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        _bend_gradient(dy, saved, out, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0)


@register("celu")
@dataclass(frozen=True)
class CELU(Activation):
    """Continuously differentiable ELU: ``y = z`` above 0, ``alpha (exp(z / alpha) - 1)`` below.

    Args:
        alpha: minus the limit of y for very negative z; positive.

    Source: Barron, 2017 (arXiv:1704.07483), equation 2.
    """

    alpha: float = number(1.0, POSITIVE)

    def forward(self, z: Array, out: Array) -> None:
        _bend(z, out, 1.0, self.alpha, 1 / self.alpha)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        _bend_gradient(dy, saved, out, 1.0, self.alpha, 1 / self.alpha)


def _bend(z: Array, out: Array, slope: float, depth: float, rate: float) -> None:
    """Write ``slope z`` above 0, ``depth (exp(rate z) - 1)`` below."""
    below = np.clip(z, -np.inf, 0)
    below *= rate
    np.expm1(below, out=below)
    below *= depth
    np.clip(z, 0, np.inf, out=out)
    out *= slope
    out += below


def _bend_gradient(dy: Array, y: Array, out: Array, slope: float, depth: float, rate: float) -> None:
    """Write dy times the derivative of ``_bend``: the slope above 0, ``rate (y + depth)`` below."""
    derivative = np.clip(y, -np.inf, 0)
    derivative += depth
    derivative *= rate
    is_above = step(y, 0)
    is_above *= slope - rate * depth
    derivative += is_above
    np.multiply(dy, derivative, out=out)
