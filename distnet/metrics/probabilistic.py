"""Metrics between distributions, and of margins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from distnet import losses
from distnet.losses.weighting import over_values, sample_weights
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.registry import BESIDE
from distnet.types import Array, ArrayLike


@METRICS.register("bce")
@dataclass(eq=False)
class BinaryCrossentropy(FunctionMetric):
    """``-mean(t log(p) + (1 - t) log(1 - p))``.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / 2``.
    """

    direction = "down"
    function: ClassVar = losses.binary_crossentropy
    from_logits: bool = False
    label_smoothing: float = 0


@METRICS.register()
@dataclass(eq=False)
class CategoricalCrossentropy(FunctionMetric):
    """``-sum(t log(p))`` over the classes of one-hot targets.

    Args:
        from_logits: whether predictions are logits; probabilities are divided by their sum.
        label_smoothing: s in [0, 1]: targets become ``t (1 - s) + s / C``.
        axis: the axis of the classes.
    """

    direction = "down"
    function: ClassVar = losses.categorical_crossentropy
    from_logits: bool = False
    label_smoothing: float = 0
    axis: int = -1


@METRICS.register()
@dataclass(eq=False)
class SparseCategoricalCrossentropy(FunctionMetric):
    """``-log(p[t])`` of class numbers.

    Args:
        from_logits: whether predictions are logits; probabilities are divided by their sum.
        ignore_class: a label whose value is 0; as in Keras it leaves the count only where samples are weighted.
        axis: the axis of the classes.
    """

    direction = "down"
    function: ClassVar = losses.sparse_categorical_crossentropy
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1

    def weights(self, y_true: Array, values: Array, sample_weight: ArrayLike | None) -> ArrayLike | None:
        """The weights, 0 for labels that are ignored."""
        if sample_weight is None or self.ignore_class is None:
            return sample_weight
        weight = over_values(sample_weights(self.name, values, sample_weight), values.ndim)
        return np.asarray(weight * (y_true != self.ignore_class).reshape(values.shape))


@METRICS.register("kld", "kullback_leibler_divergence")
@dataclass(eq=False)
class KLDivergence(FunctionMetric):
    """``sum(t log(t / p))`` over the last axis."""

    direction = "down"
    function: ClassVar = losses.kl_divergence


@METRICS.register()
@dataclass(eq=False)
class Poisson(FunctionMetric):
    """``mean(p - t log(p))`` over the last axis, for counts t."""

    direction = "down"
    function: ClassVar = losses.poisson


@METRICS.register()
@dataclass(eq=False)
class Hinge(FunctionMetric):
    """``mean(max(1 - t p, 0))``; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: as in the loss.
    """

    direction = "down"
    function: ClassVar = losses.hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@METRICS.register()
@dataclass(eq=False)
class SquaredHinge(FunctionMetric):
    """``mean(max(1 - t p, 0)^2)``; t is -1 or 1, or 0 or 1.

    Args:
        plain_labels: as in the loss.
    """

    direction = "down"
    function: ClassVar = losses.squared_hinge
    plain_labels: bool = field(default=False, kw_only=True, metadata=BESIDE)


@METRICS.register()
@dataclass(eq=False)
class CategoricalHinge(FunctionMetric):
    """``max(worst - right + 1, 0)``: the largest wrong score against the right one."""

    direction = "down"
    function: ClassVar = losses.categorical_hinge
