"""Counts of true and false positives and negatives, and their ratios, at given thresholds."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.metrics.means import METRICS
from distnet.metrics.sums import SumsMetric, ratio, scalar_or_array
from distnet.metrics.thresholds import FN, FP, TN, TP, as_thresholds, evenly_spaced, hits
from distnet.types import Array, ArrayLike, Shape


class ThresholdMetric(SumsMetric, ABC):
    """A metric of counts at thresholds; the state holds the counts named ``kinds`` for each threshold."""

    kinds: ClassVar[tuple[int, ...]]
    top_k: int | None = None
    class_id: int | None = None

    def levels(self) -> Array:
        """The thresholds."""
        return as_thresholds(self.name, getattr(self, "thresholds", None), self.top_k)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._levels = self.levels()
        self._order = np.argsort(self._levels, kind="stable")

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return len(self.kinds) * len(self._levels)

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        counts = hits(
            self.name,
            y_true,
            y_pred,
            self._levels[self._order],
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )
        given = np.empty_like(counts)
        given[:, self._order] = counts
        return given[list(self.kinds)].ravel()

    def counts(self, state: Array) -> Array:
        """The state by kind and threshold."""
        return state.reshape(len(self.kinds), -1)


@dataclass(eq=False)
class _Count(ThresholdMetric, ABC):
    """A count.

    Args:
        thresholds: one or several in [0, 1]; 0.5 by default.
    """

    thresholds: float | Sequence[float] | None = None

    def result_of(self, state: Array) -> float | Array:
        return float(state[0]) if len(state) == 1 else state.copy()


@METRICS.register()
@dataclass(eq=False)
class TruePositives(_Count):
    """How many true entries exceed the threshold, weighted."""

    kinds = (TP,)


@METRICS.register()
@dataclass(eq=False)
class FalsePositives(_Count):
    """How many false entries exceed the threshold, weighted."""

    kinds = (FP,)


@METRICS.register()
@dataclass(eq=False)
class TrueNegatives(_Count):
    """How many false entries do not exceed the threshold, weighted."""

    kinds = (TN,)


@METRICS.register()
@dataclass(eq=False)
class FalseNegatives(_Count):
    """How many true entries do not exceed the threshold, weighted."""

    kinds = (FN,)


@dataclass(eq=False)
class _Ratio(ThresholdMetric, ABC):
    """A fraction of true positives.

    Args:
        thresholds: one or several in [0, 1]; 0.5 by default.
        top_k: only the k largest scores of a sample may be positive.
        class_id: only this class counts.
    """

    direction = "up"
    thresholds: float | Sequence[float] | None = None
    top_k: int | None = None
    class_id: int | None = None

    def result_of(self, state: Array) -> float | Array:
        hit, miss = self.counts(state)
        value = ratio(hit, hit + miss)
        return scalar_or_array(value[0] if len(value) == 1 else value)


@METRICS.register()
@dataclass(eq=False)
class Precision(_Ratio):
    """``TP / (TP + FP)``: the fraction of predicted positives that are true."""

    kinds = (TP, FP)


@METRICS.register()
@dataclass(eq=False)
class Recall(_Ratio):
    """``TP / (TP + FN)``: the fraction of true positives that are predicted."""

    kinds = (TP, FN)


_HITS_AND_MISSES = {"precision": (TP, FP), "recall": (TP, FN), "sensitivity": (TP, FN), "specificity": (TN, FP)}


class _BestAt(ThresholdMetric, ABC):
    """The largest value of one ratio, ``dependent``, where another, ``constraint``, is large enough."""

    kinds = (TP, FP, TN, FN)
    direction = "up"
    constraint: ClassVar[str]
    dependent: ClassVar[str]
    num_thresholds: int

    def levels(self) -> Array:
        least = getattr(self, self.constraint)
        if not 0 <= least <= 1:
            raise ArgumentError(f"{self.name}: expected {self.constraint} in [0, 1], received {least!r}.")
        return evenly_spaced(self.name, self.num_thresholds)

    def result_of(self, state: Array) -> float | Array:
        """The largest ``dependent`` where ``constraint`` is large enough; 0 if it never is."""
        counts = dict(zip(self.kinds, self.counts(state), strict=True))
        pairs = (_HITS_AND_MISSES[self.constraint], _HITS_AND_MISSES[self.dependent])
        constrained, dependent = (ratio(counts[hit], counts[hit] + counts[miss]) for hit, miss in pairs)
        return float(np.where(constrained >= getattr(self, self.constraint), dependent, 0.0).max(initial=0.0))


@METRICS.register()
@dataclass(eq=False)
class SensitivityAtSpecificity(_BestAt):
    """The largest ``TP / (TP + FN)`` with ``TN / (TN + FP)`` of at least ``specificity``.

    Args:
        specificity: in [0, 1].
        num_thresholds: number of thresholds to try, evenly spaced from 0 to 1.
        class_id: only this class counts.
    """

    constraint, dependent = "specificity", "sensitivity"
    specificity: float
    num_thresholds: int = 200
    class_id: int | None = None


@METRICS.register()
@dataclass(eq=False)
class SpecificityAtSensitivity(_BestAt):
    """The largest ``TN / (TN + FP)`` with ``TP / (TP + FN)`` of at least ``sensitivity``.

    Args:
        sensitivity: in [0, 1].
        num_thresholds: number of thresholds to try, evenly spaced from 0 to 1.
        class_id: only this class counts.
    """

    constraint, dependent = "sensitivity", "specificity"
    sensitivity: float
    num_thresholds: int = 200
    class_id: int | None = None


@METRICS.register()
@dataclass(eq=False)
class PrecisionAtRecall(_BestAt):
    """The largest ``TP / (TP + FP)`` with ``TP / (TP + FN)`` of at least ``recall``.

    Args:
        recall: in [0, 1].
        num_thresholds: number of thresholds to try, evenly spaced from 0 to 1.
        class_id: only this class counts.
    """

    constraint, dependent = "recall", "precision"
    recall: float
    num_thresholds: int = 200
    class_id: int | None = None


@METRICS.register()
@dataclass(eq=False)
class RecallAtPrecision(_BestAt):
    """The largest ``TP / (TP + FN)`` with ``TP / (TP + FP)`` of at least ``precision``.

    Args:
        precision: in [0, 1].
        num_thresholds: number of thresholds to try, evenly spaced from 0 to 1.
        class_id: only this class counts.
    """

    constraint, dependent = "precision", "recall"
    precision: float
    num_thresholds: int = 200
    class_id: int | None = None
