"""Metrics that are means of losses. Each is made from its loss, whose ``AsMetric`` names it."""

from __future__ import annotations

import dataclasses
from abc import ABC
from dataclasses import field, make_dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from distnet.losses import LOSSES
from distnet.losses.loss_function import AsMetric, BuiltInLoss
from distnet.losses.made_function import option_names
from distnet.losses.weighting import over_values, sample_weights
from distnet.metrics.means import METRICS, FunctionMetric
from distnet.registry import BESIDE
from distnet.types import Array, ArrayLike


class LossMetric(FunctionMetric, ABC):
    """The mean of a loss's values; the metric's own fields are the loss's options."""

    direction = "down"

    @property
    def _loss(self) -> BuiltInLoss:
        """The loss, with the metric's options."""
        return cast(BuiltInLoss, self.function.cls.with_options(self.options()))

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return self._loss.values_and_pullback(y_true, y_pred)[0]

    def weights(self, y_true: Array, values: Array, sample_weight: ArrayLike | None) -> ArrayLike | None:
        """The weights, 0 where a value does not count; without weights every value counts, as in Keras."""
        valid = None if sample_weight is None else self._loss.valid(y_true, values)
        if sample_weight is None or valid is None:
            return sample_weight
        return np.asarray(over_values(sample_weights(self.name, values, sample_weight), values.ndim) * valid)


def metric_of(loss: type[BuiltInLoss], said: AsMetric) -> type[LossMetric]:
    """Make and register the metric that is the mean of a loss; it has the loss's names.

    Args:
        loss: the class of the loss.
        said: its description as a metric.
    """
    fields = {f.name: f for f in dataclasses.fields(loss)}
    options = [_option(fields[name], said) for name in option_names(loss)]
    namespace: dict[str, Any] = {"function": loss.function, "__doc__": loss.__doc__}
    if said.name:
        namespace["default_name"] = lambda self: said.name
    name = said.class_name or loss.__name__
    metric = make_dataclass(name, options, bases=(LossMetric,), namespace=namespace, eq=False)
    metric.__module__ = "distnet.metrics"
    METRICS.add(name, metric, *LOSSES.names_of(loss))
    return metric


def _option(f: dataclasses.Field[Any], said: AsMetric) -> tuple[str, Any, Any]:
    """Name, type and field of the metric's option, from the loss's field."""
    metadata = {**f.metadata, **(BESIDE if f.name in said.beside else {})}
    if f.name in said.written:
        del metadata["config"]
    is_beside = metadata.get("config") == BESIDE["config"]
    return f.name, f.type, field(default=f.default, kw_only=is_beside, metadata=metadata)


_METRICS = [
    metric_of(loss, loss.metric) for loss in LOSSES.classes().values() if issubclass(loss, BuiltInLoss) and loss.metric
]
OF_LOSSES: dict[str, object] = {
    **{metric.__name__: metric for metric in _METRICS},
    **{metric.function.__name__: metric.function for metric in _METRICS},
}
"""The classes, and the functions whose values they average, by name; ``distnet.metrics`` offers them all."""
globals().update(OF_LOSSES)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
