"""Losses as functions of ``distnet.ops``, for what formulas do not give.

Those are second derivatives, gradients of targets, and nodes of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distnet import config
from distnet.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    smoothed_binary,
    smoothed_one_hot,
)
from distnet.losses.distances import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from distnet.losses.divergence import KLDivergence, Poisson
from distnet.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from distnet.losses.hinges import CategoricalHinge, Hinge, SquaredHinge, is_binary
from distnet.losses.made_function import HasFunction
from distnet.losses.of_tensors import in_one_dtype, in_one_rank
from distnet.losses.overlap import Dice, Tversky, axes_of
from distnet.ops.nn import crossentropies
from distnet.ops.nn.encodings import one_hot
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import are_placeholders
from distnet.ops.tensor import whole_value

Composition: TypeAlias = Callable[[Any, Any, Any], Any]
"""``(loss, y_true, y_pred) -> values``, of tensors."""


def composes(cls: type[HasFunction], of_labels: bool = False) -> Callable[[Composition], Composition]:
    """Say what the loss or metric is composed of.

    Args:
        cls: its class.
        of_labels: whether targets are class numbers, which are handed over as they are.
    """

    def decorate(composition: Composition) -> Composition:
        def composed(self: Any, y_true: Any, y_pred: Any) -> Any:
            ends = (y_true, y_pred) if of_labels else in_one_rank(*in_one_dtype(y_true, y_pred))
            return composition(self, *ends)

        cls.composed = composed
        return composition

    return decorate


def labels_in_shape(labels: Any, p: Any, axis: int = -1) -> Any:
    """Class numbers without the class axis of 1 that they may have."""
    return _of("Squeeze", labels, axis) if labels.ndim == p.ndim and labels.shape[axis] == 1 else labels


def _of(kind: str, *args: Any, **options: Any) -> Any:
    return PRIMITIVES[kind](*args, **options)


@composes(MeanSquaredError)
def _squared(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _of("Square", p - t), axis=-1)


@composes(MeanAbsoluteError)
def _absolute(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _of("Absolute", t - p), axis=-1)


@composes(CosineSimilarity)
def _cosine(loss: Any, t: Any, p: Any) -> Any:
    def unit(x: Any) -> Any:
        length = _of("Sqrt", _of("Sum", x * x, axis=loss.axis, keepdims=True))
        return x / _of("Maximum", length, config.epsilon())

    share = 1.0 / p.shape[loss.axis] if loss.mean_over_axis else 1.0
    return -share * _of("Sum", unit(t) * unit(p), axis=loss.axis)


@composes(MeanAbsolutePercentageError)
def _percentage(loss: Any, t: Any, p: Any) -> Any:
    return 100.0 * _of("Mean", _of("Absolute", (t - p) / _of("Maximum", _of("Absolute", t), config.epsilon())), axis=-1)


@composes(MeanSquaredLogarithmicError)
def _logarithmic(loss: Any, t: Any, p: Any) -> Any:
    ends = [_of("Log", _of("Maximum", x, config.epsilon()) + 1.0) for x in (p, t)]
    return _of("Mean", _of("Square", ends[0] - ends[1]), axis=-1)


@composes(Huber)
def _huber(loss: Any, t: Any, p: Any) -> Any:
    size = _of("Absolute", p - t)
    near = _of("Minimum", size, loss.delta)
    return _of("Mean", near * (size - 0.5 * near), axis=-1)


@composes(LogCosh)
def _log_cosh(loss: Any, t: Any, p: Any) -> Any:
    error = p - t
    return _of("Mean", error + _of("Softplus", -2.0 * error) - math.log(2.0), axis=-1)


@composes(KLDivergence)
def _divergence(loss: Any, t: Any, p: Any) -> Any:
    t, p = (_of("Clip", x, config.epsilon(), 1.0) for x in (t, p))
    return _of("Sum", t * _of("Log", t / p), axis=-1)


@composes(Poisson)
def _poisson(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", p - t * _of("Log", p + config.epsilon()), axis=-1)


def _margin(loss: Any, t: Any, p: Any) -> Any:
    signs = t if loss.plain_labels else _signs(t)
    return _of("Maximum", 1.0 - signs * p, 0.0)


def _signs(t: Any) -> Any:
    if are_placeholders(t):
        are_binary = _of("All", _of("LogicalOr", _of("Equal", t, 0.0), _of("Equal", t, 1.0)))
        return _of("Where", are_binary, 2.0 * t - 1.0, t)
    return 2.0 * t - 1.0 if is_binary(whole_value(t)) else t


@composes(Hinge)
def _hinge(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _margin(loss, t, p), axis=-1)


@composes(SquaredHinge)
def _squared_hinge(loss: Any, t: Any, p: Any) -> Any:
    return _of("Mean", _of("Square", _margin(loss, t, p)), axis=-1)


@composes(CategoricalHinge)
def _categorical_hinge(loss: Any, t: Any, p: Any) -> Any:
    worst = _of("Max", (1.0 - t) * p, axis=-1)
    return _of("Maximum", worst - _of("Sum", t * p, axis=-1) + 1.0, 0.0)


@composes(BinaryCrossentropy)
def _binary(loss: Any, t: Any, p: Any) -> Any:
    t = smoothed_binary(t, loss.label_smoothing)
    return _of("Mean", _of("BinaryCrossentropy", t, p, from_logits=loss.from_logits), axis=loss.axis)


@composes(BinaryFocalCrossentropy)
def _binary_focal(loss: Any, t: Any, p: Any) -> Any:
    t = smoothed_binary(t, loss.label_smoothing)
    p = _of("Sigmoid", p) if loss.from_logits else p
    miss = _of("Maximum", 1.0 - (t * p + (1.0 - t) * (1.0 - p)), 0.0)
    focus = _of("Power", miss, loss.gamma) * loss.balance(t)
    return _of("Mean", focus * _of("BinaryCrossentropy", t, p), axis=loss.axis)


@composes(CategoricalCrossentropy)
def _categorical(loss: Any, t: Any, p: Any) -> Any:
    t = smoothed_one_hot(t, loss.label_smoothing)
    return _of("CategoricalCrossentropy", t, p, from_logits=loss.from_logits, axis=loss.axis)


@composes(SparseCategoricalCrossentropy, of_labels=True)
def _sparse(loss: Any, t: Any, p: Any) -> Any:
    labels, ignored = _of("Cast", labels_in_shape(t, p, loss.axis), "int32"), loss.ignore_class
    if ignored is None:
        return _of("SparseCategoricalCrossentropy", labels, p, from_logits=loss.from_logits, axis=loss.axis)
    are_kept = _of("NotEqual", labels, ignored)
    labels = _of("Where", are_kept, labels, 0)
    values = _of("SparseCategoricalCrossentropy", labels, p, from_logits=loss.from_logits, axis=loss.axis)
    return _of("Where", are_kept, values, 0.0)


@composes(CategoricalGeneralizedCrossEntropy, of_labels=True)
def _generalized(loss: Any, t: Any, p: Any) -> Any:
    shares = one_hot(_of("Cast", labels_in_shape(t, p), "int32"), p.shape[-1], dtype=np.dtype(p.dtype).name)
    return (1.0 - _of("Power", _of("Sum", shares * p, axis=-1), loss.q)) / loss.q


@composes(CategoricalFocalCrossentropy)
def _categorical_focal(loss: Any, t: Any, p: Any) -> Any:
    t, axis = smoothed_one_hot(t, loss.label_smoothing), loss.axis
    p = _of("Softmax", p, axis=axis) if loss.from_logits else p
    q = crossentropies.clipped(p / _of("Sum", p, axis=axis, keepdims=True))
    focus = _of("Power", 1.0 - q, loss.gamma) * np.asarray(loss.alpha, dtype=p.dtype)
    return _of("Sum", -focus * t * _of("Log", q), axis=axis)


@composes(Dice)
def _dice(loss: Any, t: Any, p: Any) -> Any:
    axes = axes_of(loss.axis)
    total = _of("Sum", t, axis=axes) + _of("Sum", p, axis=axes) + config.epsilon()
    return 1.0 - 2.0 * _of("Sum", t * p, axis=axes) / total


@composes(Tversky)
def _tversky(loss: Any, t: Any, p: Any) -> Any:
    axes = axes_of(loss.axis)
    both = _of("Sum", t * p, axis=axes)
    misses, alarms = _of("Sum", t * (1.0 - p), axis=axes), _of("Sum", p * (1.0 - t), axis=axes)
    return 1.0 - both / (both + loss.alpha * misses + loss.beta * alarms + config.epsilon())
