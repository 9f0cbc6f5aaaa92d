"""Smooth rectifiers other than softplus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.activations.base import OfOps, register
from distnet.arguments import POSITIVE, number
from distnet.ops.nn import bending


@register("squareplus")
@dataclass(frozen=True)
class Squareplus(OfOps):
    """Algebraic smooth rectifier: ``y = (z + sqrt(z**2 + b)) / 2``.

    The derivative is ``y**2 / (y**2 + b / 4)``.

    Args:
        b: width of the bend; positive.

    Source: Barron, 2021 (arXiv:2112.11687), equation 1.
    """

    function: ClassVar = bending.squareplus
    b: float = number(4, POSITIVE)


squareplus = Squareplus()


@register("sparse_plus")
@dataclass(frozen=True)
class SparsePlus(OfOps):
    """Rectifier with a parabola for a bend: 0 up to -1, ``(z + 1)**2 / 4`` up to 1, z above.

    The derivative is ``min(sqrt(y), 1)``.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """

    function: ClassVar = bending.sparse_plus


sparse_plus = SparsePlus()
