"""Lion."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import FRACTION, POSITIVE_FRACTION, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Lion(Optimizer):
    """Steps of one size, in the direction of the momentum's sign.

    ``w -= lr sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 - beta_2) g``

    Args:
        beta_1: weight of the past in the direction, in (0, 1].
        beta_2: weight of the past in m, in [0, 1].

    Source: Chen et al., "Symbolic discovery of optimization algorithms", 2023, program 1; ``keras.optimizers.Lion``.
    """

    beta_1: float = number(0.9, POSITIVE_FRACTION)
    beta_2: float = number(0.99, FRACTION)

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        return formulas.lion, (learning_rate, self.beta_1, 1 - self.beta_1, self.beta_2, 1 - self.beta_2)
