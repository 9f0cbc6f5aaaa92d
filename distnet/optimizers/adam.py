"""Adam and AdamW."""

from __future__ import annotations

import math
from dataclasses import dataclass

from distnet.arguments import NOT_NEGATIVE, number
from distnet.errors import ArgumentError
from distnet.kernels import Formula
from distnet.optimizers import formulas
from distnet.optimizers.base import OPTIMIZERS
from distnet.optimizers.moments import MomentOptimizer


@OPTIMIZERS.register()
@dataclass(eq=False)
class Adam(MomentOptimizer):
    """Running mean of the gradient, divided by its running root mean square.

    ``m += (g - m)(1 - beta_1); v += (g^2 - v)(1 - beta_2); alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t);
    w -= alpha m / (sqrt(v) + epsilon)``

    Args:
        epsilon: the paper's "epsilon hat" (before section 2.1): outside the root, not corrected for bias.
        amsgrad: whether to divide by the largest v so far.

    Source: Kingma & Ba, "Adam", ICLR 2015, algorithm 1 in the order of section 2; Reddi et al., "On the convergence
    of Adam and beyond", ICLR 2018 (amsgrad); ``keras.optimizers.Adam``.
    """

    amsgrad: bool = False

    def initial_slots(self) -> dict[str, float]:
        slots = super().initial_slots()
        return {**slots, "velocity_hat": 0.0} if self.amsgrad else slots

    def rule(self, learning_rate: float) -> tuple[Formula, tuple[float, ...]]:
        bias_1, bias_2 = self._biases
        alpha = learning_rate * math.sqrt(bias_2) / bias_1
        formula = formulas.adam_amsgrad if self.amsgrad else formulas.adam
        return formula, (alpha, *self._rests, self.epsilon)


@OPTIMIZERS.register()
@dataclass(eq=False)
class AdamW(Adam):
    """Adam after a decoupled weight decay: first ``w -= w weight_decay lr``.

    Args:
        weight_decay: at least 0; the second argument, as in Keras.

    Source: Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019; ``keras.optimizers.AdamW``.
    """

    weight_decay: float | None = number(0.004, NOT_NEGATIVE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weight_decay is None:
            raise ArgumentError("AdamW.weight_decay: expected a number, received None. Use Adam without weight decay.")
