"""Activations that map small numbers to zero, or to another value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.activations.base import Activation, register
from distnet.activations.pieces import step
from distnet.arguments import NOT_NEGATIVE, number
from distnet.types import Array


@register("hard_shrink")
@dataclass(frozen=True)
class HardShrink(Activation):
    """``y = z`` where ``|z| > threshold``, else 0.

    Args:
        threshold: at least 0.

    Source: ``keras.activations.hard_shrink``.
    """

    threshold: float = number(0.5, NOT_NEGATIVE)

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, step(np.abs(z), self.threshold), out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, _is_kept(saved), out=out)


@register("soft_shrink")
@dataclass(frozen=True)
class SoftShrink(Activation):
    """z moved towards 0 by ``threshold``, or to 0 if it is nearer: ``y = z - clip(z, -threshold, threshold)``.

    Args:
        threshold: at least 0.

    Source: ``keras.activations.soft_shrink``.
    """

    threshold: float = number(0.5, NOT_NEGATIVE)

    def forward(self, z: Array, out: Array) -> None:
        np.subtract(z, np.clip(z, -self.threshold, self.threshold), out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, _is_kept(saved), out=out)


@register("tanh_shrink")
@dataclass(frozen=True)
class TanhShrink(Activation):
    """``y = z - tanh(z)``."""

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        np.subtract(z, np.tanh(z), out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.tanh(saved)
        slope *= slope
        np.multiply(dy, slope, out=out)


@register("threshold")
@dataclass(frozen=True)
class Threshold(Activation):
    """``y = z`` where ``z > threshold``, else ``default_value``.

    Args:
        threshold: the value that z must exceed.
        default_value: the output elsewhere.

    Source: ``keras.activations.threshold``, where both must be given.
    """

    saves_input = True
    threshold: float = 0.0
    default_value: float = 0.0

    def forward(self, z: Array, out: Array) -> None:
        is_above = step(z, self.threshold)
        np.multiply(z, is_above, out=out)
        if self.default_value:
            out += self.default_value * (1 - is_above)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, step(saved, self.threshold), out=out)


def _is_kept(y: Array) -> Array:
    """1 where y is not 0, that is, where z was beyond the threshold; else 0."""
    return np.not_equal(y, 0, out=np.empty_like(y), casting="unsafe")
