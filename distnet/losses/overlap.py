"""One minus the overlap of two sets of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from distnet import config
from distnet.kernels.long_sums import summed
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss, LossFunction
from distnet.types import Array


def axes_of(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    """Axes as NumPy takes them."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


@LOSSES.register()
@dataclass(eq=False)
class Dice(BuiltInLoss):
    """``1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon)`` of masks.

    Args:
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.

    Source: Milletari et al. (2016), arXiv:1606.04797.
    """

    axis: int | Sequence[int] | None = field(default=None, kw_only=True)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        axes = axes_of(self.axis)
        both = summed(y_true * y_pred, axes, keepdims=True)
        total = summed(y_true, axes, keepdims=True) + summed(y_pred, axes, keepdims=True) + config.epsilon()
        values = np.asarray(1.0 - 2.0 * both / total)
        return values.squeeze(axis=axes), lambda dv: 2.0 * (both / total - y_true) / total * dv


dice = LossFunction(Dice)


@LOSSES.register()
@dataclass(eq=False)
class Tversky(BuiltInLoss):
    """``1 - both / (both + alpha sum(t (1 - p)) + beta sum(p (1 - t)) + epsilon)`` of masks, ``both = sum(t p)``.

    Args:
        alpha: weight of the false negatives, as in Keras.
        beta: weight of the false positives.
        axis: axes of one mask, for example (1, 2, 3); None takes the whole batch as one mask.

    Source: Salehi et al. (2017), arXiv:1706.05721.
    """

    alpha: float = 0.5
    beta: float = 0.5
    axis: int | Sequence[int] | None = field(default=None, kw_only=True)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        axes, alpha, beta = axes_of(self.axis), self.alpha, self.beta
        both = summed(y_true * y_pred, axes, keepdims=True)
        misses = summed(y_true * (1.0 - y_pred), axes, keepdims=True)
        alarms = summed(y_pred * (1.0 - y_true), axes, keepdims=True)
        total = both + alpha * misses + beta * alarms + config.epsilon()

        def pullback(dv: Array | float) -> Array:
            d_total = y_true * (1.0 - alpha) + beta * (1.0 - y_true)
            return np.asarray((both / total * d_total - y_true) / total * dv)

        return np.asarray(1.0 - both / total).squeeze(axis=axes), pullback


tversky = LossFunction(Tversky)
