"""Adagrad."""

from __future__ import annotations

from dataclasses import dataclass, field

from distnet.arguments import NOT_NEGATIVE, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.registry import BESIDE


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adagrad(Optimizer):
    """Gradient divided by the root of the sum of its squares: ``a += g^2; w -= lr g / sqrt(a + epsilon)``.

    Args:
        initial_accumulator_value: a at the start, at least 0.
        epsilon: keeps the root from 0; inside it.
        epsilon_outside: whether to divide by ``sqrt(a) + epsilon`` instead, as Keras up to 2.10 does.

    Source: Duchi et al., "Adaptive subgradient methods", JMLR 2011; ``keras.optimizers.Adagrad``.
    """

    initial_accumulator_value: float = number(0.1, NOT_NEGATIVE)
    epsilon: float = number(1e-7, NOT_NEGATIVE)
    epsilon_outside: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def initial_slots(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        epsilons = (0.0, self.epsilon) if self.epsilon_outside else (self.epsilon, 0.0)
        return formulas.adagrad, (learning_rate, *epsilons)
