"""Nadam."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from distnet.arguments import NOT_NEGATIVE
from distnet.errors import ArgumentError
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS
from distnet.optimizers.moments import MomentOptimizer
from distnet.optimizers.store_part import StorePart
from distnet.registry import BESIDE
from distnet.types import Json
from distnet.variables import Variables


@OPTIMIZERS.register()
@dataclass(eq=False)
class Nadam(MomentOptimizer):
    """Adam with Nesterov's momentum: the mean is led by the present gradient.

    ``mu_t = beta_1 (1 - 0.96^(s t) / 2); P = mu_1 ... mu_t; m and v as in Adam;
    h = mu_{t+1} m / (1 - P mu_{t+1}) + (1 - mu_t) g / (1 - P);
    w -= lr h / (sqrt(v / (1 - beta_2^t)) + epsilon)``

    Args:
        schedule_decay: s, how fast mu rises; 1 in Keras 3, by default 0.004 in Keras up to 2.10, where a file
            calls it ``decay``.
        decay: not to be given, for that reason.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 8; ``keras.optimizers.Nadam``.
    """

    updates_elementwise: ClassVar = True

    schedule_decay: float = field(default=1.0, kw_only=True, metadata={"within": NOT_NEGATIVE, **BESIDE})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decay:
            raise ArgumentError(
                f"Nadam.decay: expected nothing, received {self.decay}. "
                "Give a schedule as learning_rate, for example schedules.InverseTimeDecay."
            )
        self.scalars["u_product"] = 1.0

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the optimizer that ``get_config`` described, or that Keras 2 or 3 did."""
        renamed = {"schedule_decay" if key == "decay" else key: value for key, value in config.items()}
        return super().from_config(renamed)

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        self.scalars["u_product"] *= self._momentum(self.iterations + 1)
        super().update(store, learning_rate)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        t = self.iterations + 1
        now, following, product = self._momentum(t), self._momentum(t + 1), self.scalars["u_product"]
        return formulas.nadam, (
            learning_rate,
            *self._rests,
            following / (1 - product * following),
            (1 - now) / (1 - product),
            self._biases[1],
            self.epsilon,
        )

    def momentum_product(self, steps: int) -> float:
        """``mu_1 ... mu_steps``: P after as many steps, which Keras 2 does not always save."""
        return math.prod(self._momentum(t) for t in range(1, steps + 1))

    def _momentum(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96 ** (self.schedule_decay * t)))
