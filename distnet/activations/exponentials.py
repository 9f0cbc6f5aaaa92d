"""Activations that follow the exponential function below zero, or everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from distnet.activations.base import Activation, OfOps, register
from distnet.arguments import POSITIVE, number
from distnet.ops import smooth
from distnet.ops.nn import bending
from distnet.ops.tensor import Tensor
from distnet.types import Array


@register("exponential")
@dataclass(frozen=True)
class Exponential(Activation):
    """The exponential function: ``y = exp(z)``; infinite if it exceeds the dtype."""

    def forward(self, z: Array, out: Array) -> None:
        with np.errstate(over="ignore"):
            np.exp(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, saved, out=out)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, smooth.exp(x))


exponential = Exponential()


@register("elu")
@dataclass(frozen=True)
class ELU(OfOps):
    """Exponential linear unit: ``y = z`` above 0, ``alpha (exp(z) - 1)`` below.

    Args:
        alpha: minus the limit of y for very negative z; positive.

    Source: Clevert et al., 2016 (arXiv:1511.07289), equation 15.
    """

    function: ClassVar = bending.elu
    alpha: float = number(1.0, POSITIVE)


elu = ELU()


@register("selu")
@dataclass(frozen=True)
class SELU(OfOps):
    """Scaled exponential linear unit: ELU scaled to keep zero mean and unit variance.

    Source: Klambauer et al., 2017 (arXiv:1706.02515), equation 2.
    """

    function: ClassVar = bending.selu


selu = SELU()


@register("celu")
@dataclass(frozen=True)
class CELU(OfOps):
    """Continuously differentiable ELU: ``y = z`` above 0, ``alpha (exp(z / alpha) - 1)`` below.

    Args:
        alpha: minus the limit of y for very negative z; positive.

    Source: Barron, 2017 (arXiv:1704.07483), equation 2.
    """

    function: ClassVar = bending.celu
    alpha: float = number(1.0, POSITIVE)


celu = CELU()
