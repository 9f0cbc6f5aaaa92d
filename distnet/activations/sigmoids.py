"""Activations that saturate on both sides, and the logarithm and the integral of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from distnet.activations.base import Activation, OfOps, register
from distnet.arguments import POSITIVE, number
from distnet.ops import trigonometry
from distnet.ops.nn import squashing
from distnet.ops.tensor import Tensor
from distnet.types import Array


@register("sigmoid")
@dataclass(frozen=True)
class Sigmoid(OfOps):
    """Logistic function: ``y = 1 / (1 + exp(-z))``."""

    function: ClassVar = squashing.sigmoid


sigmoid = Sigmoid()


@register("log_sigmoid")
@dataclass(frozen=True)
class LogSigmoid(OfOps):
    """Logarithm of the logistic function: ``y = -log(1 + exp(-z))``."""

    function: ClassVar = squashing.log_sigmoid


log_sigmoid = LogSigmoid()


@register("softplus")
@dataclass(frozen=True)
class Softplus(OfOps):
    """Smooth rectifier: ``y = log(1 + exp(z))``."""

    function: ClassVar = squashing.softplus


softplus = Softplus()


@register("tanh")
@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent: ``y = tanh(z)``."""

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        np.multiply(dy, trigonometry.tanh_slope(saved), out=out)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, trigonometry.tanh(x))


tanh = Tanh()


@register("softsign")
@dataclass(frozen=True)
class Softsign(OfOps):
    """Softsign: ``y = z / (1 + |z|)``."""

    function: ClassVar = squashing.softsign


softsign = Softsign()


@register("hard_sigmoid")
@dataclass(frozen=True)
class HardSigmoid(OfOps):
    """Three straight lines in the shape of a sigmoid: ``y = clip(slope z + 1/2, 0, 1)``.

    Args:
        slope: at 0; 1/6 in Keras 3, 0.2 in Keras 1 and 2, whose files need ``HardSigmoid(slope=0.2)``.

    Source: ``keras.activations.hard_sigmoid``.
    """

    function: ClassVar = squashing.sloped_hard_sigmoid
    slope: float = number(1 / 6, POSITIVE)


hard_sigmoid = HardSigmoid()


@register("sparse_sigmoid")
@dataclass(frozen=True)
class SparseSigmoid(OfOps):
    """The steepest hard sigmoid: ``y = clip(z + 1, 0, 2) / 2``.

    Source: Blondel et al., 2019 (arXiv:1901.02324), section 6.2.
    """

    function: ClassVar = squashing.sparse_sigmoid


sparse_sigmoid = SparseSigmoid()


@register("hard_tanh")
@dataclass(frozen=True)
class HardTanh(OfOps):
    """Three straight lines in the shape of tanh: ``y = clip(z, -1, 1)``; the slope is 1 at -1 and 1."""

    function: ClassVar = squashing.hard_tanh


hard_tanh = HardTanh()
