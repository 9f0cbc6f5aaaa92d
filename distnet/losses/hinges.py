"""Margin losses: 0 once a prediction is on the right side by 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import AsMetric, BuiltInLoss, LossFunction
from distnet.losses.slopes import max_slope
from distnet.registry import BESIDE
from distnet.types import Array


def is_binary(y_true: Array) -> bool:
    """Whether all labels are 0 or 1, which are read as -1 and 1."""
    return bool(((y_true == 0) | (y_true == 1)).all())


def signs(y_true: Array) -> Array:
    """Labels 0 and 1 as -1 and 1; labels that are not all 0 or 1 stay as they are."""
    return 2.0 * y_true - 1.0 if is_binary(y_true) else y_true


@LOSSES.register()
@dataclass(eq=False)
class Hinge(BuiltInLoss):
    """``mean(max(1 - t p, 0))`` over the last axis; t is -1 or 1, or 0 or 1, which are read as -1 and 1.

    Args:
        plain_labels: whether labels 0 and 1 stay as they are, as in Keras up to 2.2.
    """

    metric: ClassVar = AsMetric()
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t = y_true if self.plain_labels else signs(y_true)
        margin = 1.0 - t * y_pred
        return np.maximum(margin, 0.0).mean(axis=-1), lambda dv: -t * max_slope(margin) * (1.0 / y_pred.shape[-1]) * dv


hinge = LossFunction(Hinge)


@LOSSES.register()
@dataclass(eq=False)
class SquaredHinge(BuiltInLoss):
    """``mean(max(1 - t p, 0)^2)`` over the last axis; t as in ``Hinge``.

    Args:
        plain_labels: as in ``Hinge``.
    """

    metric: ClassVar = AsMetric()
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t = y_true if self.plain_labels else signs(y_true)
        margin = np.maximum(1.0 - t * y_pred, 0.0)
        return (margin * margin).mean(axis=-1), lambda dv: -t * margin * (2.0 / y_pred.shape[-1]) * dv


squared_hinge = LossFunction(SquaredHinge)


@LOSSES.register()
@dataclass(eq=False)
class CategoricalHinge(BuiltInLoss):
    """``max(max((1 - t) p) - sum(t p) + 1, 0)`` over the last axis: the largest wrong score against the right one."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        others = (1.0 - y_true) * y_pred
        worst = others.max(axis=-1, keepdims=True)
        margin = worst - (y_true * y_pred).sum(axis=-1, keepdims=True) + 1.0

        def pullback(dv: Array | float) -> Array:
            is_worst = (others == worst).astype(y_pred.dtype)
            is_worst /= is_worst.sum(axis=-1, keepdims=True)
            return np.asarray(((1.0 - y_true) * is_worst - y_true) * max_slope(margin) * dv)

        return np.maximum(margin, 0.0)[..., 0], pullback


categorical_hinge = LossFunction(CategoricalHinge)
