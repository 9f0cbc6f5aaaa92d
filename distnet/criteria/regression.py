"""Distances between numbers."""

from __future__ import annotations

import numpy as np

from distnet import config
from distnet.criteria.base import Pullback, criterion
from distnet.criteria.slopes import step
from distnet.types import Array

_LOG_2 = float(np.log(2.0))


@criterion()
def mean_squared_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean((p - t)^2)`` over the last axis.

    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5])
    """
    error = y_pred - y_true
    return (error * error).mean(axis=-1), lambda: error * (2.0 / y_pred.shape[-1])


@criterion()
def mean_absolute_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean(|p - t|)`` over the last axis."""
    error = y_pred - y_true
    return np.abs(error).mean(axis=-1), lambda: np.sign(error) * (1.0 / y_pred.shape[-1])


@criterion()
def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``100 mean(|p - t| / max(|t|, epsilon))`` over the last axis."""
    scale = 100.0 / np.maximum(np.abs(y_true), config.epsilon())
    error = y_pred - y_true
    return (np.abs(error) * scale).mean(axis=-1), lambda: np.sign(error) * scale * (1.0 / y_pred.shape[-1])


@criterion()
def mean_squared_logarithmic_error(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean((log(1 + max(p, epsilon)) - log(1 + max(t, epsilon)))^2)`` over the last axis."""
    epsilon = config.epsilon()
    one_plus = np.maximum(y_pred, epsilon) + 1.0
    error = np.log(one_plus) - np.log(np.maximum(y_true, epsilon) + 1.0)

    def gradient() -> Array:
        return np.asarray(error / one_plus * step(y_pred - epsilon) * (2.0 / y_pred.shape[-1]))

    return (error * error).mean(axis=-1), gradient


@criterion()
def huber(y_true: Array, y_pred: Array, delta: float = 1.0) -> tuple[Array, Pullback]:
    """``mean(e^2 / 2)`` where ``|e| <= delta``, else ``delta |e| - delta^2 / 2``, over the last axis.

    Source: Huber (1964), doi:10.1214/aoms/1177703732.
    """
    error = y_pred - y_true
    near = np.minimum(np.abs(error), delta)
    values = (near * (np.abs(error) - 0.5 * near)).mean(axis=-1)
    return values, lambda: np.minimum(np.maximum(error, -delta), delta) * (1.0 / y_pred.shape[-1])


@criterion()
def log_cosh(y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
    """``mean(log(cosh(p - t)))`` over the last axis, without overflow."""
    error = y_pred - y_true
    values = (error + np.logaddexp(0.0, -2.0 * error) - _LOG_2).mean(axis=-1)
    return values, lambda: np.tanh(error) * (1.0 / y_pred.shape[-1])


@criterion()
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
