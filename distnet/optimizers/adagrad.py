"""Adagrad."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import NOT_NEGATIVE, number
from distnet.kernels import Formula, updates
from distnet.optimizers.base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adagrad(Optimizer):
    """Gradient divided by the root of the sum of its squares: ``a += g^2; w -= lr g / sqrt(a + epsilon)``.

    Args:
        initial_accumulator_value: a at the start, at least 0.
        epsilon: keeps the root from 0; inside it.

    Source: Duchi et al., "Adaptive subgradient methods", JMLR 2011; ``keras.optimizers.Adagrad``.
    """

    initial_accumulator_value: float = number(0.1, NOT_NEGATIVE)
    epsilon: float = number(1e-7, NOT_NEGATIVE)

    def initial_slots(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        return updates.adagrad, (learning_rate, self.epsilon)
