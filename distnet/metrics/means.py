"""Metrics that are means of a value per sample, and the registry of all."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet import losses
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.alignment import as_floating
from distnet.losses.loss_function import LossFunction
from distnet.losses.made_function import HasFunction
from distnet.losses.weighting import over_values, sample_weights
from distnet.metrics.base import Metric
from distnet.metrics.sums import SumsMetric
from distnet.naming import name_of
from distnet.registry import Registry, to_json
from distnet.results import mask_of
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


class MeanMetricWrapper(MeanMetric):
    """The mean of any function ``fn(y_true, y_pred, **options) -> values``, named after it.

    Args:
        fn: gives one value per sample; or the name of such a function.
        name: the key in logs; by default the function's name.
        dtype: taken for Keras's sake.
        options: what else ``fn`` is called with.

    Raises:
        ShapeError: (when called) ``fn`` gives fewer values than rows: its mean would depend on the batch.

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
        values = np.asarray(self.fn(y_true, y_pred, **self.options))
        if y_pred.ndim > 1 and values.shape[:1] != y_pred.shape[:1]:
            raise ShapeError(
                f"metric {self.name}: expected one value per row, shape ({y_pred.shape[0]}, ...), received "
                f"{values.shape}. Leave the mean over rows to distnet: reduce over the other axes only."
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
    loss_function = getattr(losses, spec, None)
    if isinstance(loss_function, LossFunction):
        return loss_function
    member = METRICS.find(spec)
    function = getattr(member, "function", member)
    return function_of(function if not isinstance(function, str) else None)


METRICS: Registry[Metric] = Registry("metric", Metric, adapt=MeanMetricWrapper, module="keras.metrics")  # type: ignore[type-abstract]
"""Every metric by name."""

METRICS.add("MeanMetricWrapper", MeanMetricWrapper)
