"""Nadam."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from distnet.arguments import BELOW_ONE, NOT_NEGATIVE, number
from distnet.errors import ArgumentError
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.registry import BESIDE
from distnet.types import Json
from distnet.variables import StorePart, Variables


@OPTIMIZERS.register()
@dataclass(eq=False)
class Nadam(Optimizer):
    """Adam with Nesterov's momentum: the mean is led by the present gradient.

    ``mu_t = beta_1 (1 - 0.96^(s t) / 2); P = mu_1 ... mu_t; m and v as in Adam;
    h = mu_{t+1} m / (1 - P mu_{t+1}) + (1 - mu_t) g / (1 - P);
    w -= lr h / (sqrt(v / (1 - beta_2^t)) + epsilon)``

    Args:
        beta_1: weight of the past in m, in [0, 1).
        beta_2: weight of the past in v, in [0, 1).
        epsilon: keeps the divisor from 0.
        schedule_decay: s, how fast mu rises; 1 in Keras 3, by default 0.004 in Keras up to 2.10, where a file
            calls it ``decay``.
        decay: not to be given, for that reason.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 8; ``keras.optimizers.Nadam``.
    """

    updates_elementwise: ClassVar = True

    beta_1: float = number(0.9, BELOW_ONE)
    beta_2: float = number(0.999, BELOW_ONE)
    epsilon: float = number(1e-7, NOT_NEGATIVE)
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

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0, "velocity": 0.0}

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        self.scalars["u_product"] *= self._momentum(self.iterations + 1)
        super().update(store, learning_rate)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        t = self.iterations + 1
        now, following, product = self._momentum(t), self._momentum(t + 1), self.scalars["u_product"]
        return formulas.nadam, (
            learning_rate,
            1 - self.beta_1,
            1 - self.beta_2,
            following / (1 - product * following),
            (1 - now) / (1 - product),
            1 - self.beta_2**t,
            self.epsilon,
        )

    def momentum_product(self, steps: int) -> float:
        """``mu_1 ... mu_steps``: P after as many steps, which Keras 2 does not always save."""
        return math.prod(self._momentum(t) for t in range(1, steps + 1))

    def _momentum(self, t: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96 ** (self.schedule_decay * t)))
