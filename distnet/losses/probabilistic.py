"""Losses between distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np

from distnet import activations, criteria
from distnet.activations import Activation
from distnet.arguments import FRACTION, INNER_FRACTION, NOT_NEGATIVE, number
from distnet.losses.base import Loss
from distnet.losses.kinds import LOSSES, CriterionLoss
from distnet.registry import LEFT_OUT
from distnet.types import Array


@LOSSES.register("bce")
@dataclass(eq=False)
class BinaryCrossentropy(CriterionLoss):
    """``-mean(t log(p) + (1 - t) log(1 - p))`` along an axis.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis of the mean.
    """

    criterion: ClassVar = criteria.binary_crossentropy
    logits_of: ClassVar = activations.sigmoid
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1


@LOSSES.register()
@dataclass(eq=False)
class BinaryFocalCrossentropy(CriterionLoss):
    """Binary crossentropy times ``(1 - p_t)^gamma``, p_t being the probability of what is true.

    Args:
        apply_class_balancing: whether positives weigh ``alpha`` and negatives ``1 - alpha``.
        alpha: in [0, 1].
        gamma: focus, >= 0.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
        axis: the axis of the mean.

    Source: Lin et al. (2017), arXiv:1708.02002.
    """

    criterion: ClassVar = criteria.binary_focal_crossentropy
    logits_of: ClassVar = activations.sigmoid
    apply_class_balancing: bool = False
    alpha: float = number(0.25, FRACTION)
    gamma: float = number(2.0, NOT_NEGATIVE)
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1

    def of_logits(self, activation: Activation) -> Loss | None:
        """Of the logits unclipped; of logits that a user has, Keras 3 makes clipped probabilities."""
        loss = super().of_logits(activation)
        return None if loss is None else _BinaryFocalOfLogits(**{f.name: getattr(loss, f.name) for f in fields(self)})


@dataclass(eq=False)
class _BinaryFocalOfLogits(BinaryFocalCrossentropy):
    """The same behind a sigmoid, as TensorFlow's Keras has it."""

    criterion: ClassVar = criteria.binary_focal_crossentropy_of_logits


@LOSSES.register()
@dataclass(eq=False)
class CategoricalCrossentropy(CriterionLoss):
    """``-sum(t log(p))`` over the classes of one-hot targets.

    Args:
        from_logits: whether predictions are logits; probabilities are divided by their sum.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / C``.
        axis: the axis of the classes.
    """

    criterion: ClassVar = criteria.categorical_crossentropy
    logits_of: ClassVar = activations.softmax
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1


@LOSSES.register()
@dataclass(eq=False)
class CategoricalFocalCrossentropy(CriterionLoss):
    """Categorical crossentropy times ``alpha (1 - p)^gamma`` per class.

    Args:
        alpha: weight, one number or one for each class.
        gamma: focus, >= 0.
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / C``.
        axis: the axis of the classes.

    Source: Lin et al. (2017), arXiv:1708.02002.
    """

    criterion: ClassVar = criteria.categorical_focal_crossentropy
    alpha: float | Sequence[float] = 0.25
    gamma: float = number(2.0, NOT_NEGATIVE)
    from_logits: bool = False
    label_smoothing: float = number(0.0, FRACTION)
    axis: int = -1


@LOSSES.register()
@dataclass(eq=False)
class SparseCategoricalCrossentropy(CriterionLoss):
    """``-log(p[t])``: categorical crossentropy of class numbers.

    Args:
        from_logits: whether predictions are logits; probabilities are divided by their sum.
        ignore_class: a label that counts neither in the sum nor in the divisor.
        axis: the axis of the classes.
    """

    criterion: ClassVar = criteria.sparse_categorical_crossentropy
    logits_of: ClassVar = activations.softmax
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = field(default=-1, kw_only=True, metadata=LEFT_OUT)

    def valid(self, y_true: Array, values: Array) -> Array | None:
        """Where the label is a class."""
        if self.ignore_class is None:
            return None
        return np.asarray(y_true != self.ignore_class).reshape(values.shape)

    @property
    def counts_rows_only(self) -> bool:
        return self.ignore_class is None and super().counts_rows_only


@LOSSES.register()
@dataclass(eq=False)
class CategoricalGeneralizedCrossEntropy(CriterionLoss):
    """``(1 - p[t]^q) / q`` of class numbers: crossentropy that forgives wrong labels.

    Args:
        q: in (0, 1); near 0 it is crossentropy, at 1 absolute error.

    Source: Zhang and Sabuncu (2018), arXiv:1805.07836.
    """

    criterion: ClassVar = criteria.categorical_generalized_cross_entropy
    has_function_name: ClassVar[bool] = False
    q: float = number(0.5, INNER_FRACTION)


@LOSSES.register("kld", "kullback_leibler_divergence")
@dataclass(eq=False)
class KLDivergence(CriterionLoss):
    """``sum(t log(t / p))`` over the last axis."""

    criterion: ClassVar = criteria.kl_divergence


@LOSSES.register()
@dataclass(eq=False)
class Poisson(CriterionLoss):
    """``mean(p - t log(p))`` over the last axis, for counts t."""

    criterion: ClassVar = criteria.poisson
