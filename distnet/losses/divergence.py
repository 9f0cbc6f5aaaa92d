"""Distances between distributions and between counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import AsMetric, BuiltInLoss, LossFunction
from distnet.losses.slopes import clip
from distnet.ops.nn.pieces import clip_slope
from distnet.types import Array


@LOSSES.register("kld", "kullback_leibler_divergence")
@dataclass(eq=False)
class KLDivergence(BuiltInLoss):
    """``sum(t log(t / p))`` over the last axis, both clipped to [epsilon, 1]."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        epsilon = config.epsilon()
        t, p = clip(y_true, epsilon, 1.0), clip(y_pred, epsilon, 1.0)
        return (t * np.log(t / p)).sum(axis=-1), lambda dv: -t / p * clip_slope(y_pred, epsilon, 1.0) * dv


kld = KLD = kullback_leibler_divergence = kl_divergence = LossFunction(KLDivergence)


@LOSSES.register()
@dataclass(eq=False)
class Poisson(BuiltInLoss):
    """``mean(p - t log(p + epsilon))`` over the last axis, for counts t."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        rate = y_pred + config.epsilon()
        values = (y_pred - y_true * np.log(rate)).mean(axis=-1)
        return values, lambda dv: (1.0 - y_true / rate) * (1.0 / y_pred.shape[-1]) * dv


poisson = LossFunction(Poisson)
