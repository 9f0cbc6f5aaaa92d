"""Activations that multiply z by a gate between 0 and 1, which opens as z grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from distnet.activations.base import Activation, OfOps, register
from distnet.errors import ShapeError
from distnet.ops.nn import gating
from distnet.ops.tensor import Tensor
from distnet.types import Array, Shape


@register("gelu")
@dataclass(frozen=True)
class GELU(OfOps):
    """Gaussian error linear unit: ``y = z P(X <= z)`` for a standard normal X.

    Args:
        approximate: ``0.5 z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z**3)))`` instead.

    Source: Hendrycks and Gimpel, 2016 (arXiv:1606.08415), section 2.
    """

    function: ClassVar = gating.gelu
    approximate: bool = False


gelu = GELU()


@register("silu", "swish")
@dataclass(frozen=True)
class SiLU(OfOps):
    """Swish: ``y = z sigmoid(z)``.

    Source: Ramachandran et al., 2017 (arXiv:1710.05941), with beta = 1.
    """

    function: ClassVar = gating.silu


silu = swish = SiLU()


@register("hard_silu", "hard_swish")
@dataclass(frozen=True)
class HardSiLU(OfOps):
    """Hard swish: ``y = z clip(z / 6 + 1/2, 0, 1)``.

    Source: Howard et al., 2019 (arXiv:1905.02244), section 5.2.
    """

    function: ClassVar = gating.hard_silu


hard_silu = hard_swish = HardSiLU()


@register("mish")
@dataclass(frozen=True)
class Mish(OfOps):
    """Mish: ``y = z tanh(log(1 + exp(z)))``.

    With ``n = exp(z) (exp(z) + 2)`` the gate is ``n / (n + 2)``.

    Source: Misra, 2019 (arXiv:1908.08681), equation 1.
    """

    function: ClassVar = gating.mish


mish = Mish()


@register("glu")
@dataclass(frozen=True)
class GLU(Activation):
    """Gated linear unit: one half of z times the sigmoid of the other half, ``y = a sigmoid(b)``.

    It halves an axis, so it cannot be the activation of a layer such as Dense, whose output keeps the shape of z.
    Call it instead: ``distnet.activations.glu(x)``.

    Args:
        axis: the axis to split.

    Raises:
        ShapeError: the axis has an odd length, or a layer expects the shape of z.

    Source: Dauphin et al., 2017 (arXiv:1612.08083), equation 1.
    """

    saves_input = True
    axis: int = -1

    def output_shape(self, shape: Shape) -> Shape:
        return gating.glu_shape(shape, self.axis)

    def forward(self, z: Array, out: Array) -> None:
        if out.shape != self.output_shape(z.shape):
            raise ShapeError(
                f"glu: expected an output of shape {self.output_shape(z.shape)}, half of {z.shape}, received "
                f"{out.shape}. It cannot be a layer's activation, which keeps the shape: call "
                "distnet.activations.glu(x)."
            )
        gating.write_glu(z, out, self.axis)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        gating.write_glu_gradient(dy, saved, out, self.axis)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, gating.glu(x, self.axis))


glu = GLU()
