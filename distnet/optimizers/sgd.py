"""Gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.arguments import FRACTION, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.optimizers.learning_rate import LearningRateField


@OPTIMIZERS.register()
@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent: ``w -= lr g``; with momentum ``m = momentum m - lr g; w += m``.

    Nesterov's: ``w += momentum m - lr g``, with the new m.

    Args:
        momentum: in [0, 1]; 0 keeps no state.
        nesterov: whether the gradient is taken as if the momentum had been followed.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013;
    ``keras.optimizers.SGD``.
    """

    learning_rate: LearningRateField = LearningRateField(0.01)
    momentum: float = number(0.0, FRACTION)
    nesterov: bool = False

    def initial_slots(self) -> dict[str, float]:
        return {"momentum": 0.0} if self.momentum else {}

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        if not self.momentum:
            return formulas.sgd, (learning_rate,)
        formula = formulas.sgd_nesterov if self.nesterov else formulas.sgd_momentum
        return formula, (learning_rate, self.momentum)
