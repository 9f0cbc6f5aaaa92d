"""Adamax."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS
from distnet.optimizers.moments import MomentOptimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adamax(MomentOptimizer):
    """Adam with the largest magnitude of the gradient in place of its root mean square.

    ``m += (g - m)(1 - beta_1); u = max(beta_2 u, abs(g)); w -= lr m / ((1 - beta_1^t)(u + epsilon))``

    Args:
        beta_2: decay of u, in [0, 1).

    Source: Kingma & Ba, "Adam", ICLR 2015, algorithm 2; ``keras.optimizers.Adamax``.
    """

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0, "norm": 0.0}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        return formulas.adamax, (learning_rate, self._rests[0], self.beta_2, self._biases[0], self.epsilon)
