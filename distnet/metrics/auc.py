"""The area under a curve of two ratios, swept over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import config
from distnet.arguments import as_numbers
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating
from distnet.losses.slopes import sigmoid
from distnet.metrics.means import METRICS
from distnet.metrics.sums import SumsMetric, ratio
from distnet.metrics.thresholds import as_thresholds, evenly_spaced, hits
from distnet.registry import to_json
from distnet.types import Array, ArrayLike, Json, Shape


@METRICS.register()
@dataclass(eq=False)
class AUC(SumsMetric):
    """The area under the ROC, precision-recall or precision-recall-gain curve.

    Args:
        num_thresholds: points of the curve, >= 2; None if thresholds are given.
        curve: ``"ROC"``, ``"PR"`` or ``"PRGAIN"``.
        summation_method: ``"interpolation"``, ``"minoring"`` or ``"majoring"``: the height between two points.
        thresholds: the inner points in [0, 1], instead of evenly spaced ones; the attribute holds all points, as in
            Keras.
        multi_label: whether each column has its own curve; the areas are averaged.
        num_labels: columns, if ``multi_label``.
        label_weights: weights of the columns.
        from_logits: whether predictions are logits instead of probabilities.

    Source: Davis and Goadrich (2006), doi:10.1145/1143844.1143874, for the interpolation of PR.
    """

    direction = "up"
    curves: ClassVar = ("ROC", "PR", "PRGAIN")
    methods: ClassVar = ("interpolation", "minoring", "majoring")

    num_thresholds: int | None = 200
    curve: str = "ROC"
    summation_method: str = "interpolation"
    thresholds: Sequence[float] | None = field(default=None, kw_only=True)
    multi_label: bool = field(default=False, kw_only=True)
    num_labels: int | None = field(default=None, kw_only=True)
    label_weights: Sequence[float] | None = field(default=None, kw_only=True)
    from_logits: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.curve, self.summation_method = str(self.curve).upper(), str(self.summation_method).lower()
        if self.curve not in self.curves or self.summation_method not in self.methods:
            raise ArgumentError(
                f"AUC: expected a curve of {self.curves} and a summation_method of {self.methods}, "
                f"received {self.curve!r} and {self.summation_method!r}."
            )
        if self.num_labels and not self.multi_label:
            raise ArgumentError("AUC: expected multi_label=True with num_labels, received multi_label=False.")
        if self.label_weights is not None:
            as_numbers("AUC.label_weights", self.label_weights)
        if self.thresholds is not None:
            given = as_numbers("AUC.thresholds", self.thresholds)
            if given.ndim != 1:
                raise ArgumentError(f"AUC: expected a list of thresholds, received {self.thresholds!r}.")
            inner = np.sort(as_thresholds("AUC", self.thresholds)) if given.size else np.empty(0)
        elif self.num_thresholds is None or self.num_thresholds < 2:
            raise ArgumentError(f"AUC: expected num_thresholds above 1, received {self.num_thresholds!r}.")
        else:
            inner = evenly_spaced("AUC", self.num_thresholds)[1:-1]
        epsilon = config.epsilon()  # the ends lie outside, so that the curve reaches its corners
        self._levels = np.concatenate([[-epsilon], inner, [1.0 + epsilon]])
        self.num_thresholds = len(self._levels)
        self._given, self.thresholds = self.thresholds, self._levels.tolist()

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments; evenly spaced thresholds by their number alone."""
        return {**super().get_config(), "thresholds": to_json(self._given)}

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 4 * len(self._levels) * (int(self.num_labels or y_pred_shape[-1] or 0) if self.multi_label else 1)

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        p = as_floating(y_pred)
        if self.multi_label and p.ndim != 2:
            raise ShapeError(f"AUC: expected predictions of shape (N, L) with multi_label, received {p.shape}.")
        by_entry = None if self.label_weights is None or self.multi_label else np.asarray(self.label_weights)
        return hits(
            self.name,
            y_true,
            sigmoid(p) if self.from_logits else p,
            self._levels,
            sample_weight,
            label_weights=by_entry,
            multi_label=self.multi_label,
        ).ravel()

    def result_of(self, state: Array) -> float | Array:
        tp, fp, tn, fn = state.reshape(4, len(self._levels), -1)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(tp, fp, fn)
        else:
            x, y = self._points(tp, fp, tn, fn)
            height = {
                "interpolation": (y[:-1] + y[1:]) / 2.0,
                "minoring": np.minimum(y[:-1], y[1:]),
                "majoring": np.maximum(y[:-1], y[1:]),
            }[self.summation_method]
            areas = (x[:-1] - x[1:]) * height
        by_label = areas.sum(axis=0)
        if not self.multi_label or self.label_weights is None:
            return float(by_label.mean())
        weights = np.asarray(self.label_weights, np.float64)
        return float(ratio((by_label * weights).sum(), weights.sum()))

    def _points(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            return ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, tp + fp)
        odds = ratio(tp + fn, tn + fp)
        recall_gain = np.where(tp == 0, 0.0, 1.0 - odds * ratio(fn, tp))
        precision_gain = np.where(tp == 0, 1.0, 1.0 - odds * ratio(fp, tp))
        return np.maximum(recall_gain, 0.0), precision_gain


def _interpolated_pr(tp: Array, fp: Array, fn: Array) -> Array:
    """Areas under precision between thresholds, true positives being linear in positives."""
    positive = tp + fp
    d_tp = tp[:-1] - tp[1:]
    slope = ratio(d_tp, np.maximum(positive[:-1] - positive[1:], 0.0))
    intercept = tp[1:] - slope * positive[1:]
    growth = np.where((positive[:-1] > 0) & (positive[1:] > 0), ratio(positive[:-1], positive[1:]), 1.0)
    return ratio(slope * (d_tp + intercept * np.log(growth)), np.maximum(tp[1:] + fn[1:], 0.0))
