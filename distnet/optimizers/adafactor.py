"""Adafactor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from distnet.arguments import NOT_NEGATIVE, POSITIVE, number
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.clipping import euclidean_norm
from distnet.optimizers.store_part import StorePart
from distnet.types import Array
from distnet.variables import Span, Variable, Variables

_ROW, _COLUMN, _VELOCITY = "row", "column", "velocity"


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adafactor(Optimizer):
    """Steps in proportion to each variable, by a second moment kept as means over rows and columns.

    With ``b = 1 - t^beta_2_decay`` and ``s = g^2 + epsilon_1``: ``r = b r + (1 - b) mean(s, -1)``,
    ``c = b c + (1 - b) mean(s, -2)``, ``v = r c / mean(r)``; for vectors ``v = b v + (1 - b) s``. With
    ``u = g / sqrt(v)``: ``w -= max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / clip_threshold)``.

    Args:
        beta_2_decay: exponent of the step number in the weight of the past.
        epsilon_1: keeps v from 0.
        epsilon_2: smallest scale of a variable's step.
        clip_threshold: root mean square above which u is scaled down.
        relative_step: accepted for Keras's sake; the learning rate is bounded by 1 / sqrt(t) either way.

    Source: Shazeer and Stern, "Adafactor", ICML 2018; ``keras.optimizers.Adafactor``.
    """

    beta_2_decay: float = -0.8
    epsilon_1: float = number(1e-30, NOT_NEGATIVE)
    epsilon_2: float = number(1e-3, NOT_NEGATIVE)
    clip_threshold: float = number(1.0, POSITIVE)
    relative_step: bool = True

    def initial_slots(self) -> dict[str, float]:
        return {_ROW: 0.0, _COLUMN: 0.0, _VELOCITY: 0.0}

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        """For r and c, which only matrices have, without one axis."""
        shape = variable.shape
        if name not in (_ROW, _COLUMN):
            return shape
        if len(shape) < 2:
            return None
        return shape[:-1] if name == _ROW else (*shape[:-2], shape[-1])

    def __post_init__(self) -> None:
        super().__post_init__()
        self._scratch: Array = np.empty(0)

    @property
    def scratch_bytes(self) -> int:
        return self._scratch.nbytes

    def build(self, store: Variables) -> None:
        super().build(store)
        self._scratch = np.zeros(store.size, store.dtype)

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        t = self.iterations + 1
        rate = min(learning_rate, 1 / math.sqrt(t))
        past = 1 - t**self.beta_2_decay
        for span in self._spans:
            part = slice(span.start, span.stop)
            w, g, u = store.weights[part], store.gradients[part], self._scratch[part]
            if not len(w):
                continue
            np.square(g, out=u)
            u += g.dtype.type(self.epsilon_1)
            np.sqrt(self._moved(span, u.reshape(span.variable.shape), past).reshape(-1), out=u)
            np.divide(g, u, out=u)
            u *= g.dtype.type(max(self.epsilon_2, _rms(w)) * rate / max(1.0, _rms(u) / self.clip_threshold))
            w -= u

    def _moved(self, span: Span, squares: Array, past: float) -> Array:
        """The variable's second moment, updated by these squares, which are overwritten."""
        velocity = self._slot(_VELOCITY, span)
        if squares.ndim < 2:
            _move(velocity, squares, past)
            return velocity
        row, column = self._slot(_ROW, span), self._slot(_COLUMN, span)
        _move(row, squares.mean(axis=-1), past)
        _move(column, squares.mean(axis=-2), past)
        factors = row / row.mean(axis=-1, keepdims=True)
        np.matmul(factors[..., np.newaxis], column[..., np.newaxis, :], out=velocity)
        return velocity

    def _slot(self, name: str, span: Span) -> Array:
        """A view of a variable's part of a slot."""
        shape = self.slot_shape(name, span.variable) or ()
        return self.slots[name][span.start : span.start + math.prod(shape)].reshape(shape)


def _move(mean: Array, value: Array, past: float) -> None:
    """``mean = past mean + (1 - past) value``; ``value`` is overwritten."""
    mean *= mean.dtype.type(past)
    value *= mean.dtype.type(1 - past)
    mean += value


def _rms(x: Array) -> float:
    return euclidean_norm(x) / math.sqrt(len(x))
