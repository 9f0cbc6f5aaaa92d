"""How well predictions follow targets within a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet import config
from distnet.losses.alignment import same_shape
from distnet.losses.made_function import MadeFunction
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.types import Array


@METRICS.register()
@dataclass(eq=False)
class PearsonCorrelation(FunctionMetric):
    """``cov(t, p) / (std(t) std(p))`` along an axis, in [-1, 1]; not a number where either is constant.

    Args:
        axis: the axis that holds a sample's numbers.
    """

    direction = "up"
    axis: int = -1

    def values(self, y_true: Array, y_pred: Array) -> Array:
        axis = self.axis
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        t, p = t - t.mean(axis=axis, keepdims=True), p - p.mean(axis=axis, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((t * p).mean(axis=axis) / (t.std(axis=axis) * p.std(axis=axis)))


pearson_correlation = MadeFunction(PearsonCorrelation)


@METRICS.register()
@dataclass(eq=False)
class ConcordanceCorrelation(FunctionMetric):
    """``2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2 + epsilon)`` along an axis.

    It is correlation that also minds scale and shift.

    Args:
        axis: the axis that holds a sample's numbers.

    Source: Lin (1989), doi:10.2307/2532051.
    """

    direction = "up"
    axis: int = -1

    def values(self, y_true: Array, y_pred: Array) -> Array:
        axis = self.axis
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        t_mean, p_mean = t.mean(axis=axis, keepdims=True), p.mean(axis=axis, keepdims=True)
        covariance = ((t - t_mean) * (p - p_mean)).mean(axis=axis)
        shift = np.square(t_mean - p_mean).squeeze(axis)
        return np.asarray(2.0 * covariance / (t.var(axis=axis) + p.var(axis=axis) + shift + config.epsilon()))


concordance_correlation = MadeFunction(ConcordanceCorrelation)
