"""Lamb."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet import kernels
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS
from distnet.optimizers.clipping import euclidean_norm
from distnet.optimizers.moments import MomentOptimizer
from distnet.optimizers.store_part import StorePart
from distnet.types import Array
from distnet.variables import Variables


@OPTIMIZERS.register()
@dataclass(eq=False)
class Lamb(MomentOptimizer):
    """Adam with steps in proportion to each variable's norm.

    ``m and v as in Adam; r = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon);
    w -= lr r norm(w) / norm(r)``, the ratio being 1 where a norm is 0.

    Source: You et al., "Large batch optimization for deep learning", ICLR 2020, algorithm 2;
    ``keras.optimizers.Lamb``.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._direction: Array = np.empty(0)

    @property
    def scratch_bytes(self) -> int:
        return self._direction.nbytes

    def build(self, store: Variables) -> None:
        super().build(store)
        self._direction = np.zeros(store.size, store.dtype)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        return formulas.lamb_direction, (*self._rests, *self._biases, self.epsilon)

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        formula, scalars = self.rule(learning_rate)
        slots = [self.slots[name] for name in self.initial_slots()]
        kernels.current().update(formula, self._direction, store.gradients, slots, scalars)
        for span in self._spans:
            w, r = store.weights[span.start : span.stop], self._direction[span.start : span.stop]
            norms = (euclidean_norm(w), euclidean_norm(r))
            trust = norms[0] / norms[1] if min(norms) > 0 else 1.0
            kernels.current().update(formulas.sgd, w, r, (), (trust * learning_rate,))
