"""Metrics of numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from distnet import losses
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating, same_shape
from distnet.losses.weighting import every_weight
from distnet.metrics.means import METRICS, MeanMetric, mean_of
from distnet.metrics.sums import SumsMetric, ratio, scalar_or_array
from distnet.registry import BESIDE
from distnet.types import Array, ArrayLike, Json, Shape


@METRICS.register("cosine_proximity")
@dataclass(eq=False)
class CosineSimilarity(MeanMetric):
    """Mean cosine of the angle between target and prediction: 1 if they agree. The loss is its negative.

    Args:
        axis: the axis that holds the vectors.
        as_loss: whether it is the loss itself, as in Keras up to 2.2.
        mean_over_axis: as in the loss.
    """

    direction = "up"
    axis: int = -1
    as_loss: bool = field(default=False, kw_only=True, metadata=BESIDE)
    mean_over_axis: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._direction = "down" if self.as_loss else "up"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        loss = losses.cosine_similarity(y_true, y_pred, axis=self.axis, mean_over_axis=self.mean_over_axis)
        return loss if self.as_loss else -loss


@METRICS.register()
@dataclass(eq=False)
class RootMeanSquaredError(MeanMetric):
    """``sqrt(mean((p - t)^2))``, with the mean over all rows."""

    direction = "down"
    heeds_mask = False

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.name, y_true, y_pred)
        return np.asarray(np.square(p - t))

    def result_of(self, state: Array) -> float | Array:
        return float(np.sqrt(mean_of(state)))


@METRICS.register()
@dataclass(eq=False)
class MeanRelativeError(MeanMetric):
    """``mean(|p - t| / normalizer)``, 0 where the normalizer is 0.

    Args:
        normalizer: what errors are relative to, broadcast over the predictions.

    Source: ``tf.keras.metrics.MeanRelativeError`` of Keras 2.
    """

    direction = "down"
    heeds_mask = False
    normalizer: Sequence[float] | float = 1.0
    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.name, y_true, y_pred)
        return ratio(np.abs(p - t), np.asarray(self.normalizer))


@METRICS.register()
@dataclass(eq=False)
class R2Score(SumsMetric):
    """``1 - sum((t - p)^2) / sum((t - mean(t))^2)`` of each output, over all rows.

    Shapes:
        y_true, y_pred (N, C) -> () or, with class_aggregation None, (C,)

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"`` or None over outputs.
        num_regressors: independent variables; above 0 gives the adjusted score.
    """

    direction = "up"
    class_aggregation: str | None = "uniform_average"
    num_regressors: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = (None, "uniform_average", "variance_weighted_average")
        if self.class_aggregation not in allowed or self.num_regressors < 0:
            raise ArgumentError(
                f"R2Score: expected class_aggregation of {allowed} and num_regressors >= 0, "
                f"received {self.class_aggregation!r} and {self.num_regressors!r}."
            )

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 4 * int(y_pred_shape[-1] or 0) + 1

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        t, p = same_shape(self.name, np.asarray(y_true), as_floating(y_pred).astype(np.float64, copy=False))
        if p.ndim != 2:
            raise ShapeError(f"R2Score: expected predictions of shape (N, C), received {p.shape}.")
        weight = every_weight(self.name, t.shape, sample_weight)
        sums = [(t * weight).sum(0), (t * t * weight).sum(0), (np.square(t - p) * weight).sum(0), weight.sum(0)]
        return np.concatenate([*sums, [t.size]])

    def result_of(self, state: Array) -> float | Array:
        total, squared, residual, count = state[:-1].reshape(4, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squared - total * (total / count)
            scores = 1.0 - residual / spread
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation:
                scores = np.asarray((spread * scores).sum() / spread.sum())
        return scalar_or_array(np.asarray(self._adjusted(scores, float(state[-1]))))

    def _adjusted(self, score: Array, samples: float) -> Array:
        if self.num_regressors == 0:
            return score
        if self.num_regressors >= samples - 1:
            warnings.warn(
                f"R2Score: expected more values than regressors to adjust by, received {samples:g} values and "
                f"{self.num_regressors} regressors; giving the plain score.",
                stacklevel=4,
            )
            return score
        return np.asarray(1.0 - (1.0 - score) * (samples - 1.0) / (samples - self.num_regressors - 1.0))
