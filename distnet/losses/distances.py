"""Distances between numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.arguments import POSITIVE, number
from distnet.kernels.long_sums import summed
from distnet.losses.alignment import are_alike
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import AsMetric, BuiltInLoss, LossFunction
from distnet.losses.ready import Ready
from distnet.losses.slopes import max_slope, write_mean
from distnet.ops.kinks import side
from distnet.registry import BESIDE
from distnet.types import Array

_LOG_2 = float(np.log(2.0))


@LOSSES.register("mse")
@dataclass(eq=False)
class MeanSquaredError(BuiltInLoss):
    """``mean((p - t)^2)`` over the last axis.

    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])
    2.5
    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5])
    """

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        error = y_pred - y_true
        return (error * error).mean(axis=-1), lambda dv: error * (2.0 / y_pred.shape[-1]) * dv

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        """The formula, written where the arrays of every batch are."""
        if type(self) is not MeanSquaredError or not are_alike(y_true, y_pred):
            return super().ready(y_true, y_pred)
        width, slopes, squares = y_pred.shape[-1], np.empty_like(y_pred), np.empty_like(y_pred)
        values, twice = np.empty(y_pred.shape[:-1], y_pred.dtype), y_pred.dtype.type(2.0 / width)

        def write(t: Array, factor: Any) -> None:
            np.subtract(y_pred, np.asarray(t, y_pred.dtype).reshape(y_pred.shape), slopes)
            np.multiply(slopes, slopes, squares)
            write_mean(squares, values)
            np.multiply(slopes, twice, slopes)
            np.multiply(slopes, factor, slopes)

        return Ready(write, values, slopes)


mse = MSE = mean_squared_error = LossFunction(MeanSquaredError)


@LOSSES.register("mae")
@dataclass(eq=False)
class MeanAbsoluteError(BuiltInLoss):
    """``mean(|p - t|)`` over the last axis."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        error = y_true - y_pred
        return np.abs(error).mean(axis=-1), lambda dv: side(error) * (-1.0 / y_pred.shape[-1]) * dv


mae = MAE = mean_absolute_error = LossFunction(MeanAbsoluteError)


@LOSSES.register("mape")
@dataclass(eq=False)
class MeanAbsolutePercentageError(BuiltInLoss):
    """``100 mean(|p - t| / max(|t|, epsilon))`` over the last axis, in percent."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        scale = 100.0 / np.maximum(np.abs(y_true), config.epsilon())
        error = y_true - y_pred
        values = (np.abs(error) * scale).mean(axis=-1)
        return values, lambda dv: side(error) * scale * (-1.0 / y_pred.shape[-1]) * dv


mape = MAPE = mean_absolute_percentage_error = LossFunction(MeanAbsolutePercentageError)


@LOSSES.register("msle")
@dataclass(eq=False)
class MeanSquaredLogarithmicError(BuiltInLoss):
    """``mean((log(1 + p) - log(1 + t))^2)`` over the last axis, p and t at least epsilon."""

    metric: ClassVar = AsMetric()

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        epsilon = config.epsilon()
        one_plus = np.maximum(y_pred, epsilon) + 1.0
        error = np.log(one_plus) - np.log(np.maximum(y_true, epsilon) + 1.0)
        values = (error * error).mean(axis=-1)
        return values, lambda dv: error / one_plus * max_slope(y_pred - epsilon) * (2.0 / y_pred.shape[-1]) * dv


msle = MSLE = mean_squared_logarithmic_error = LossFunction(MeanSquaredLogarithmicError)


@LOSSES.register("huber_loss")
@dataclass(eq=False)
class Huber(BuiltInLoss):
    """``mean(e^2 / 2)`` where ``|e| <= delta``, else ``delta |e| - delta^2 / 2``, over the last axis; ``e = p - t``.

    Args:
        delta: where the squared error becomes the absolute one, > 0.

    Source: Huber (1964), doi:10.1214/aoms/1177703732.
    """

    delta: float = number(1.0, POSITIVE)
    name: str = field(default="huber_loss", kw_only=True)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        error = y_pred - y_true
        near = np.minimum(np.abs(error), self.delta)
        values = (near * (np.abs(error) - 0.5 * near)).mean(axis=-1)
        scale = 1.0 / y_pred.shape[-1]
        return values, lambda dv: np.minimum(np.maximum(error, -self.delta), self.delta) * scale * dv


huber = LossFunction(Huber)


@LOSSES.register()
@dataclass(eq=False)
class LogCosh(BuiltInLoss):
    """``mean(log(cosh(p - t)))`` over the last axis, without overflow."""

    metric: ClassVar = AsMetric("LogCoshError", name="logcosh")

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        error = y_pred - y_true
        values = (error + np.logaddexp(0.0, -2.0 * error) - _LOG_2).mean(axis=-1)
        return values, lambda dv: np.tanh(error) * (1.0 / y_pred.shape[-1]) * dv


logcosh = log_cosh = LossFunction(LogCosh)


@LOSSES.register("cosine_proximity")
@dataclass(eq=False)
class CosineSimilarity(BuiltInLoss):
    """``-(t . p) / (|t| |p|)`` along an axis: -1 for equal directions, 1 for opposite ones.

    A length below epsilon counts as epsilon.

    Args:
        axis: the axis that holds the vectors.
        mean_over_axis: whether the products are averaged, as in Keras up to 2.0.8, instead of summed.
    """

    axis: int = -1
    mean_over_axis: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        length = np.sqrt(summed(y_pred * y_pred, self.axis, keepdims=True))
        inverse = 1.0 / np.maximum(length, config.epsilon())
        t = y_true / np.maximum(np.sqrt(summed(y_true * y_true, self.axis, keepdims=True)), config.epsilon())
        p = y_pred * inverse
        cosine = summed(t * p, self.axis, keepdims=True)
        share = 1.0 / y_pred.shape[self.axis] if self.mean_over_axis else 1.0

        def pullback(dv: Array | float) -> Array:
            return np.asarray((p * cosine * max_slope(length - config.epsilon()) - t) * (inverse * share) * dv)

        return -cosine.squeeze(axis=self.axis) * share, pullback


cosine_similarity = LossFunction(CosineSimilarity)
