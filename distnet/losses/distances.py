"""Distances between numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.arguments import POSITIVE, number
from distnet.losses.kinds import LOSSES, BuiltInLoss
from distnet.losses.loss_function import Pullback, loss_function
from distnet.losses.slopes import step
from distnet.registry import BESIDE
from distnet.types import Array

_LOG_2 = float(np.log(2.0))


@loss_function()
def mean_squared_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean((p - t)^2)`` over the last axis.

    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5])
    """
    error = y_pred - y_true
    return (error * error).mean(axis=-1), lambda: error * (2.0 / y_pred.shape[-1])


@loss_function()
def mean_absolute_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean(|p - t|)`` over the last axis."""
    error = y_pred - y_true
    return np.abs(error).mean(axis=-1), lambda: np.sign(error) * (1.0 / y_pred.shape[-1])


@loss_function()
def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``100 mean(|p - t| / max(|t|, epsilon))`` over the last axis."""
    scale = 100.0 / np.maximum(np.abs(y_true), config.epsilon())
    error = y_pred - y_true
    return (np.abs(error) * scale).mean(axis=-1), lambda: np.sign(error) * scale * (1.0 / y_pred.shape[-1])


@loss_function()
def mean_squared_logarithmic_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean((log(1 + max(p, epsilon)) - log(1 + max(t, epsilon)))^2)`` over the last axis."""
    epsilon = config.epsilon()
    one_plus = np.maximum(y_pred, epsilon) + 1.0
    error = np.log(one_plus) - np.log(np.maximum(y_true, epsilon) + 1.0)

    def gradient() -> Array:
        return np.asarray(error / one_plus * step(y_pred - epsilon) * (2.0 / y_pred.shape[-1]))

    return (error * error).mean(axis=-1), gradient


@loss_function()
def huber(y_true: Array, y_pred: Array, delta: float = 1.0) -> tuple[Array, Pullback]:
    """``mean(e^2 / 2)`` where ``|e| <= delta``, else ``delta |e| - delta^2 / 2``, over the last axis.

    Source: Huber (1964), doi:10.1214/aoms/1177703732.
    """
    error = y_pred - y_true
    near = np.minimum(np.abs(error), delta)
    values = (near * (np.abs(error) - 0.5 * near)).mean(axis=-1)
    return values, lambda: np.minimum(np.maximum(error, -delta), delta) * (1.0 / y_pred.shape[-1])


@loss_function()
def log_cosh(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean(log(cosh(p - t)))`` over the last axis, without overflow."""
    error = y_pred - y_true
    values = (error + np.logaddexp(0.0, -2.0 * error) - _LOG_2).mean(axis=-1)
    return values, lambda: np.tanh(error) * (1.0 / y_pred.shape[-1])


@loss_function()
def cosine_similarity(
    y_true: Array, y_pred: Array, axis: int = -1, mean_over_axis: bool = False
) -> tuple[Array, Pullback]:
    """``-(t . p) / (|t| |p|)`` along an axis: -1 where the directions agree, 1 where they are opposite.

    A length below epsilon counts as epsilon.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: the axis that holds the vectors.
        mean_over_axis: whether the products are averaged, not summed.
    """
    length = np.sqrt((y_pred * y_pred).sum(axis=axis, keepdims=True))
    inverse = 1.0 / np.maximum(length, config.epsilon())
    t = y_true / np.maximum(np.sqrt((y_true * y_true).sum(axis=axis, keepdims=True)), config.epsilon())
    p = y_pred * inverse
    cosine = (t * p).sum(axis=axis, keepdims=True)
    share = 1.0 / y_pred.shape[axis] if mean_over_axis else 1.0

    def gradient() -> Array:
        return np.asarray((p * cosine * step(length - config.epsilon()) - t) * (inverse * share))

    return -cosine.squeeze(axis=axis) * share, gradient


@LOSSES.register("mse")
@dataclass(eq=False)
class MeanSquaredError(BuiltInLoss):
    """``mean((p - t)^2)`` over the last axis.

    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])
    2.5
    """

    function: ClassVar = mean_squared_error


@LOSSES.register("mae")
@dataclass(eq=False)
class MeanAbsoluteError(BuiltInLoss):
    """``mean(|p - t|)`` over the last axis."""

    function: ClassVar = mean_absolute_error


@LOSSES.register("mape")
@dataclass(eq=False)
class MeanAbsolutePercentageError(BuiltInLoss):
    """``100 mean(|p - t| / max(|t|, epsilon))`` over the last axis, in percent."""

    function: ClassVar = mean_absolute_percentage_error


@LOSSES.register("msle")
@dataclass(eq=False)
class MeanSquaredLogarithmicError(BuiltInLoss):
    """``mean((log(1 + p) - log(1 + t))^2)`` over the last axis, p and t at least epsilon."""

    function: ClassVar = mean_squared_logarithmic_error


@LOSSES.register("huber_loss")
@dataclass(eq=False)
class Huber(BuiltInLoss):
    """Squared error near 0, absolute error beyond ``delta``; mean over the last axis.

    Args:
        delta: where the one becomes the other, > 0.
    """

    function: ClassVar = huber
    delta: float = number(1.0, POSITIVE)
    name: str = field(default="huber_loss", kw_only=True)


@LOSSES.register()
@dataclass(eq=False)
class LogCosh(BuiltInLoss):
    """``mean(log(cosh(p - t)))`` over the last axis."""

    function: ClassVar = log_cosh


@LOSSES.register("cosine_proximity")
@dataclass(eq=False)
class CosineSimilarity(BuiltInLoss):
    """Minus the cosine of the angle between target and prediction: -1 where they agree.

    Args:
        axis: the axis that holds the vectors.
        mean_over_axis: whether the products are averaged, as in Keras up to 2.0.8, not summed.
    """

    function: ClassVar = cosine_similarity
    axis: int = -1
    mean_over_axis: bool = field(default=False, kw_only=True, metadata=BESIDE)
