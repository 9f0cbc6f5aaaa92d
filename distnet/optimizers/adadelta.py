"""Adadelta."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import FRACTION, NOT_NEGATIVE, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adadelta(Optimizer):
    """Steps in the units of the weights: the running size of past steps over that of past gradients.

    ``a = rho a + (1 - rho) g^2; d = -sqrt(x + epsilon) g / sqrt(a + epsilon);
    x = rho x + (1 - rho) d^2; w += lr d``

    Args:
        rho: weight of the past in a and x, in [0, 1].
        epsilon: keeps the roots from 0, and lets the first steps be more than 0; inside the roots.

    Source: Zeiler, "ADADELTA", 2012, algorithm 1, which has lr = 1; ``keras.optimizers.Adadelta``.
    """

    rho: float = number(0.95, FRACTION)
    epsilon: float = number(1e-7, NOT_NEGATIVE)

    def initial_slots(self) -> dict[str, float]:
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        return formulas.adadelta, (learning_rate, self.rho, 1 - self.rho, self.epsilon)
