"""Crossentropies with less weight on easy samples.

Source: Lin et al. (2017), arXiv:1708.02002, equations 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from distnet.activations import Activation
from distnet.arguments import FRACTION, NOT_NEGATIVE, number
from distnet.losses.base import Loss, Pullback
from distnet.losses.crossentropy import smoothed_binary, smoothed_one_hot
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss, LossFunction
from distnet.losses.slopes import (
    log_softmax,
    power_slope,
    sigmoid,
    softmax_pullback,
)
from distnet.ops.nn import crossentropies
from distnet.ops.nn.simplex import share, share_gradient
from distnet.types import Array


@LOSSES.register()
@dataclass(eq=False)
class BinaryFocalCrossentropy(BuiltInLoss):
    """``mean((1 - p_t)^gamma bce(t, p))`` along an axis; ``p_t = t p + (1 - t)(1 - p)`` is the truth's probability.

    Args:
        apply_class_balancing: whether each term is also weighted by ``t alpha + (1 - t)(1 - alpha)``.
        alpha: in [0, 1].
        gamma: focus, >= 0.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis of the mean.

    Source: Lin et al. (2017), arXiv:1708.02002.
    """

    logits_of: ClassVar = "sigmoid"
    apply_class_balancing: bool = False
    alpha: float = number(0.25, FRACTION)
    gamma: float = number(2.0, NOT_NEGATIVE)
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t = smoothed_binary(y_true, self.label_smoothing)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        clipped = crossentropies.clipped(p)
        crossentropy = crossentropies.binary_of_shares(t, clipped)
        miss = np.maximum(1.0 - (t * p + (1.0 - t) * (1.0 - p)), 0.0)
        balance = self.balance(t)
        focus = np.power(miss, self.gamma) * balance

        def pullback(dv: Array | float) -> Array:
            d_crossentropy = crossentropies.binary_of_shares_slope(t, clipped) * crossentropies.inside(p)
            d_focus = power_slope(miss, self.gamma) * (1.0 - 2.0 * t) * balance
            dp = (d_focus * crossentropy + focus * d_crossentropy) * (1.0 / p.shape[self.axis])
            return np.asarray((dp * p * (1.0 - p) if self.from_logits else dp) * dv)

        return (focus * crossentropy).mean(axis=self.axis), pullback

    def balance(self, t: Array) -> Array | float:
        """The weight of each term besides its focus."""
        return t * self.alpha + (1.0 - t) * (1.0 - self.alpha) if self.apply_class_balancing else 1.0

    def of_logits(self, activation: Activation) -> Loss | None:
        """From the logits, unclipped; logits that a user passes become clipped probabilities first, as in Keras 3."""
        loss = super().of_logits(activation)
        return None if loss is None else _BinaryFocalOfLogits(**{f.name: getattr(loss, f.name) for f in fields(self)})


binary_focal_crossentropy = LossFunction(BinaryFocalCrossentropy)


@dataclass(eq=False)
class _BinaryFocalOfLogits(BinaryFocalCrossentropy):
    """The same for logits z, unclipped: ``bce = max(z, 0) - t z + log(1 + exp(-|z|))``.

    Source: ``binary_focal_crossentropy`` of ``backend`` in tf_keras 2.21.
    """

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t, p = smoothed_binary(y_true, self.label_smoothing), sigmoid(y_pred)
        crossentropy = crossentropies.binary_of_logits(t, y_pred)
        missed = sigmoid(-y_pred)
        miss = t * missed + (1.0 - t) * p
        balance = self.balance(t)
        focus = np.power(miss, self.gamma) * balance

        def pullback(dv: Array | float) -> Array:
            d_focus = power_slope(miss, self.gamma) * (1.0 - 2.0 * t) * balance * p * missed
            return np.asarray((d_focus * crossentropy + focus * (p - t)) * (1.0 / p.shape[self.axis]) * dv)

        return (focus * crossentropy).mean(axis=self.axis), pullback


@LOSSES.register()
@dataclass(eq=False)
class CategoricalFocalCrossentropy(BuiltInLoss):
    """``-sum(alpha (1 - q)^gamma t log(q))`` over the classes; ``q = p / sum(p)``, clipped.

    Args:
        alpha: weight, one number or one for each class of the last axis.
        gamma: focus, >= 0.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / C``.
        axis: the axis of the classes.

    Source: Lin et al. (2017), arXiv:1708.02002.
    """

    alpha: float | Sequence[float] = 0.25
    gamma: float = number(2.0, NOT_NEGATIVE)
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t, axis = smoothed_one_hot(y_true, self.label_smoothing), self.axis
        weight = np.asarray(self.alpha, dtype=y_pred.dtype)
        p = np.exp(log_softmax(y_pred, axis)) if self.from_logits else y_pred
        q, total = share(p, axis)
        clipped = crossentropies.clipped(q)
        crossentropy = -t * np.log(clipped)
        focus = np.power(1.0 - clipped, self.gamma) * weight

        def pullback(dv: Array | float) -> Array:
            d_focus = -power_slope(1.0 - clipped, self.gamma) * weight
            dq = (d_focus * crossentropy - focus * t / clipped) * crossentropies.inside(q)
            dp = share_gradient(dq, q, total, axis)
            return (softmax_pullback(dp, p, axis) if self.from_logits else dp) * dv

        return (focus * crossentropy).sum(axis=axis), pullback


categorical_focal_crossentropy = LossFunction(CategoricalFocalCrossentropy)
