"""Schedule-free AdamW."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import INNER_FRACTION, NOT_NEGATIVE, number, whole_number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS
from distnet.optimizers.learning_rate import LearningRateField
from distnet.optimizers.moments import MomentOptimizer
from distnet.optimizers.store_part import StorePart
from distnet.variables import Variables


@OPTIMIZERS.register()
@dataclass(eq=False)
class ScheduleFreeAdamW(MomentOptimizer):
    """AdamW whose weights lie between where gradients lead, z, and the mean of that over the steps, x.

    ``v += (g^2 - v)(1 - beta_2); z -= lr g / (sqrt(v / (1 - beta_2^t)) + epsilon); x += (z - x) / t;
    w = (1 - beta_1) z + beta_1 x``. The slot ``momentum`` holds z, which begins at the weights.

    Args:
        beta_1: weight of the mean in w, in (0, 1).
        warmup_steps: steps over which the learning rate rises in proportion.

    Source: Defazio et al., "The road less scheduled", 2024 (arXiv:2405.15682);
    ``keras.optimizers.ScheduleFreeAdamW``.
    """

    learning_rate: LearningRateField = LearningRateField(0.0025)
    beta_1: float = number(0.9, INNER_FRACTION)
    epsilon: float = number(1e-8, NOT_NEGATIVE)
    warmup_steps: int = whole_number(0, 0)

    def build(self, store: Variables) -> None:
        is_new = not self.built
        super().build(store)
        if is_new:
            self.slots["momentum"][...] = store.weights

    def advance(self, store: Variables | StorePart) -> None:
        if self.scalars["iteration"] == 0:  # the weights may have been set since the slots were made
            self.slots["momentum"][store.part] = store.weights
        super().advance(store)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        t = self.iterations + 1
        rate = learning_rate * min(t / self.warmup_steps, 1.0) if self.warmup_steps else learning_rate
        betas = (self.beta_1, *self._rests, self._biases[1])
        return formulas.schedule_free_adamw, (rate, *betas, self.epsilon, 1 / t, 1 - 1 / t)
