"""Intersection over union of classes of pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from distnet import config
from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating
from distnet.losses.weighting import every_weight
from distnet.metrics.means import METRICS
from distnet.metrics.sums import SumsMetric
from distnet.registry import LEFT_OUT
from distnet.types import Array, ArrayLike, Shape

_MOST_CLASSES = 10_000
"""The confusion matrix has the square of this number of entries."""


def confusion_table(
    name: str, t: Array, p: Array, classes: int, ignore_class: int | None, sample_weight: ArrayLike | None
) -> Array:
    """Weighted counts of (true class, predicted class), flat; class numbers out of range are left out."""
    t, p = t.astype(np.intp), p.astype(np.intp)
    if t.size != p.size:
        raise ShapeError(f"{name}: expected as many targets as predictions, received {t.shape} and {p.shape}.")
    weight = every_weight(name, t.shape, sample_weight).ravel()
    t, p = t.ravel(), p.ravel()
    kept = (t >= 0) & (t < classes) & (p >= 0) & (p < classes)
    if ignore_class is not None:
        kept &= t != ignore_class
    return np.bincount((t * classes + p)[kept], weight[kept], classes * classes).astype(np.float64)


class _IoU(SumsMetric, ABC):
    """State: the confusion matrix of true against predicted classes."""

    direction = "up"

    @abstractmethod
    def classes(self) -> int:
        """How many classes there are."""

    @abstractmethod
    def targets(self) -> Sequence[int]:
        """The classes to average over."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.classes() <= _MOST_CLASSES:
            raise ArgumentError(f"{self.name}: expected 1 to {_MOST_CLASSES} classes, received {self.classes()!r}.")
        ids = self.targets()
        are_numbers = isinstance(ids, Sequence) and not isinstance(ids, str) and all(is_integer(i) for i in ids)
        if not are_numbers or max(ids, default=self.classes()) >= self.classes():
            raise ArgumentError(f"{self.name}: expected target_class_ids below {self.classes()}, received {ids!r}.")

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return self.classes() ** 2

    def result_of(self, state: Array) -> float | Array:
        table = state.reshape(self.classes(), -1)
        both = np.diagonal(table)
        either = (table.sum(axis=0) + table.sum(axis=1) - both)[list(self.targets())]
        seen = either > 1e-9
        overlap = np.where(seen, both[list(self.targets())] / (either + config.epsilon()), 0.0)
        return float(overlap.sum() / (seen.sum() + config.epsilon()))


def _as_classes(y: ArrayLike, is_sparse: bool, axis: int) -> Array:
    return np.asarray(y) if is_sparse else np.argmax(y, axis=axis)


@METRICS.register()
@dataclass(eq=False)
class IoU(_IoU):
    """Mean over some classes of ``TP / (TP + FP + FN)``.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to average over.
        ignore_class: a label that is left out.
        sparse_y_true: whether targets are class numbers; else the largest entry along ``axis`` is the class.
        sparse_y_pred: whether predictions are class numbers.
        axis: the axis of the classes.
    """

    num_classes: int
    target_class_ids: Sequence[int]
    ignore_class: int | None = field(default=None, kw_only=True)
    sparse_y_true: bool = field(default=True, kw_only=True)
    sparse_y_pred: bool = field(default=True, kw_only=True)
    axis: int = field(default=-1, kw_only=True)

    def classes(self) -> int:
        return self.num_classes

    def targets(self) -> Sequence[int]:
        return self.target_class_ids

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        t = _as_classes(y_true, self.sparse_y_true, self.axis)
        p = _as_classes(y_pred, self.sparse_y_pred, self.axis)
        return confusion_table(self.name, t, p, self.num_classes, self.ignore_class, sample_weight)


@METRICS.register()
@dataclass(eq=False)
class MeanIoU(IoU):
    """``IoU`` of all classes; those that never occur do not count."""

    target_class_ids: Sequence[int] = field(init=False, repr=False, metadata=LEFT_OUT)

    def __post_init__(self) -> None:
        self.target_class_ids = range(self.num_classes if is_integer(self.num_classes) else 0)
        super().__post_init__()


@METRICS.register()
@dataclass(eq=False)
class BinaryIoU(_IoU):
    """IoU of two classes; 1 is ``y_pred >= threshold``.

    Args:
        target_class_ids: the classes to average over, of 0 and 1.
        threshold: the score from which a prediction is class 1.
    """

    target_class_ids: Sequence[int] = (0, 1)
    threshold: float = 0.5

    def classes(self) -> int:
        return 2

    def targets(self) -> Sequence[int]:
        return self.target_class_ids

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        p = as_floating(y_pred) >= self.threshold
        return confusion_table(self.name, np.asarray(y_true), p, 2, None, sample_weight)


@METRICS.register()
@dataclass(eq=False)
class OneHotIoU(IoU):
    """``IoU`` of one-hot targets, and by default of scores."""

    sparse_y_true: bool = field(default=False, init=False, repr=False, metadata=LEFT_OUT)
    sparse_y_pred: bool = field(default=False, kw_only=True)


@METRICS.register()
@dataclass(eq=False)
class OneHotMeanIoU(MeanIoU):
    """``MeanIoU`` of one-hot targets, and by default of scores."""

    sparse_y_true: bool = field(default=False, init=False, repr=False, metadata=LEFT_OUT)
    sparse_y_pred: bool = field(default=False, kw_only=True)
