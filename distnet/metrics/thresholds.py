"""True and false positives and negatives, counted at many thresholds in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet import config
from distnet.arguments import as_numbers
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating, same_shape
from distnet.losses.weighting import every_weight
from distnet.types import Array, ArrayLike

TP, FP, TN, FN = range(4)
"""Rows of the result of ``hits``: true and false positives, true and false negatives."""

_NEVER = -1e10
"""The score of classes outside the best k, and the threshold that only the others exceed."""

_MOST_THRESHOLDS = 1_000_000


def as_thresholds(name: str, thresholds: float | Sequence[float] | None, top_k: int | None = None) -> Array:
    """The thresholds as an array; by default 0.5, or with ``top_k`` one that all of the best k exceed.

    Raises:
        ArgumentError: a threshold is not in [0, 1].
    """
    if thresholds is None:
        return np.array([0.5 if top_k is None else _NEVER])
    levels = np.atleast_1d(as_numbers(f"{name}: thresholds", thresholds, np.float64))
    if levels.ndim != 1 or not levels.size or not ((levels >= 0) & (levels <= 1)).all():
        raise ArgumentError(f"{name}: expected thresholds in [0, 1], received {thresholds!r}.")
    return levels


def evenly_spaced(name: str, count: int) -> Array:
    """``count`` thresholds from 0 to 1; one alone is 0.5.

    Raises:
        ArgumentError: the count is below 1, or so large that it can only be a mistake.
    """
    if not 1 <= count <= _MOST_THRESHOLDS:
        raise ArgumentError(f"{name}: expected num_thresholds from 1 to {_MOST_THRESHOLDS}, received {count!r}.")
    return np.arange(count) / (count - 1) if count > 1 else np.array([0.5])


def hits(
    name: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    thresholds: Array,
    sample_weight: ArrayLike | None = None,
    *,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: Array | None = None,
    multi_label: bool = False,
) -> Array:
    """Weighted counts of true and false positives and negatives; positive is ``y_pred > threshold``.

    Shapes:
        y_true, y_pred (N, ...) -> (4, T, 1); with multi_label (N, L) -> (4, T, L)

    Args:
        name: name of the metric, for messages.
        y_true: labels; anything but 0 is true.
        y_pred: scores.
        thresholds: (T,); evenly spaced ones from 0 to 1 are counted as Keras counts them, by rounding.
        sample_weight: weights of rows or of entries.
        top_k: only the k largest scores of the last axis may be positive.
        class_id: only this entry of the last axis counts.
        label_weights: (L,), weights of the last axis.
        multi_label: whether to count each entry of the last axis by itself.
    """
    t, p = same_shape(name, np.asarray(y_true), as_floating(y_pred))
    weight = every_weight(name, p.shape, sample_weight)
    if top_k is not None:
        p = _only_best(p, top_k)
    if class_id is not None:
        t, p, weight = _one_class(name, t, p, weight, class_id)
    if label_weights is not None:
        weight = weight * label_weights
    labels = p.shape[-1] if multi_label else 1
    return _counted(t.reshape(-1, labels), _exceeded(p, thresholds).reshape(-1, labels), weight, len(thresholds))


def _counted(t: Array, exceeded: Array, weight: Array, thresholds: int) -> Array:
    rows, labels = t.shape
    # Counter r of a label collects what exceeds r thresholds; reverse sums over r >= k + 1 are positive at k.
    counter = (exceeded + (thresholds + 1) * np.arange(labels)).ravel()
    weight = weight.reshape(rows, labels)
    size = (thresholds + 1) * labels

    def positives(of: Array) -> tuple[Array, Array]:
        counts = np.bincount(counter, (of * weight).ravel(), size).reshape(labels, thresholds + 1)
        below = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
        return below[:, 1:].T, below[:, 0]

    tp, true = positives(t != 0)
    fp, false = positives(t == 0)
    return np.stack([tp, fp, false - fp, true - tp]).astype(np.float64, copy=False)  # bincount of no rows is integer


def _exceeded(p: Array, thresholds: Array) -> Array:
    """How many thresholds each score exceeds, taken in ascending order."""
    count = len(thresholds)
    if _is_even(thresholds):
        with np.errstate(invalid="ignore"):
            rank = np.ceil(np.minimum(np.maximum(p, 0.0), 1.0) * (count - 1)).astype(np.intp)
        return np.asarray(np.maximum(rank, 1 if thresholds[0] < 0 else 0))
    exceeded = np.searchsorted(thresholds.astype(p.dtype), p, side="left")
    return np.asarray(np.where(np.isnan(p), 0, exceeded))


def _is_even(thresholds: Array) -> bool:
    count = len(thresholds)
    if count < 3:
        return False
    inner = np.minimum(np.maximum(thresholds, 0.0), 1.0)
    return bool(np.allclose(inner, np.arange(count) / (count - 1), atol=config.epsilon()))


def _only_best(p: Array, k: int) -> Array:
    best = np.argsort(-p, axis=-1, kind="stable")[..., :k]
    kept = np.full_like(p, _NEVER)
    np.put_along_axis(kept, best, np.take_along_axis(p, best, -1), -1)
    return kept


def _one_class(name: str, t: Array, p: Array, weight: Array, class_id: int) -> tuple[Array, Array, Array]:
    if p.ndim < 2 or not -p.shape[-1] <= class_id < p.shape[-1]:
        raise ShapeError(f"{name}: expected predictions (N, C) with C above class_id {class_id}, received {p.shape}.")
    return t[..., class_id, None], p[..., class_id, None], weight[..., class_id, None]
