"""What Adam and its kin share."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

from distnet.arguments import BELOW_ONE, NOT_NEGATIVE, number
from distnet.optimizers.base import Optimizer


@dataclass(eq=False)
class MomentOptimizer(Optimizer, ABC):
    """Keeps running means of the gradient and of its square: ``m += (g - m)(1 - beta_1); v += (g^2 - v)(1 - beta_2)``.

    Args:
        beta_1: weight of the past in m, in [0, 1).
        beta_2: weight of the past in v, in [0, 1).
        epsilon: keeps the divisor from 0.
    """

    beta_1: float = number(0.9, BELOW_ONE)
    beta_2: float = number(0.999, BELOW_ONE)
    epsilon: float = number(1e-7, NOT_NEGATIVE)

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0, "velocity": 0.0}

    @property
    def _rests(self) -> tuple[float, float]:
        """Weights of the present gradient: ``1 - beta_1`` and ``1 - beta_2``."""
        return 1 - self.beta_1, 1 - self.beta_2

    @property
    def _biases(self) -> tuple[float, float]:
        """What the means, which start at 0, have of a constant after this step: ``1 - beta_1^t``, ``1 - beta_2^t``."""
        t = self.iterations + 1
        return 1 - self.beta_1**t, 1 - self.beta_2**t
