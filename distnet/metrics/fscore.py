"""Means of precision and recall."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

import numpy as np

from distnet import config
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating, same_shape
from distnet.losses.weighting import every_weight
from distnet.metrics.means import METRICS
from distnet.metrics.sums import SumsMetric, scalar_or_array
from distnet.types import Array, ArrayLike, Shape

_AVERAGES = (None, "micro", "macro", "weighted")


class _FScore(SumsMetric, ABC):
    """State: true positives, false positives, false negatives and true entries of each class, or of all together."""

    direction = "up"
    average: str | None
    threshold: float | None
    beta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.average not in _AVERAGES:
            raise ArgumentError(f"{self.name}: expected an average of {_AVERAGES}, received {self.average!r}.")
        if not self.beta > 0:
            raise ArgumentError(f"{self.name}: expected beta above 0, received {self.beta!r}.")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ArgumentError(f"{self.name}: expected a threshold in (0, 1] or None, received {self.threshold!r}.")

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 4 * (1 if self.average == "micro" else int(y_pred_shape[-1] or 0))

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        t, p = same_shape(self.name, np.asarray(y_true), as_floating(y_pred))
        if p.ndim != 2:
            raise ShapeError(f"{self.name}: expected predictions of shape (N, C), received {p.shape}.")
        if self.threshold is None:
            chosen = (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)
        else:
            chosen = p > self.threshold
        t, hit = t.astype(np.float64), chosen.astype(np.float64)
        parts = np.stack([hit * t, hit * (1.0 - t), (1.0 - hit) * t, t]) * every_weight(
            self.name, t.shape, sample_weight
        )
        return np.asarray(parts.sum(axis=(1, 2) if self.average == "micro" else 1)).ravel()

    def result_of(self, state: Array) -> float | Array:
        tp, fp, fn, true = state.reshape(4, -1)
        epsilon = config.epsilon()
        precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
        squared = self.beta**2
        score = (1.0 + squared) * precision * recall / (squared * precision + recall + epsilon)
        if self.average is None:
            return np.asarray(score)
        if self.average == "weighted":
            return float((score * (true / (true.sum() + epsilon))).sum())
        return scalar_or_array(np.asarray(score.mean()))


@METRICS.register()
@dataclass(eq=False)
class FBetaScore(_FScore):
    """``(1 + beta^2) precision recall / (beta^2 precision + recall)`` of each class.

    Shapes:
        y_true, y_pred (N, C) -> (C,), or () with an average

    Args:
        average: None, ``"micro"``, ``"macro"`` or ``"weighted"`` by true entries.
        beta: weight of recall, > 0.
        threshold: what a score must exceed, in (0, 1]; by default it must be the largest of its row.
    """

    average: str | None = None
    beta: float = 1.0
    threshold: float | None = None

    def default_name(self) -> str:
        """Keras's name."""
        return "fbeta_score"


@METRICS.register()
@dataclass(eq=False)
class F1Score(_FScore):
    """``2 precision recall / (precision + recall)`` of each class.

    Shapes:
        y_true, y_pred (N, C) -> (C,), or () with an average

    Args:
        average: None, ``"micro"``, ``"macro"`` or ``"weighted"`` by true entries.
        threshold: what a score must exceed, in (0, 1]; by default it must be the largest of its row.
    """

    average: str | None = None
    threshold: float | None = None
