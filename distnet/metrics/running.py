"""Running sums and means of plain values: ``update_state(values, sample_weight=None)``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from distnet.losses.weighting import over_values, sample_weights
from distnet.metrics.means import METRICS, mean_of, mean_sums
from distnet.metrics.sums import SumsMetric
from distnet.types import Array, ArrayLike, Json, Shape


@dataclass(eq=False)
class _Running(SumsMetric, ABC):
    name: str = ""
    dtype: Json = field(default=None, repr=False)

    @abstractmethod
    def of_values(self, values: Array, sample_weight: ArrayLike | None) -> Array:
        """The sums of values."""

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> Array:
        """The sums of values, the first argument, weighted by the second or by ``sample_weight``."""
        return self.of_values(np.asarray(y_true, np.float64), y_pred if sample_weight is None else sample_weight)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add values; arguments as in ``sums``."""
        self.add(self.sums(y_true, y_pred, sample_weight))

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float | Array:
        """Add values, and return the result so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.own_result()


@METRICS.register()
@dataclass(eq=False)
class Mean(_Running):
    """The weighted mean of values.

    >>> mean = Mean()
    >>> mean.update_state([1, 3, 5, 7])
    >>> mean.result()
    4.0
    """

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 2

    def of_values(self, values: Array, sample_weight: ArrayLike | None) -> Array:
        return mean_sums(self.name, values, sample_weight)

    def result_of(self, state: Array) -> float | Array:
        return mean_of(state)


@METRICS.register()
@dataclass(eq=False)
class Sum(_Running):
    """The weighted sum of values.

    >>> Sum()([1, 3, 5, 7])
    16.0
    """

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 1

    def of_values(self, values: Array, sample_weight: ArrayLike | None) -> Array:
        if sample_weight is not None:
            values = values * over_values(sample_weights(self.name, values, sample_weight), values.ndim)
        return np.array([values.sum()])

    def result_of(self, state: Array) -> float | Array:
        return float(state[0])
