"""How often a prediction is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ShapeError
from distnet.losses.alignment import as_floating, same_shape
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.registry import BESIDE, IF_SET
from distnet.results import giving_results
from distnet.types import Array, ArrayLike, Json


@giving_results
def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where target and prediction are equal."""
    t, p = same_shape("accuracy", np.asarray(y_true), as_floating(y_pred))
    return np.asarray((t == p), p.dtype)


@giving_results
def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5, round_scores: bool = False) -> Array:
    """1 where ``y_pred > threshold`` is what the target 0 or 1 says.

    >>> binary_accuracy([1, 0, 0], [0.9, 0.5, 0.6])
    array([1., 1., 0.])

    Args:
        y_true: 0 or 1.
        y_pred: scores.
        threshold: above which a score means 1.
        round_scores: whether the rounded score is compared with the target, whatever the threshold.
    """
    t, p = same_shape("binary_accuracy", np.asarray(y_true), as_floating(y_pred))
    return np.asarray((np.rint(p) if round_scores else p > threshold) == t, p.dtype)


@giving_results
def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest score is at the largest target; the first of equals counts."""
    t, p = same_shape("categorical_accuracy", np.asarray(y_true), as_floating(y_pred))
    return np.asarray((t.argmax(axis=-1) == p.argmax(axis=-1)), p.dtype)


@giving_results
def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest score is at the class number; a number that is no class is a miss."""
    p = as_floating(y_pred)
    return np.asarray((_labels("sparse_categorical_accuracy", y_true, p) == p.argmax(axis=-1)), p.dtype)


@giving_results
def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """1 where fewer than ``k`` scores are larger than that of the right class."""
    t, p = same_shape("top_k_categorical_accuracy", np.asarray(y_true), as_floating(y_pred))
    return _in_top_k(t.argmax(axis=-1), p, k)


@giving_results
def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """As ``top_k_categorical_accuracy``, of class numbers.

    Args:
        y_true: class numbers.
        y_pred: scores, or class numbers from best to worst.
        k: how many may be taken.
        from_sorted_ids: whether predictions are class numbers.
    """
    p = as_floating(y_pred)
    labels = _labels("sparse_top_k_categorical_accuracy", y_true, p)
    is_right = (labels[..., None] == p[..., :k]).any(axis=-1) if from_sorted_ids else _in_top_k(labels, p, k)
    return np.asarray(is_right, p.dtype).reshape(np.shape(y_true))  # Keras's shape, a last axis of 1 included


def _labels(name: str, y_true: ArrayLike, y_pred: Array) -> Array:
    labels = np.asarray(y_true)
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
    function: ClassVar = staticmethod(accuracy)


@METRICS.register()
@dataclass(eq=False)
class BinaryAccuracy(FunctionMetric):
    """How often ``y_pred > threshold`` is what the target 0 or 1 says.

    Args:
        threshold: in (0, 1).
        round_scores: whether the rounded score is compared with the target, as in Keras up to 2.2.
    """

    direction = "up"
    function: ClassVar = staticmethod(binary_accuracy)
    threshold: float = 0.5
    round_scores: bool = field(default=False, kw_only=True, metadata=BESIDE)


@METRICS.register()
@dataclass(eq=False)
class CategoricalAccuracy(FunctionMetric):
    """How often the largest score is at the class that is 1."""

    direction = "up"
    function: ClassVar = staticmethod(categorical_accuracy)


@METRICS.register()
@dataclass(eq=False)
class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest score is at the class number."""

    direction = "up"
    function: ClassVar = staticmethod(sparse_categorical_accuracy)


@METRICS.register()
@dataclass(eq=False)
class TopKCategoricalAccuracy(FunctionMetric):
    """How often the class that is 1 is among the ``k`` largest scores; equals count as one.

    Args:
        k: how many may be taken, >= 1.
    """

    direction = "up"
    function: ClassVar = staticmethod(top_k_categorical_accuracy)
    k: int = whole_number(5, 1)
    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)


@METRICS.register()
@dataclass(eq=False)
class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the class number is among the ``k`` largest scores.

    Args:
        k: how many may be taken, >= 1.
        from_sorted_ids: whether predictions are class numbers from best to worst.
    """

    direction = "up"
    function: ClassVar = staticmethod(sparse_top_k_categorical_accuracy)
    k: int = whole_number(5, 1)
    name: str = field(default="", kw_only=True)
    dtype: Json = field(default=None, kw_only=True, repr=False)
    from_sorted_ids: bool = field(default=False, kw_only=True, metadata=IF_SET)
