"""How often a prediction is right."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from distnet import kernels
from distnet.arguments import whole_number
from distnet.errors import ShapeError
from distnet.losses.alignment import same_shape
from distnet.losses.made_function import MadeFunction
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.registry import BESIDE, IF_SET
from distnet.types import Array, Json


def _labels(name: str, y_true: Array, y_pred: Array) -> Array:
    labels = y_true
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != y_pred.shape[:-1]:
        raise ShapeError(
            f"{name}: expected y_true of shape {y_pred.shape[:-1]} for y_pred {y_pred.shape}, "
            f"received {np.shape(y_true)}. Give one class number each."
        )
    return labels


def _in_top_k(labels: Array, scores: Array, k: int) -> Array:
    labels = labels.astype(np.intp)
    is_class = (labels >= 0) & (labels < scores.shape[-1])
    right = np.take_along_axis(scores, np.where(is_class, labels, 0)[..., None], axis=-1)
    right = np.where(np.isnan(right), -np.inf, right)
    return np.asarray((is_class & ((scores > right).sum(axis=-1) < k)), scores.dtype)


@METRICS.register("acc")
@dataclass(eq=False)
class Accuracy(FunctionMetric):
    """How often predictions equal targets. The name ``"accuracy"`` in ``compile`` picks by shapes instead."""

    direction = "up"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        return np.asarray(t == p, p.dtype)


accuracy = MadeFunction(Accuracy)


@METRICS.register()
@dataclass(eq=False)
class BinaryAccuracy(FunctionMetric):
    """How often ``y_pred > threshold`` is what the target 0 or 1 says.

    >>> binary_accuracy([1, 0, 0], [0.9, 0.5, 0.6])
    array([1., 1., 0.])

    Args:
        threshold: above which a score means 1.
        round_scores: whether the rounded score is compared with the target, whatever the threshold, as in Keras up
            to 2.2.
    """

    direction = "up"
    threshold: float = 0.5
    round_scores: bool = field(default=False, kw_only=True, metadata=BESIDE)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        return np.asarray((np.rint(p) if self.round_scores else p > self.threshold) == t, p.dtype)


binary_accuracy = MadeFunction(BinaryAccuracy)


@METRICS.register()
@dataclass(eq=False)
class CategoricalAccuracy(FunctionMetric):
    """How often the largest score is at the largest target; ties go to the first."""

    direction = "up"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        return np.asarray(t.argmax(axis=-1) == p.argmax(axis=-1), p.dtype)

    def ready(self, y_true: Array, y_pred: Array) -> Callable[[Array], tuple[float, ...]] | None:
        is_alike = y_true.shape == y_pred.shape and y_true.dtype == y_pred.dtype
        if type(self) is not CategoricalAccuracy or not is_alike or y_pred.ndim < 2 or not y_pred.flags.c_contiguous:
            return None
        rows, width = y_pred.reshape(-1, y_pred.shape[-1]), math.prod(y_pred.shape[1:-1])
        count, total = kernels.current().equal_peaks, float(len(y_pred))

        def sums(t: Array) -> tuple[float, float]:
            if t.ndim > 2 or not t.flags.c_contiguous:
                t = np.ascontiguousarray(t).reshape(rows.shape)
            return count(t, rows) / width, total

        return sums


categorical_accuracy = MadeFunction(CategoricalAccuracy)


@METRICS.register()
@dataclass(eq=False)
class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest score is at the class number; a number that is no class is a miss."""

    direction = "up"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        labels = _labels(self.function.__name__, y_true, y_pred)
        return np.asarray(labels == y_pred.argmax(axis=-1), y_pred.dtype)


sparse_categorical_accuracy = MadeFunction(SparseCategoricalAccuracy)


@METRICS.register()
@dataclass(eq=False)
class TopKCategoricalAccuracy(FunctionMetric):
    """How often fewer than ``k`` scores are larger than that of the class that is 1.

    Args:
        k: how many may be taken, >= 1.
    """

    direction = "up"
    k: int = whole_number(5, 1)
    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        t, p = same_shape(self.function.__name__, y_true, y_pred)
        return _in_top_k(t.argmax(axis=-1), p, self.k)


top_k_categorical_accuracy = MadeFunction(TopKCategoricalAccuracy)


@METRICS.register()
@dataclass(eq=False)
class SparseTopKCategoricalAccuracy(FunctionMetric):
    """As ``TopKCategoricalAccuracy``, of class numbers.

    Args:
        k: how many may be taken, >= 1.
        from_sorted_ids: whether predictions are class numbers from best to worst.
    """

    direction = "up"
    k: int = whole_number(5, 1)
    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)
    from_sorted_ids: bool = field(default=False, kw_only=True, metadata=IF_SET)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        labels = _labels(self.function.__name__, y_true, y_pred)
        if self.from_sorted_ids:
            is_right = (labels[..., None] == y_pred[..., : self.k]).any(axis=-1)
        else:
            is_right = _in_top_k(labels, y_pred, self.k)
        return np.asarray(is_right, y_pred.dtype).reshape(y_true.shape)  # Keras's, a last axis of 1 included


sparse_top_k_categorical_accuracy = MadeFunction(SparseTopKCategoricalAccuracy)
