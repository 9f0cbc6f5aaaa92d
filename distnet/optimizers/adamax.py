"""Adamax."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import BELOW_ONE, NOT_NEGATIVE, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adamax(Optimizer):
    """Adam with the largest magnitude of the gradient in place of its root mean square.

    ``m += (g - m)(1 - beta_1); u = max(beta_2 u, abs(g)); w -= lr m / ((1 - beta_1^t)(u + epsilon))``

    Args:
        beta_1: weight of the past in m, in [0, 1).
        beta_2: decay of u, in [0, 1).
        epsilon: keeps the divisor from 0.

    Source: Kingma & Ba, "Adam", ICLR 2015, algorithm 2; ``keras.optimizers.Adamax``.
    """

    beta_1: float = number(0.9, BELOW_ONE)
    beta_2: float = number(0.999, BELOW_ONE)
    epsilon: float = number(1e-7, NOT_NEGATIVE)

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0, "norm": 0.0}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        bias = 1 - self.beta_1 ** (self.iterations + 1)
        return formulas.adamax, (learning_rate, 1 - self.beta_1, self.beta_2, bias, self.epsilon)
