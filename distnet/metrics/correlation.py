"""How well predictions follow targets within a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.losses.alignment import as_floating, same_shape
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.results import giving_results
from distnet.types import Array, ArrayLike


@giving_results
def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """``cov(t, p) / (std(t) std(p))`` along an axis; not a number where either is constant."""
    t, p = same_shape("pearson_correlation", np.asarray(y_true), as_floating(y_pred))
    t, p = t - t.mean(axis=axis, keepdims=True), p - p.mean(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((t * p).mean(axis=axis) / (t.std(axis=axis) * p.std(axis=axis)))


@giving_results
def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """``2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2 + epsilon)`` along an axis.

    Source: Lin (1989), doi:10.2307/2532051.
    """
    t, p = same_shape("concordance_correlation", np.asarray(y_true), as_floating(y_pred))
    t_mean, p_mean = t.mean(axis=axis), p.mean(axis=axis)
    covariance = ((t - t.mean(axis=axis, keepdims=True)) * (p - p.mean(axis=axis, keepdims=True))).mean(axis=axis)
    spread = t.var(axis=axis) + p.var(axis=axis) + np.square(t_mean - p_mean) + config.epsilon()
    return np.asarray(2.0 * covariance / spread)


@METRICS.register()
@dataclass(eq=False)
class PearsonCorrelation(FunctionMetric):
    """Mean over samples of the correlation along ``axis``, in [-1, 1].

    Args:
        axis: the axis that holds a sample's numbers.
    """

    direction = "up"
    function: ClassVar = staticmethod(pearson_correlation)
    axis: int = -1


@METRICS.register()
@dataclass(eq=False)
class ConcordanceCorrelation(FunctionMetric):
    """Mean over samples of the concordance along ``axis``: correlation that also minds scale and shift.

    Args:
        axis: the axis that holds a sample's numbers.
    """

    direction = "up"
    function: ClassVar = staticmethod(concordance_correlation)
    axis: int = -1
