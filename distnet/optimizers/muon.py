"""Muon."""

from __future__ import annotations

import math
import re
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from distnet import kernels
from distnet.arguments import ANY, BELOW_ONE, FRACTION, NOT_NEGATIVE, number, whole_number
from distnet.errors import ArgumentError
from distnet.kernels.matrix_products import product_of
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.store_part import StorePart
from distnet.types import Array
from distnet.variables import Span, Variable, Variables

_MOMENTUM, _VELOCITY = "momentum", "velocity"


@OPTIMIZERS.register()
@dataclass(eq=False)
class Muon(Optimizer):
    """Matrices step along the orthogonal matrix nearest to their momentum, all other variables as in Adam.

    ``m = momentum m + g; w -= lr rms_rate sqrt(max(shape)) NS(g + momentum m)``, where NS makes all singular values
    nearly 1: from ``x = m / norm(m)``, ``ns_steps`` times ``x = a x + (b A + c A^2) x`` with ``A = x x'``.

    Args:
        adam_beta_1, adam_beta_2, epsilon, adam_weight_decay: those of the variables that step as in Adam.
        exclude_layers: regular expressions; matrices in whose path one is found step as in Adam.
        exclude_embeddings: whether those with "embedding" in their path do.
        muon_a, muon_b, muon_c: a, b, c.
        adam_lr_ratio: of Adam's learning rate to the other.
        momentum: weight of the past in m.
        ns_steps: steps of NS.
        nesterov: whether NS is given ``g + momentum m``, or m.
        rms_rate: root mean square of a step of learning rate 1; None: NS unscaled.

    Source: Jordan et al., "Muon", 2024; Liu et al., 2025 (arXiv:2502.16982); ``keras.optimizers.Muon``.
    """

    weight_decay: float | None = field(default=0.004, kw_only=True, metadata={"within": NOT_NEGATIVE})
    adam_beta_1: float = number(0.9, BELOW_ONE)
    adam_beta_2: float = number(0.999, BELOW_ONE)
    _: KW_ONLY
    epsilon: float = number(1e-7, NOT_NEGATIVE)
    exclude_layers: list[str] | None = None
    muon_a: float = number(3.4445, ANY)
    muon_b: float = number(-4.7750, ANY)
    muon_c: float = number(2.0315, ANY)
    adam_lr_ratio: float = number(1, NOT_NEGATIVE)
    momentum: float = number(0.95, FRACTION)
    ns_steps: int = whole_number(5, 0)
    nesterov: bool = True
    exclude_embeddings: bool = True
    adam_weight_decay: float | None = number(0.004, NOT_NEGATIVE)
    rms_rate: float | None = number(0.2, NOT_NEGATIVE)

    def __post_init__(self) -> None:
        self.exclude_layers = list(self.exclude_layers or [])
        super().__post_init__()
        try:
            self._excluded = [re.compile(keyword) for keyword in self.exclude_layers]
        except (TypeError, re.error) as error:
            raise ArgumentError(
                f"Muon.exclude_layers: expected regular expressions, received {self.exclude_layers!r}: {error}."
            ) from None

    def initial_slots(self) -> dict[str, float]:
        return {_MOMENTUM: 0.0, _VELOCITY: 0.0}

    def slot_shape(self, name: str, variable: Variable) -> tuple[int, ...] | None:
        """Only what steps as in Adam has a velocity."""
        return None if name == _VELOCITY and not self._steps_as_adam(variable) else variable.shape

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        t = self.iterations + 1
        alpha = math.sqrt(1 - self.adam_beta_2**t) / (1 - self.adam_beta_1**t) * learning_rate * self.adam_lr_ratio
        scalars = (alpha, 1 - self.adam_beta_1, 1 - self.adam_beta_2, self.epsilon)
        for span in self._spans:
            part = slice(span.start, span.stop)
            w, g, m = store.weights[part], store.gradients[part], self.slots[_MOMENTUM][part]
            if self._steps_as_adam(span.variable):
                kernels.current().update(formulas.adam, w, g, (m, self.slots[_VELOCITY][part]), scalars)
            elif len(w):
                self._step_matrix(span, w, g, m, learning_rate)

    def _step_matrix(self, span: Span, w: Array, g: Array, m: Array, learning_rate: float) -> None:
        shape = span.variable.shape
        m *= m.dtype.type(self.momentum)
        m += g
        led = g + m.dtype.type(self.momentum) * m if self.nesterov else m
        scale = 1.0 if self.rms_rate is None else math.sqrt(max(shape)) * self.rms_rate
        w -= (self._orthogonal(led.reshape(shape)) * w.dtype.type(learning_rate * scale)).reshape(-1)

    def _orthogonal(self, matrix: Array) -> Array:
        """NS of a matrix, computed on its side with fewer rows."""
        a, b, c = (matrix.dtype.type(factor) for factor in (self.muon_a, self.muon_b, self.muon_c))
        x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
        x = x / (np.linalg.norm(x) + matrix.dtype.type(1e-7))
        for _ in range(self.ns_steps):
            square = x @ x.T
            x = a * x + product_of(b * square + c * product_of(square, square), x)
        return np.asarray(x.T if matrix.shape[0] > matrix.shape[1] else x)

    def _steps_as_adam(self, variable: Variable) -> bool:
        is_embedding = self.exclude_embeddings and "embedding" in variable.path.lower()
        return len(variable.shape) != 2 or is_embedding or any(e.search(variable.path) for e in self._excluded)

    def _decay_weights(self, store: Variables | StorePart, learning_rate: float) -> None:
        for span in self._spans:
            decay = self.adam_weight_decay if self._steps_as_adam(span.variable) else self.weight_decay
            if decay and any(part.start <= span.start < part.stop for part in self._decayed):
                w = store.weights[span.start : span.stop]
                kernels.current().update(formulas.weight_decay, w, w, (), (decay, learning_rate))
