"""Metrics that are means of a value per sample, and the registry of all."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from distnet import losses
from distnet.errors import ArgumentError
from distnet.losses.alignment import as_floating
from distnet.losses.loss_function import LossFunction
from distnet.losses.made_function import HasFunction, MadeFunction
from distnet.losses.weighting import over_values, sample_weights
from distnet.metrics.base import Metric
from distnet.metrics.over_ranks import of_global_batch
from distnet.metrics.sums import SumsMetric
from distnet.naming import name_of
from distnet.ops.spread import own_rows, summed
from distnet.ops.tape import unfollowed
from distnet.ops.tensor import Rows, Tensor
from distnet.registry import Registry, to_json
from distnet.results import as_result, mask_of
from distnet.types import Array, ArrayLike, Json, Shape


def mean_sums(name: str, values: Array, sample_weight: ArrayLike | None) -> Array:
    """(sum of weighted values, sum of weights) over samples; a sample's value is the mean over its axes.

    Source: Keras's ``reduce_to_samplewise_values`` with ``mean``.
    """
    values = np.asarray(values, dtype=np.float64)
    if sample_weight is None:
        width = math.prod(values.shape[1:]) if values.ndim else 1
        return np.array([values.sum() / width, float(len(values)) if values.ndim else 1.0])
    weight = sample_weights(name, values, sample_weight)
    if values.ndim == 0:
        return np.array([values * weight.sum(), weight.sum()])
    if weight.ndim == 0:
        weight = np.broadcast_to(weight, values.shape[:1])
    values = values.mean(axis=tuple(range(weight.ndim, values.ndim)))
    weight = np.broadcast_to(weight, values.shape)
    width = math.prod(values.shape[1:])
    return np.array([(values * weight).sum() / width, weight.sum() / width])


def mean_of(state: Array) -> float:
    """``state[0] / state[1]``, 0 where nothing was counted."""
    return float(state[0] / state[1]) if state[1] else 0.0


@dataclass(eq=False)
class MeanMetric(SumsMetric, ABC):
    """A weighted mean of values per sample."""

    heeds_mask: ClassVar[bool] = True
    adds_sums: ClassVar[bool] = True

    name: str = ""
    dtype: Json = dataclasses.field(default=None, repr=False)

    @abstractmethod
    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One value per sample.

        Shapes:
            (N, ..., C) -> (N, ...) or (N, ..., C)
        """

    def weights(self, y_true: Array, values: Array, sample_weight: ArrayLike | None) -> ArrayLike | None:
        """The weights of the values."""
        return sample_weight

    def size(self, y_true_shape: Shape, y_pred_shape: Shape) -> int:
        return 2

    def sums(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        y_true, y_pred = np.asarray(y_true), as_floating(y_pred)
        values = self.values(y_true, y_pred)
        return mean_sums(self.name, values, self.weights(y_true, values, sample_weight))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take these rows in, without the time steps that the mask which ``y_pred`` carries excludes."""
        mask = mask_of(y_pred) if self.heeds_mask else None
        if mask is not None:
            weight = np.ones(()) if sample_weight is None else np.asarray(sample_weight)
            sample_weight = over_values(weight, max(mask.ndim, weight.ndim)) * mask
        super().update_state(y_true, y_pred, sample_weight)

    def result_of(self, state: Array) -> float | Array:
        return mean_of(state)


class FunctionMetric(HasFunction, MeanMetric, ABC):
    """A mean whose values a function gives too; the metric's own fields are the function's options."""

    family: ClassVar[type] = MeanMetric
    compositions: ClassVar[str] = "distnet.metrics.composed_accuracies"

    def ready(self, y_true: Array, y_pred: Array) -> Callable[[Array], tuple[float, ...]] | None:
        """The same sums without what weights and other dtypes need."""
        if not type(self).__module__.startswith("distnet.") or y_pred.dtype.kind != "f":
            return None

        def sums(t: Array) -> tuple[float, float]:
            values = np.asarray(self.values(t, y_pred), np.float64)
            total = float(np.add.reduce(values, None))
            return (total / math.prod(values.shape[1:]), float(len(values))) if values.ndim else (total, 1.0)

        return sums


class MeanMetricWrapper(MeanMetric):
    """The mean of any function ``fn(y_true, y_pred, **options) -> values``, named after it.

    Args:
        fn: gives one value per sample; or the name of such a function.
        name: the key in logs; by default the function's name.
        dtype: taken for Keras's sake.
        options: what else ``fn`` is called with.

    ``fn`` gives one value for each row, or one number for a batch, which then counts as one row; it may be written over
    ``distnet.ops`` or NumPy. On several ranks it sees the global batch.

    Raises:
        ArgumentError: (when called) ``fn`` gives no numbers.

    Source: ``keras.metrics.MeanMetricWrapper``.
    """

    def __init__(self, fn: object, name: str | None = None, dtype: Json = None, **options: Any) -> None:
        self.fn = function_of(fn)
        self.options = options
        loss = self.fn.of(**options) if isinstance(self.fn, LossFunction) else self.fn
        self._loss = loss if isinstance(loss, losses.Loss) else None
        if self._loss is not None:  # as in Keras, where losses are to be minimized
            self._direction = "down"
        super().__init__(name or name_of(self.fn), dtype)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if self._loss is not None:  # which as a function gives one number for all rows
            return self._loss.values_and_pullback(y_true, y_pred)[0]
        with unfollowed():
            return self._checked(self.fn(as_result(y_true), as_result(y_pred), **self.options))

    @property
    def takes_tensors(self) -> bool:
        """Whether the function is the user's: on several ranks it is handed the global batch."""
        return self._loss is None and not isinstance(self.fn, MadeFunction)

    def added_by(
        self, y_true: Array, y_pred: Array, sample_weight: ArrayLike | None = None, rows: Rows | None = None
    ) -> Array:
        if rows is None or not self.takes_tensors:
            return super().added_by(y_true, y_pred, sample_weight, rows)
        returned = of_global_batch(partial(self.fn, **self.options), y_true, y_pred, rows=rows)
        return self._of_global_batch(returned, sample_weight, rows)

    def _of_global_batch(self, returned: Any, sample_weight: ArrayLike | None, rows: Rows) -> Array:
        """This rank's part of the sums of what the function gives for all rows."""
        if isinstance(returned, Tensor) and returned.rows is not None:
            return mean_sums(self.name, returned.value, sample_weight)
        values = self._checked(returned.value if isinstance(returned, Tensor) else returned)
        if values.ndim and len(values) == rows.total:
            return mean_sums(self.name, values[rows.first : rows.first + rows.count], sample_weight)
        share = rows.count / rows.total if sample_weight is None else 1.0
        return mean_sums(self.name, values, sample_weight) * share

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take these rows in: arrays, or tensors of the global batch."""
        rows = next((t.rows for t in (y_true, y_pred) if isinstance(t, Tensor) and t.rows is not None), None)
        if rows is None:
            super().update_state(y_true, y_pred, sample_weight)
            return
        weight = sample_weight.value if isinstance(sample_weight, Tensor) else sample_weight
        t, p = (part.value if isinstance(part, Tensor) else own_rows(part, rows) for part in (y_true, y_pred))
        returned = of_global_batch(partial(self.fn, **self.options), t, p, rows=rows)
        self.add(summed(self._of_global_batch(returned, weight, rows)))

    def _checked(self, returned: Any) -> Array:
        """What the function returned, as an array of numbers."""
        values = np.asarray(returned)
        if values.dtype.kind not in "biuf":
            raise ArgumentError(
                f"metric {self.name}: expected one value for each row, or one number, received {returned!r:.100}. "
                "Return the values."
            )
        return values

    def get_config(self) -> dict[str, Json]:
        """``{"name", "dtype", "fn"}`` and the options."""
        function = to_json(self.fn)
        if isinstance(function, str):
            function = {"module": "builtins", "class_name": "function", "config": function}
            function["registered_name"] = "function"
        options = {key: to_json(value) for key, value in self.options.items()}
        return {"name": self.name, "dtype": self.dtype, "fn": function, **options}


def function_of(spec: object) -> Callable[..., Array]:
    """The function that a callable, its name, or Keras's ``{"class_name": "function"}`` means.

    Raises:
        UnknownNameError: no function has that name.
    """
    if isinstance(spec, Mapping):
        spec = spec.get("config")
    if not isinstance(spec, str):
        if callable(spec):
            return spec
        raise ArgumentError(f"metric: expected a function or the name of one, received {spec!r}.")
    loss_function = getattr(losses, spec) if spec in losses.__all__ else None
    if isinstance(loss_function, LossFunction):
        return loss_function
    member = METRICS.find(spec)
    function = getattr(member, "function", member)
    return function_of(function if not isinstance(function, str) else None)


METRICS: Registry[Metric] = Registry("metric", Metric, adapt=MeanMetricWrapper, module="keras.metrics")  # type: ignore[type-abstract]
"""Every metric by name."""

METRICS.add("MeanMetricWrapper", MeanMetricWrapper)
