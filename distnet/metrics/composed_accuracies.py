"""Metrics of placeholders: accuracies and correlations as functions of ``distnet.ops``."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.losses.composed_losses import composes, labels_in_shape
from distnet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from distnet.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation
from distnet.ops.operators import PRIMITIVES


def _of(kind: str, *args: Any, **options: Any) -> Any:
    return PRIMITIVES[kind](*args, **options)


def _as_numbers(are_right: Any, p: Any) -> Any:
    return _of("Cast", are_right, np.dtype(p.dtype).name)


@composes(Accuracy)
def _equal(metric: Any, t: Any, p: Any) -> Any:
    return _as_numbers(_of("Equal", t, p), p)


@composes(BinaryAccuracy)
def _binary(metric: Any, t: Any, p: Any) -> Any:
    classes = _of("Round", p) if metric.round_scores else _as_numbers(_of("Greater", p, metric.threshold), p)
    return _as_numbers(_of("Equal", classes, t), p)


@composes(CategoricalAccuracy)
def _categorical(metric: Any, t: Any, p: Any) -> Any:
    return _as_numbers(_of("Equal", _of("Argmax", t, axis=-1), _of("Argmax", p, axis=-1)), p)


@composes(SparseCategoricalAccuracy, of_labels=True)
def _sparse(metric: Any, t: Any, p: Any) -> Any:
    labels = _of("Cast", labels_in_shape(t, p), np.dtype(p.dtype).name)
    best = _of("Cast", _of("Argmax", p, axis=-1), np.dtype(p.dtype).name)
    return _as_numbers(_of("Equal", labels, best), p)


@composes(TopKCategoricalAccuracy)
def _top_k(metric: Any, t: Any, p: Any) -> Any:
    return _as_numbers(_of("InTopK", _of("Argmax", t, axis=-1), p, metric.k), p)


@composes(SparseTopKCategoricalAccuracy, of_labels=True)
def _sparse_top_k(metric: Any, t: Any, p: Any) -> Any:
    labels = _of("Cast", labels_in_shape(t, p), "int32")
    if metric.from_sorted_ids:
        ids = _of("Cast", p[..., : metric.k], "int32")
        are_right = _of("Any", _of("Equal", _of("ExpandDims", labels, -1), ids), axis=-1)
    else:
        are_right = _of("InTopK", labels, p, metric.k)
    numbers = _as_numbers(are_right, p)
    return _of("ExpandDims", numbers, -1) if t.ndim > labels.ndim else numbers


def _spread_of(x: Any, axis: int) -> tuple[Any, Any]:
    """Distances from the mean along an axis, and that mean, with an axis of 1."""
    mean = _of("Mean", x, axis=axis, keepdims=True)
    return x - mean, mean


@composes(PearsonCorrelation)
def _pearson(metric: Any, t: Any, p: Any) -> Any:
    axis = metric.axis
    (t, _), (p, _) = _spread_of(t, axis), _spread_of(p, axis)
    scales = [_of("Sqrt", _of("Mean", _of("Square", x), axis=axis)) for x in (t, p)]
    return _of("Mean", t * p, axis=axis) / (scales[0] * scales[1])


@composes(ConcordanceCorrelation)
def _concordance(metric: Any, t: Any, p: Any) -> Any:
    axis = metric.axis
    (t, t_mean), (p, p_mean) = _spread_of(t, axis), _spread_of(p, axis)
    widths = [_of("Mean", _of("Square", x), axis=axis) for x in (t, p)]
    shift = _of("Squeeze", _of("Square", t_mean - p_mean), axis)
    return 2.0 * _of("Mean", t * p, axis=axis) / (widths[0] + widths[1] + shift + config.epsilon())
