"""Keras's path for the optimizers of Keras up to 2.10.

All optimizers accept ``lr`` and ``decay`` here; RMSprop and Adagrad also have another formula.
"""

from __future__ import annotations

from typing import Any

from distnet import optimizers
from distnet.optimizers import SGD as SGD
from distnet.optimizers import Adadelta as Adadelta
from distnet.optimizers import Adam as Adam
from distnet.optimizers import Adamax as Adamax
from distnet.optimizers import Ftrl as Ftrl
from distnet.optimizers import Nadam as Nadam
from distnet.optimizers import Optimizer as Optimizer


class Adagrad(optimizers.Adagrad):
    """``distnet.optimizers.Adagrad`` with ``epsilon_outside``.

    Source: ``keras.optimizers.legacy.Adagrad``.
    """

    def __init__(self, *args: Any, epsilon_outside: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, epsilon_outside=epsilon_outside, **kwargs)


class RMSprop(optimizers.RMSprop):
    """``distnet.optimizers.RMSprop`` with ``epsilon_outside`` unless it has momentum.

    Source: ``keras.optimizers.legacy.RMSprop``.
    """

    def __init__(self, *args: Any, epsilon_outside: bool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epsilon_outside = not self.momentum if epsilon_outside is None else epsilon_outside
