"""The activations of a cell's gates: one by one, or all as one tanh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from distnet.activations import Activation, sigmoid, tanh
from distnet.layers.engine.context import ForwardContext
from distnet.types import Array


class Gates(Protocol):
    """Gates of all steps, (T, N, W): ``y`` has their values once ``forward`` was called for the step."""

    y: Array

    def forward(self, t: int) -> Array:
        """Values of step ``t``, computed from its pre-activations."""

    def backward(self, t: int, dy: Array) -> None:
        """Turn ``dy``, (N, W), into the gradient of the pre-activations in place."""


def gates(name: str, z: Array, activations: Sequence[Activation], ctx: ForwardContext) -> Gates:
    """The gates with these pre-activations, which are overwritten where the gradients allow it.

    Args:
        name: name of the memory for the values.
        z: (T, N, W); the activations' gates lie side by side in the last axis.
        activations: one for each gate.
        ctx: gives memory.
    """
    kind = TanhGates if all(a in (sigmoid, tanh) for a in activations) else AnyGates
    return kind(name, z, activations, ctx)


class AnyGates:
    """Gates of any activations."""

    def __init__(self, name: str, z: Array, activations: Sequence[Activation], ctx: ForwardContext) -> None:
        self.z = z
        self.y = ctx.workspace(name, z.shape, z.dtype) if any(a.saves_input for a in activations) else z
        width = z.shape[2] // len(activations)
        self.parts = [(slice(k * width, (k + 1) * width), a) for k, a in enumerate(activations)]

    def forward(self, t: int) -> Array:
        y: Array = self.y[t]
        for columns, activation in self.parts:
            activation.forward(self.z[t][:, columns], out=y[:, columns])
        return y

    def backward(self, t: int, dy: Array) -> None:
        for columns, activation in self.parts:
            saved = self.z if activation.saves_input else self.y
            activation.backward(dy[:, columns], saved[t][:, columns], out=dy[:, columns])


class TanhGates:
    """Gates that are sigmoid or tanh, by ``sigmoid(z) = (1 + tanh(z / 2)) / 2``: a third of the time.

    With shift 1/2 for sigmoid and 0 for tanh, ``y = (1 - shift) tanh((1 - shift) z) + shift`` and
    ``y' = (1 - y) (y + 1 - 2 shift)``.
    """

    def __init__(self, name: str, z: Array, activations: Sequence[Activation], ctx: ForwardContext) -> None:
        self.y = z
        width = z.shape[2] // len(activations)
        self.shift = np.repeat(np.array([0.5 if a == sigmoid else 0 for a in activations], z.dtype), width)
        self.scale, self.offset = 1 - self.shift, 1 - 2 * self.shift
        self.slope = ctx.workspace(f"{name} slope", z.shape[1:], z.dtype)

    def forward(self, t: int) -> Array:
        y: Array = self.y[t]
        y *= self.scale
        np.tanh(y, out=y)
        y *= self.scale
        y += self.shift
        return y

    def backward(self, t: int, dy: Array) -> None:
        y = self.y[t]
        dy *= np.subtract(1, y, out=self.slope)
        dy *= np.add(y, self.offset, out=self.slope)
