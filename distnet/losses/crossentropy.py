"""Crossentropies of two classes and of several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.arguments import FRACTION, INNER_FRACTION, number
from distnet.losses.alignment import are_alike, class_numbers
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import AsMetric, BuiltInLoss, LossFunction
from distnet.losses.ready import Ready
from distnet.losses.slopes import (
    clip,
    log_softmax,
    power_slope,
    write_mean,
)
from distnet.ops.nn import crossentropies
from distnet.ops.nn.pieces import clip_slope
from distnet.ops.nn.simplex import share
from distnet.registry import LEFT_OUT
from distnet.types import Array, ArrayLike


def smoothed_binary(y_true: Array, label_smoothing: float) -> Array:
    """``t (1 - s) + s / 2``."""
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def smoothed_one_hot(y_true: Array, label_smoothing: float) -> Array:
    """``t (1 - s) + s / C``; C is the length of the last axis, as in Keras, whichever axis holds the classes."""
    classes: int = y_true.shape[-1]
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true


@LOSSES.register("bce")
@dataclass(eq=False)
class BinaryCrossentropy(BuiltInLoss):
    """``-mean(t log(p) + (1 - t) log(1 - p))`` along an axis; p is clipped to [epsilon, 1 - epsilon].

    From logits: ``mean(max(z, 0) - t z + log(1 + exp(-|z|)))``, unclipped.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis of the mean.
    """

    metric: ClassVar = AsMetric(beside=("axis",))
    logits_of: ClassVar = "sigmoid"
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t, axis = smoothed_binary(y_true, self.label_smoothing), self.axis
        factor = 1.0 / y_pred.shape[axis]
        if self.from_logits:
            values = crossentropies.binary_of_logits(t, y_pred)
            return values.mean(axis=axis), lambda dv: crossentropies.binary_of_logits_slope(t, y_pred) * factor * dv
        p = crossentropies.clipped(y_pred)

        def pullback(dv: Array | float) -> Array:
            slope = crossentropies.binary_of_shares_slope(t, p) * crossentropies.inside(y_pred)
            return np.asarray(slope * factor * dv)

        return crossentropies.binary_of_shares(t, p).mean(axis=axis), pullback

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        """The formula of logits, written where the arrays of every batch are."""
        is_plain = type(self) is BinaryCrossentropy and self.from_logits and not self.label_smoothing
        if not is_plain or not are_alike(y_true, y_pred) or self.axis not in (-1, y_pred.ndim - 1):
            return super().ready(y_true, y_pred)
        slopes, values = np.empty_like(y_pred), np.empty(y_pred.shape[:-1], y_pred.dtype)
        write_entries = crossentropies.ready_binary(y_pred, slopes)
        share_of_entry = y_pred.dtype.type(1.0 / y_pred.shape[-1])

        def write(t: Array, factor: Any) -> None:
            write_mean(write_entries(np.asarray(t, y_pred.dtype).reshape(y_pred.shape)), values)
            np.multiply(slopes, share_of_entry, slopes)
            np.multiply(slopes, factor, slopes)

        return Ready(write, values, slopes)


bce = BCE = binary_crossentropy = LossFunction(BinaryCrossentropy)


@LOSSES.register()
@dataclass(eq=False)
class CategoricalCrossentropy(BuiltInLoss):
    """``-sum(t log(q))`` over the classes of one-hot targets; ``q = p / sum(p)``, clipped to [epsilon, 1 - epsilon].

    From logits: ``-sum(t log_softmax(z))``, unclipped.

    >>> categorical_crossentropy([[0.0, 1.0]], [[1.0, 1.0]]).round(6)
    array([0.693147])

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / C``.
        axis: the axis of the classes.
    """

    metric: ClassVar = AsMetric()
    logits_of: ClassVar = "softmax"
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        t, axis = smoothed_one_hot(y_true, self.label_smoothing), self.axis
        if self.from_logits:
            values, slopes = crossentropies.categorical_of_logits(t, y_pred, axis)
            return values, lambda dv: slopes * dv
        q, sums = share(y_pred, axis)
        values = -(t * np.log(crossentropies.clipped(q))).sum(axis=axis)
        return values, lambda dv: crossentropies.categorical_of_shares_slope(t, q, sums, axis) * dv

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        is_plain = type(self) is CategoricalCrossentropy and self.from_logits and not self.label_smoothing
        made = None
        if is_plain and self.axis in (-1, y_pred.ndim - 1):
            made = crossentropies.ready_categorical(y_true, y_pred)
        return super().ready(y_true, y_pred) if made is None else Ready(*made)


categorical_crossentropy = LossFunction(CategoricalCrossentropy)


@LOSSES.register()
@dataclass(eq=False)
class SparseCategoricalCrossentropy(BuiltInLoss):
    """``-log(q[t])``, the crossentropy of class numbers; q as in ``CategoricalCrossentropy``.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        ignore_class: a label with value 0 and no gradient, which counts neither in the sum nor in the divisor. The
            metric
            leaves it out of the count only if samples are weighted, as in Keras.
        axis: the axis of the classes.
    """

    metric: ClassVar = AsMetric(written=("axis",))
    logits_of: ClassVar = "softmax"
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = field(default=-1, kw_only=True, metadata=LEFT_OUT)

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        return class_numbers(self.function.__name__, y_true, y_pred, self.axis, self.ignore_class)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        axis, kept = self.axis, None if self.ignore_class is None else y_true != self.ignore_class
        labels = np.expand_dims(y_true if kept is None else np.where(kept, y_true, 0), axis)
        if self.from_logits and kept is None and crossentropies.are_few(y_pred, axis):
            values, slopes = crossentropies.categorical_of_logits(
                crossentropies.indicators(y_true, np.empty_like(y_pred)), y_pred, -1
            )
            return values, lambda dv: slopes * dv
        if self.from_logits:
            total = None
            log_q = log_softmax(y_pred, axis)
            values = -np.take_along_axis(log_q, labels, axis)
        else:
            total = y_pred.sum(axis=axis, keepdims=True)
            q = np.take_along_axis(y_pred, labels, axis) / total
            clipped = clip(q, config.epsilon(), 1.0 - config.epsilon())
            values = -np.log(clipped)

        def pullback(dv: Array | float) -> Array:
            if total is None:
                dy = np.exp(log_q)
                correction = np.take_along_axis(dy, labels, axis) - 1.0
            else:
                slope = clip_slope(q, config.epsilon(), 1.0 - config.epsilon()) / (clipped * total)
                dy = np.broadcast_to(q * slope, y_pred.shape).copy()
                correction = (q - 1.0) * slope
            np.put_along_axis(dy, labels, correction, axis)
            if kept is not None:
                dy = np.where(np.expand_dims(kept, axis), dy, 0.0).astype(dy.dtype, copy=False)
            dy *= dv
            return dy

        values = values.squeeze(axis=axis)
        return values if kept is None else np.where(kept, values, 0.0).astype(y_pred.dtype, copy=False), pullback

    def ready(self, y_true: Array, y_pred: Array) -> Ready | None:
        """Of few classes, that of the targets that are 1 for the label, and 0."""
        is_plain = type(self) is SparseCategoricalCrossentropy and self.from_logits and self.ignore_class is None
        if not is_plain or y_pred.ndim < 2 or not crossentropies.are_few(y_pred, self.axis):
            return super().ready(y_true, y_pred)
        targets = np.empty_like(y_pred)
        made = crossentropies.ready_categorical(targets, y_pred)
        if made is None:
            return super().ready(y_true, y_pred)
        of_targets, values, slopes = made

        def write(t: Array, factor: Any) -> None:
            of_targets(crossentropies.indicators(self.align(t, y_pred)[0], targets), factor)

        return Ready(write, values, slopes)

    def valid(self, y_true: Array, values: Array) -> Array | None:
        """Where the label is a class."""
        if self.ignore_class is None:
            return None
        return np.asarray(y_true != self.ignore_class).reshape(values.shape)

    @property
    def counts_rows_only(self) -> bool:
        return self.ignore_class is None and super().counts_rows_only


sparse_categorical_crossentropy = LossFunction(SparseCategoricalCrossentropy)


@LOSSES.register()
@dataclass(eq=False)
class CategoricalGeneralizedCrossEntropy(BuiltInLoss):
    """``(1 - p[t]^q) / q`` of class numbers t: crossentropy that forgives wrong labels.

    Args:
        q: in (0, 1); near 0 it is crossentropy, at 1 absolute error.

    Source: Zhang and Sabuncu (2018), arXiv:1805.07836, equation 6.
    """

    has_function_name: ClassVar[bool] = False
    q: float = number(0.5, INNER_FRACTION)

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        return class_numbers(self.function.__name__, y_true, y_pred)

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        labels = y_true[..., None]
        p = np.take_along_axis(y_pred, labels, -1)

        def pullback(dv: Array | float) -> Array:
            dy = np.zeros_like(y_pred)
            np.put_along_axis(dy, labels, -power_slope(p, self.q) / self.q * dv, -1)
            return dy

        return ((1.0 - np.power(p, self.q)) / self.q).squeeze(axis=-1), pullback


categorical_generalized_cross_entropy = LossFunction(CategoricalGeneralizedCrossEntropy)
