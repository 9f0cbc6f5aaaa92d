"""Activations that multiply z by a gate between 0 and 1, which opens as z grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distnet.activations.base import Activation, register
from distnet.activations.gaussian import normal_density, normal_tail
from distnet.activations.pieces import in_blocks, step, within
from distnet.activations.sigmoids import write_logistic
from distnet.errors import ShapeError
from distnet.types import Array, Shape

_TANH_SCALE = math.sqrt(2 / math.pi)
_TANH_CUBIC = 0.044715
_MISH_LIMIT = 20.0
"""From here on Mish is z to double precision, and its terms still fit in single precision."""


@register("gelu")
@dataclass(frozen=True)
class GELU(Activation):
    """Gaussian error linear unit: ``y = z P(X <= z)`` for a standard normal X.

    Args:
        approximate: ``0.5 z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z**3)))`` instead.

    Source: Hendrycks and Gimpel, 2016 (arXiv:1606.08415), section 2.
    """

    saves_input = True
    approximate: bool = False

    def forward(self, z: Array, out: Array) -> None:
        in_blocks(self._forward_tanh if self.approximate else self._forward_normal, z, out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        in_blocks(self._backward, dy, saved, out)

    def _forward_tanh(self, z: Array, out: Array) -> None:
        np.multiply(z, self._tanh_gate(z)[0], out=out)

    def _forward_normal(self, z: Array, out: Array) -> None:
        size = np.abs(z)
        size *= normal_tail(size)
        np.clip(z, 0, np.inf, out=out)
        out -= size

    def _backward(self, dy: Array, saved: Array, out: Array) -> None:
        gate, slope = self._tanh_gate(saved) if self.approximate else self._normal_gate(saved)
        slope *= saved
        slope += gate
        np.multiply(dy, slope, out=out)

    def _tanh_gate(self, z: Array) -> tuple[Array, Array]:
        """``(1 + tanh(u)) / 2`` and its slope."""
        square = z * z
        t = np.tanh(_TANH_SCALE * z * (1 + _TANH_CUBIC * square))
        slope = 0.5 * _TANH_SCALE * (1 - t * t) * (1 + 3 * _TANH_CUBIC * square)
        return 0.5 + 0.5 * t, slope

    def _normal_gate(self, z: Array) -> tuple[Array, Array]:
        """The normal distribution and its density."""
        tail = normal_tail(np.abs(z))
        return tail + step(z, 0) * (1 - 2 * tail), normal_density(z)


@register("silu", "swish")
@dataclass(frozen=True)
class SiLU(Activation):
    """Swish: ``y = z sigmoid(z)``.

    Source: Ramachandran et al., 2017 (arXiv:1710.05941), with beta = 1.
    """

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        write_logistic(z, out)
        out *= z

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        gate = write_logistic(saved, np.empty_like(saved))
        slope = 1 - gate
        slope *= saved
        slope += 1
        slope *= gate
        np.multiply(dy, slope, out=out)


@register("hard_silu", "hard_swish")
@dataclass(frozen=True)
class HardSiLU(Activation):
    """Hard swish: ``y = z clip(z / 6 + 1/2, 0, 1)``.

    Source: Howard et al., 2019 (arXiv:1905.02244), section 5.2.
    """

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        self._gate(z, out)
        out *= z

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        slope = within(saved, -3, 3)
        slope *= saved
        slope *= 1 / 6
        slope += self._gate(saved, np.empty_like(saved))
        np.multiply(dy, slope, out=out)

    def _gate(self, z: Array, out: Array) -> Array:
        np.multiply(z, 1 / 6, out=out)
        out += 0.5
        return np.clip(out, 0, 1, out=out)


@register("mish")
@dataclass(frozen=True)
class Mish(Activation):
    """Mish: ``y = z tanh(log(1 + exp(z)))``.

    With ``n = exp(z) (exp(z) + 2)`` the gate is ``n / (n + 2)``.

    Source: Misra, 2019 (arXiv:1908.08681), equation 1.
    """

    saves_input = True

    def forward(self, z: Array, out: Array) -> None:
        in_blocks(self._forward, z, out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        in_blocks(self._backward, dy, saved, out)

    def _forward(self, z: Array, out: Array) -> None:
        _, n = self._terms(z)
        np.divide(n, n + 2, out=out)
        out *= z

    def _backward(self, dy: Array, saved: Array, out: Array) -> None:
        e, n = self._terms(saved)
        wide = n + 2
        slope = 4 * e * (e + 1)
        slope /= wide
        slope *= saved
        slope += n
        slope /= wide
        np.multiply(dy, slope, out=out)

    def _terms(self, z: Array) -> tuple[Array, Array]:
        e = np.clip(z, -np.inf, _MISH_LIMIT)
        np.exp(e, out=e)
        return e, e * (e + 2)


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
        axis = range(len(shape))[self.axis]
        extent = shape[axis]
        if extent is None:
            return shape
        if extent % 2:
            raise ShapeError(f"glu: expected an even length of axis {self.axis}, received the shape {shape}.")
        return (*shape[:axis], extent // 2, *shape[axis + 1 :])

    def forward(self, z: Array, out: Array) -> None:
        if out.shape != self.output_shape(z.shape):
            raise ShapeError(
                f"glu: expected an output of shape {self.output_shape(z.shape)}, half of {z.shape}, received "
                f"{out.shape}. It cannot be a layer's activation, which keeps the shape: call "
                "distnet.activations.glu(x)."
            )
        a, b = np.split(z, 2, axis=self.axis)
        write_logistic(b, out)
        out *= a

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        a, b = np.split(saved, 2, axis=self.axis)
        da, db = np.split(out, 2, axis=self.axis)
        gate = write_logistic(b, np.empty_like(b))
        np.multiply(dy, gate, out=da)
        np.multiply(da, a * (1 - gate), out=db)
