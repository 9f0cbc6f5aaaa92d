"""RMSprop."""

from __future__ import annotations

from dataclasses import dataclass, field

from distnet.arguments import FRACTION, NOT_NEGATIVE, number
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS, Optimizer
from distnet.registry import BESIDE


@OPTIMIZERS.register()
@dataclass(eq=False)
class RMSprop(Optimizer):
    """Gradient divided by its running root mean square: ``v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon)``.

    Args:
        rho: weight of the past in the mean, in [0, 1].
        momentum: if above 0, ``m = momentum m + lr g / sqrt(v + epsilon); w -= m``; in [0, 1].
        epsilon: keeps the root from 0; inside it.
        centered: whether to subtract the square of the gradient's running mean from v.
        epsilon_outside: whether to divide by ``sqrt(v) + epsilon`` instead, as Keras up to 2.10 does without momentum.

    Source: Hinton, "Neural networks for machine learning", lecture 6e, 2012; Graves, "Generating sequences with
    recurrent neural networks", 2013, equations 38-41 (centered); ``keras.optimizers.RMSprop``.
    """

    rho: float = number(0.9, FRACTION)
    momentum: float = number(0.0, FRACTION)
    epsilon: float = number(1e-7, NOT_NEGATIVE)
    centered: bool = False
    epsilon_outside: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def initial_slots(self) -> dict[str, float]:
        slots = {"velocity": 0.0}
        if self.momentum:
            slots["momentum"] = 0.0
        if self.centered:
            slots["average_gradient"] = 0.0
        return slots

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        epsilons = (0.0, self.epsilon) if self.epsilon_outside else (self.epsilon, 0.0)
        scalars = (learning_rate, self.rho, 1 - self.rho, *epsilons)
        if self.momentum:
            formula = formulas.rmsprop_momentum_centered if self.centered else formulas.rmsprop_momentum
            return formula, (*scalars, self.momentum)
        return formulas.rmsprop_centered if self.centered else formulas.rmsprop, scalars
