"""Metrics whose state is one vector of sums over rows: all of distnet's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

import numpy as np

from distnet.errors import ShapeError
from distnet.metrics.base import Metric
from distnet.ops.tensor import Rows
from distnet.registry import LEFT_OUT
from distnet.types import Array, ArrayLike, Shape


@dataclass(eq=False)
class SumsMetric(Metric, ABC):
    """A metric made of three functions: the number of sums, the sums of rows, and the value of sums."""

    adds_sums: ClassVar[bool] = True
    """Whether ``update_state``, of the same class, does nothing with arrays but add their ``sums``."""

    state: Array | None = field(default=None, init=False, repr=False, metadata=LEFT_OUT)

    @abstractmethod
    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        """Length of the vector of sums.

        Args:
            y_true_shape: shape of the targets, with the batch axis.
            y_pred_shape: shape of the predictions, with the batch axis.
        """

    @abstractmethod
    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """What these rows add to the state: a float64 vector. Parts of a batch add up to the whole."""

    @abstractmethod
    def result_of(self, state: Array) -> float | Array:
        """The value for these sums over all rows."""

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add these rows."""
        self.add(self.sums(y_true, y_pred, sample_weight))

    def added_by(
        self, y_true: Array, y_pred: Array, sample_weight: ArrayLike | None = None, rows: Rows | None = None
    ) -> Array:
        if len(y_pred) and _adds_sums(type(self)):
            return self.sums(y_true, y_pred, sample_weight)
        return super().added_by(y_true, y_pred, sample_weight, rows)

    def get_state(self) -> list[Array | None]:
        return [None if self.state is None else self.state.copy(), *super().get_state()]

    def _take(self, arrays: Iterator[Array | None]) -> None:
        state = next(arrays, None)
        self.state = None if state is None else np.array(state, np.float64)
        super()._take(arrays)

    def add(self, sums: Array) -> None:
        """Add rows by their sums.

        Raises:
            ShapeError: the vector differs in length from those before.
        """
        if self.state is None:
            self.state = np.array(sums, dtype=np.float64)
        elif self.state.shape == np.shape(sums):
            self.state += sums
        else:
            raise ShapeError(
                f"metric {self.name}: expected sums of shape {self.state.shape}, received {np.shape(sums)}. "
                "Call reset_state() before data of another width."
            )

    def result(self) -> float | Array:
        """The value over all rows since the last reset; 0 before the first."""
        return 0.0 if self.state is None else self.result_of(self.state)


@cache
def _adds_sums(kind: type[SumsMetric]) -> bool:
    """Whether an update does nothing but add the sums: the class that defines it says so."""
    owner = next(cls for cls in kind.__mro__ if "update_state" in vars(cls))
    return bool(vars(owner).get("adds_sums", False))


def ratio(a: Array | float, b: Array | float) -> Array:
    """``a / b``; 0 where b is 0."""
    b = np.asarray(b, dtype=np.float64)
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), b.shape)), where=b != 0)


def scalar_or_array(value: Array) -> float | Array:
    """A float if it is one number without axes."""
    return value if value.ndim else float(value)
