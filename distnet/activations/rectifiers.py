"""Activations that pass positive numbers on and bend the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.activations.base import ACTIVATIONS, Activation, register
from distnet.activations.pieces import clip_slope, leak, leak_gradient, step, within
from distnet.arguments import NOT_NEGATIVE, number
from distnet.types import Array

_INF = np.inf
"""The open end of a clip: unlike ``maximum`` with a scalar, ``clip`` is vectorised."""

RELU6_MAX = 6.0
"""Keras computes this limit by a function of its own, with slope 0 at 6; at other limits the slope is one half."""


@register("linear")
@dataclass(frozen=True)
class Linear(Activation):
    """The identity: ``y = z``."""

    def forward(self, z: Array, out: Array) -> None:
        if out is not z:
            out[...] = z

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        if out is not dy:
            out[...] = dy


@register("relu")
@dataclass(frozen=True)
class ReLU(Activation):
    """Rectified linear unit: ``y = min(z, max_value)`` above the threshold, ``negative_slope (z - threshold)`` below.

    Args:
        negative_slope: slope below the threshold, at least 0.
        max_value: the largest value of y; None for no limit.
        threshold: where z begins to pass.

    Source: ``keras.activations.relu`` on JAX, whose slope is 0 at 0 and one half at ``max_value``, but 0 at 6.
    """

    negative_slope: float = number(0.0, NOT_NEGATIVE)
    max_value: float | None = number(None, NOT_NEGATIVE)
    threshold: float = 0.0

    @property
    def saves_input(self) -> bool:
        return self.max_value is not None or self.threshold != 0

    def forward(self, z: Array, out: Array) -> None:
        if self.saves_input:
            self._forward_bounded(z, out)
        elif self.negative_slope:
            leak(z, self.negative_slope, out)
        else:
            np.clip(z, 0, _INF, out=out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        if self.saves_input:
            np.multiply(dy, self._bounded_slope(saved), out=out)
        elif self.negative_slope:
            leak_gradient(dy, saved, self.negative_slope, out)
        else:
            np.multiply(dy, step(saved, 0), out=out)

    def _forward_bounded(self, z: Array, out: Array) -> None:
        limit = _INF if self.max_value is None else self.max_value
        below = np.clip(z - self.threshold, -_INF, 0)
        below *= self.negative_slope
        np.multiply(z, z > self.threshold, out=out)
        if self.max_value is not None or self.threshold == 0:
            np.clip(out, 0, limit, out=out)
        out += below

    def _bounded_slope(self, z: Array) -> Array:
        slope = step(z, self.threshold)
        if self.max_value == RELU6_MAX and self.threshold == 0:
            slope = within(z, 0, RELU6_MAX)
        elif self.max_value is not None:
            slope *= clip_slope(z, 0, self.max_value)
        slope += self.negative_slope * (z < self.threshold)
        return slope


ACTIVATIONS.add("relu6", ReLU(max_value=RELU6_MAX))


@register("leaky_relu")
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """Leaky rectified linear unit: ``y = z`` from 0 on, ``negative_slope z`` below.

    Args:
        negative_slope: slope below 0, at least 0.

    Source: ``keras.activations.leaky_relu``.
    """

    negative_slope: float = number(0.2, NOT_NEGATIVE)

    @property
    def saves_input(self) -> bool:
        return self.negative_slope == 0

    def forward(self, z: Array, out: Array) -> None:
        leak(z, self.negative_slope, out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        leak_gradient(dy, saved, self.negative_slope, out)
