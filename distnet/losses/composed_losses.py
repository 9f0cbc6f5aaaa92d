"""Losses as functions of ``distnet.ops``, for what formulas do not give: second derivatives, gradients of targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from distnet import config
from distnet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    smoothed_binary,
)
from distnet.losses.distances import CosineSimilarity, MeanAbsoluteError, MeanSquaredError
from distnet.losses.loss_function import BuiltInLoss
from distnet.losses.of_tensors import in_one_dtype, in_one_rank
from distnet.ops.operators import PRIMITIVES

Composition: TypeAlias = Callable[[Any, Any, Any], Any]
"""``(loss, y_true, y_pred) -> values``, of tensors."""


def _composes(loss: type[BuiltInLoss]) -> Callable[[Composition], Composition]:
    """Say what the loss is composed of."""

    def decorate(composition: Composition) -> Composition:
        def composed(self: Any, y_true: Any, y_pred: Any) -> Any:
            return composition(self, *in_one_rank(*in_one_dtype(y_true, y_pred)))

        loss.composed = composed
        return composition

    return decorate


def _of(kind: str, *args: Any, **options: Any) -> Any:
    return PRIMITIVES[kind](*args, **options)


@_composes(MeanSquaredError)
def _squared(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _of("Square", p - t), axis=-1)


@_composes(MeanAbsoluteError)
def _absolute(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _of("Absolute", t - p), axis=-1)


@_composes(CosineSimilarity)
def _cosine(loss: Any, t: Any, p: Any) -> Any:
    def unit(x: Any) -> Any:
        length = _of("Sqrt", _of("Sum", x * x, axis=loss.axis, keepdims=True))
        return x / _of("Maximum", length, config.epsilon())

    share = 1.0 / p.shape[loss.axis] if loss.mean_over_axis else 1.0
    return -share * _of("Sum", unit(t) * unit(p), axis=loss.axis)


@_composes(BinaryCrossentropy)
def _binary(loss: Any, t: Any, p: Any) -> Any:
    t = smoothed_binary(t, loss.label_smoothing)
    if loss.from_logits:
        return _of("Mean", _of("Softplus", p) - t * p, axis=loss.axis)
    p = _of("Clip", p, config.epsilon(), 1.0 - config.epsilon())
    return _of("Mean", -(t * _of("Log", p) + (1.0 - t) * _of("Log", 1.0 - p)), axis=loss.axis)


@_composes(CategoricalCrossentropy)
def _categorical(loss: Any, t: Any, p: Any) -> Any:
    if loss.label_smoothing:
        t = t * (1.0 - loss.label_smoothing) + loss.label_smoothing / t.shape[-1]
    if loss.from_logits:
        return -_of("Sum", t * _of("LogSoftmax", p, axis=loss.axis), axis=loss.axis)
    shares = p / _of("Sum", p, axis=loss.axis, keepdims=True)
    clipped = _of("Clip", shares, config.epsilon(), 1.0 - config.epsilon())
    return -_of("Sum", t * _of("Log", clipped), axis=loss.axis)
