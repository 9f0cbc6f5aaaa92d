"""Follow the regularized leader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.arguments import NOT_NEGATIVE, NOT_POSITIVE, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.store_part import StorePart
from distnet.variables import Variables


@OPTIMIZERS.register()
@dataclass(eq=False)
class Ftrl(Optimizer):
    """FTRL-proximal, which drives weights to exactly 0; with p = -learning_rate_power, l2' = l2 + beta / (2 lr):

    ``n' = n + g^2; z += g + 2 shrinkage w - (n'^p - n^p) w / lr;
    w = (clip(z, -l1, l1) - z) / (n'^p / lr + 2 l2'); n = n'``

    Args:
        learning_rate_power: how the learning rate falls with n; at most 0; 0 keeps it constant.
        initial_accumulator_value: n at the start, at least 0.
        l1_regularization_strength: l1, at least 0.
        l2_regularization_strength: l2, at least 0.
        l2_shrinkage_regularization_strength: shrinkage, at least 0: a penalty on w that does not enter n.
        beta: the paper's beta, at least 0.

    Source: McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, algorithm 1;
    ``keras.optimizers.Ftrl``.
    """

    updates_elementwise: ClassVar = True

    learning_rate_power: float = number(-0.5, NOT_POSITIVE)
    initial_accumulator_value: float = number(0.1, NOT_NEGATIVE)
    l1_regularization_strength: float = number(0.0, NOT_NEGATIVE)
    l2_regularization_strength: float = number(0.0, NOT_NEGATIVE)
    l2_shrinkage_regularization_strength: float = number(0.0, NOT_NEGATIVE)
    beta: float = number(0.0, NOT_NEGATIVE)

    def initial_slots(self) -> dict[str, float]:
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def update(self, store: Variables | StorePart, learning_rate: float) -> None:
        # A schedule may return 0, by which the formula would divide: the weights stay then (Keras's become NaN).
        if learning_rate:
            super().update(store, learning_rate)

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength + self.beta / (2 * learning_rate)
        penalties = (l1, 2 * l2, 2 * self.l2_shrinkage_regularization_strength)
        if self.learning_rate_power == -0.5:
            return formulas.ftrl_square_root, (learning_rate, *penalties)
        return formulas.ftrl, (learning_rate, -self.learning_rate_power, *penalties)
