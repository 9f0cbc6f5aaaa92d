"""Smooth rectifiers other than softplus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.activations.base import Activation, register
from distnet.arguments import POSITIVE, number
from distnet.types import Array


@register("squareplus")
@dataclass(frozen=True)
class Squareplus(Activation):
    """Algebraic smooth rectifier: ``y = (z + sqrt(z**2 + b)) / 2``.

    The derivative is ``y**2 / (y**2 + b / 4)``.

    Args:
        b: width of the bend; positive.

    Source: Barron, 2021 (arXiv:2112.11687), equation 1.
    """

    b: float = number(4, POSITIVE)

    def forward(self, z: Array, out: Array) -> None:
        # The sum as it stands loses all digits for very negative z; this form adds only positive numbers.
        size = np.abs(z)
        bend = np.sqrt(z * z + self.b)
        bend += size
        np.divide(self.b / 2, bend, out=bend)
        np.clip(z, 0, np.inf, out=out)
        out += bend

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        square = saved * saved
        np.divide(square, square + self.b / 4, out=square)
        np.multiply(dy, square, out=out)


@register("sparse_plus")
@dataclass(frozen=True)
class SparsePlus(Activation):
    """Rectifier with a parabola for a bend: 0 up to -1, ``(z + 1)**2 / 4`` up to 1, z above.

    The derivative is ``min(sqrt(y), 1)``.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """

    def forward(self, z: Array, out: Array) -> None:
        bend = np.clip(z, -1, 1)
        bend += 1
        bend *= bend
        bend *= 0.25
        np.clip(z, 1, np.inf, out=out)
        out -= 1
        out += bend

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = np.sqrt(saved)
        np.clip(slope, 0, 1, out=slope)
        np.multiply(dy, slope, out=out)
