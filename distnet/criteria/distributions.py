"""Distances between distributions and between counts."""

from __future__ import annotations

import numpy as np

from distnet import config
from distnet.criteria.base import Pullback, criterion
from distnet.criteria.slopes import clip, clip_slope
from distnet.types import Array


@criterion()
def kl_divergence(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``sum(t log(t / p))`` over the last axis, both clipped to [epsilon, 1]."""
    epsilon = config.epsilon()
    t, p = clip(y_true, epsilon, 1.0), clip(y_pred, epsilon, 1.0)
    return (t * np.log(t / p)).sum(axis=-1), lambda: -t / p * clip_slope(y_pred, epsilon, 1.0)


@criterion()
def poisson(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean(p - t log(p + epsilon))`` over the last axis."""
    rate = y_pred + config.epsilon()
    values = (y_pred - y_true * np.log(rate)).mean(axis=-1)
    return values, lambda: (1.0 - y_true / rate) * (1.0 / y_pred.shape[-1])
