"""What ``compile`` was told, and the objective it becomes once the outputs are known."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from distnet import losses, metrics
from distnet.errors import ArgumentError
from distnet.losses import LOSSES, Loss
from distnet.metrics import METRICS, Metric
from distnet.registry import to_json
from distnet.training.objective import MeasuredMetric, Objective
from distnet.types import Json, Shape


@dataclass(frozen=True)
class Compilation:
    """The loss and the metrics as the user gave them, checked.

    Args:
        loss: name, object, function or config; None for a model that only predicts.
        metrics: names, objects, functions or configs; they ignore sample weights.
        weighted_metrics: the same, counted with sample weights.
        loss_weight: factor of the loss.

    Raises:
        UnknownNameError: a loss or metric that does not exist.
        ArgumentError: something that is no loss or metric.
    """

    loss: Any = None
    metrics: Sequence[Any] = ()
    weighted_metrics: Sequence[Any] = ()
    loss_weight: float = 1.0
    resolved_loss: Loss | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "resolved_loss", LOSSES.optional(self.loss))
        for spec in (*self.metrics, *self.weighted_metrics):
            if not _by_shape(spec):
                METRICS.get(spec)

    def objective(self, y_true_shape: Shape, y_pred_shape: Shape) -> Objective:
        """The objective for targets and outputs of these shapes.

        Raises:
            ArgumentError: there is no loss.
        """
        if self.resolved_loss is None:
            raise ArgumentError("fit: the model was compiled without a loss. Call model.compile(loss=...) first.")
        measured: list[MeasuredMetric] = []
        start = 0
        specs = [(m, False) for m in self.metrics] + [(m, True) for m in self.weighted_metrics]
        for (spec, is_weighted), key in zip(specs, self.metric_keys, strict=True):
            metric = _resolved(spec, y_true_shape, y_pred_shape)
            stop = start + metric.size(y_true_shape, y_pred_shape)
            measured.append(MeasuredMetric(key, metric, 0, is_weighted, slice(start, stop)))
            start = stop
        return Objective((self.resolved_loss,), (self.loss_weight,), tuple(measured))

    @property
    def metric_keys(self) -> list[str]:
        """The metrics' keys in the logs; where two are equal the later one is marked, as in Keras."""
        keys: list[str] = []
        for spec in self.metrics:
            keys.append(_unused(_name(spec), keys))
        for spec in self.weighted_metrics:
            name = _name(spec)
            keys.append(_unused(f"weighted_{name}" if name in keys else name, keys))
        return keys

    def to_json(self) -> dict[str, Json]:
        """The ``training_config`` of a saved model, without the optimizer."""
        return {
            "loss": None if self.resolved_loss is None else losses.canonical_name(self.resolved_loss),
            "metrics": [_metric_json(m) for m in self.metrics],
            "weighted_metrics": [_metric_json(m) for m in self.weighted_metrics] or None,
            "loss_weights": None if self.loss_weight == 1.0 else [self.loss_weight],
        }


def compilation(loss: Any, metric_specs: Any, weighted: Any, loss_weights: Any) -> Compilation:
    """``Compilation`` from the arguments of ``compile`` in any of the forms Keras takes.

    Raises:
        ArgumentError: several losses or loss weights for the one output.
    """
    return Compilation(
        _only(loss, "loss"), _flat(metric_specs, "metrics"), _flat(weighted, "weighted_metrics"), _factor(loss_weights)
    )


def _resolved(spec: Any, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    if _by_shape(spec):
        return metrics.resolve(spec, y_true_shape, y_pred_shape)
    return METRICS.get(spec)


def _by_shape(spec: Any) -> bool:
    return isinstance(spec, str) and spec in ("accuracy", "acc", "crossentropy", "ce")


def _metric_json(spec: Any) -> Json:
    return spec if isinstance(spec, str) else to_json(METRICS.get(spec))


def _name(spec: Any) -> str:
    return spec if isinstance(spec, str) else METRICS.get(spec).name


def _unused(key: str, taken: Container[str]) -> str:
    """``key``, or Keras's ``key_1``, ``key_2`` ... where it is taken."""
    number, candidate = 0, key
    while candidate in taken:
        number += 1
        candidate = f"{key}_{number}"
    return candidate


def _only(spec: Any, what: str) -> Any:
    if isinstance(spec, list | tuple):
        if len(spec) != 1:
            raise ArgumentError(f"compile: expected one {what} for the model's one output, received {len(spec)}.")
        return spec[0]
    return spec


def _flat(specs: Any, what: str) -> tuple[Any, ...]:
    if specs is None:
        return ()
    if not isinstance(specs, list | tuple):
        specs = [specs]
    if len(specs) == 1 and isinstance(specs[0], list | tuple):
        specs = specs[0]
    if isinstance(specs, dict):
        raise ArgumentError(f"compile: expected a list of {what} for the model's one output, received a dict.")
    return tuple(specs)


def _factor(loss_weights: Any) -> float:
    weight = _only(loss_weights, "loss weight")
    if weight is None:
        return 1.0
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ArgumentError(f"compile: expected loss_weights to be a number, received {weight!r}.")
    return float(weight)
