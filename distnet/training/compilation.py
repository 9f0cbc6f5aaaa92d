"""What ``compile`` was told, and the objective it becomes once the outputs are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from distnet import losses, metrics
from distnet.errors import ArgumentError
from distnet.losses import LOSSES, Loss
from distnet.metrics import METRICS, Metric
from distnet.registry import to_json
from distnet.training.objective import MeasuredLoss, MeasuredMetric, Objective
from distnet.types import Json, Shape


@dataclass(frozen=True)
class Compilation:
    """Losses and metrics as the user gave them: for the one output, for all, a list or a dict by output.

    Args:
        loss: names, objects, functions or configs; None for a model that only predicts.
        metrics: lists of names, objects, functions or configs; they ignore sample weights.
        weighted_metrics: the same, counted with sample weights.
        loss_weights: factors of the losses.

    Raises:
        UnknownNameError: a loss or metric that does not exist.
        ArgumentError: something that is no loss or metric.
    """

    loss: Any = None
    metrics: Any = None
    weighted_metrics: Any = None
    loss_weights: Any = None

    def __post_init__(self) -> None:
        for spec in _leaves(self.loss):
            LOSSES.optional(spec)
        for spec in (*_leaves(self.metrics), *_leaves(self.weighted_metrics)):
            if spec is not None and not _by_shape(spec):
                METRICS.get(spec)

    def objective(
        self, names: Sequence[str], y_true_shapes: Sequence[Shape], y_pred_shapes: Sequence[Shape]
    ) -> Objective:
        """The objective for outputs of these names, targets and outputs of these shapes.

        Raises:
            ArgumentError: there is no loss, or the settings name other outputs.
        """
        found = self._losses(names)
        if not any(found):
            raise ArgumentError("fit: the model was compiled without a loss. Call model.compile(loss=...) first.")
        factors = [1.0 if w is None else _number(w) for w in _by_output(self.loss_weights, names, "loss_weights")]
        measured_losses: list[MeasuredLoss] = []
        if len(names) > 1:
            for i, (name, loss) in enumerate(zip(names, found, strict=True)):
                if loss is not None:
                    start = 2 * len(measured_losses)
                    measured_losses.append(MeasuredLoss(f"{name}_loss", i, slice(start, start + 2)))
        measured = self._measured(names, y_true_shapes, y_pred_shapes, 2 * len(measured_losses))
        return Objective(tuple(found), tuple(factors), tuple(measured_losses), tuple(measured))

    def log_keys(self, names: Sequence[str]) -> list[str]:
        """The keys of the logs, as far as they are known before the shapes of the targets are."""
        keys = ["loss"]
        if len(names) > 1:
            keys += [f"{name}_loss" for name, loss in zip(names, self._losses(names), strict=True) if loss is not None]
        for name, spec, _ in self._metric_specs(names):
            label = spec if isinstance(spec, str) else str(METRICS.get(spec).name)
            keys.append(_unused(label if len(names) == 1 else f"{name}_{label}", set(keys)))
        return keys

    def to_json(self) -> dict[str, Json]:
        """The ``training_config`` of a saved model, without the optimizer."""
        return {
            "loss": _mapped(self.loss, lambda spec: losses.canonical_name(LOSSES.get(spec))),
            "metrics": _mapped(self.metrics, _metric_json),
            "weighted_metrics": _mapped(self.weighted_metrics, _metric_json),
            "loss_weights": to_json(self.loss_weights),
        }

    def _losses(self, names: Sequence[str]) -> list[Loss | None]:
        is_one = _is_leaf(self.loss) and self.loss is not None
        specs = [self.loss] * len(names) if is_one else _by_output(self.loss, names, "loss")
        return [LOSSES.optional(spec) for spec in specs]

    def _metric_specs(self, names: Sequence[str]) -> Iterator[tuple[str, Any, bool]]:
        """(output, metric, whether it is weighted) for every metric, in order."""
        groups = ((self.metrics, False, "metrics"), (self.weighted_metrics, True, "weighted_metrics"))
        for given, is_weighted, what in groups:
            for name, specs in zip(names, _lists_by_output(given, names, what), strict=True):
                for spec in specs:
                    yield name, spec, is_weighted

    def _measured(
        self, names: Sequence[str], y_true_shapes: Sequence[Shape], y_pred_shapes: Sequence[Shape], start: int
    ) -> list[MeasuredMetric]:
        measured: list[MeasuredMetric] = []
        for name, spec, is_weighted in self._metric_specs(names):
            output = names.index(name)
            metric = _resolved(spec, y_true_shapes[output], y_pred_shapes[output])
            stop = start + metric.size(y_true_shapes[output], y_pred_shapes[output])
            label = spec if isinstance(spec, str) else str(metric.name)
            key = _unused(label if len(names) == 1 else f"{name}_{label}", {m.key for m in measured})
            measured.append(MeasuredMetric(key, metric, output, is_weighted, slice(start, stop)))
            start = stop
        return measured


def _resolved(spec: Any, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    if _by_shape(spec):
        return metrics.resolve(spec, y_true_shape, y_pred_shape)
    return METRICS.get(spec)


def _by_shape(spec: Any) -> bool:
    return isinstance(spec, str) and spec.lower() in ("accuracy", "acc", "crossentropy", "ce")


def _metric_json(spec: Any) -> Json:
    return spec if isinstance(spec, str) else to_json(METRICS.get(spec))


def _unused(key: str, taken: set[str]) -> str:
    """``key``, or Keras's ``key_1``, ``key_2`` ... where it is taken."""
    number, candidate = 0, key
    while candidate in taken:
        number += 1
        candidate = f"{key}_{number}"
    return candidate


def _is_leaf(spec: Any) -> bool:
    """Whether it is one loss or metric: no list, and no dict but a configuration."""
    return not isinstance(spec, list | tuple) and not (isinstance(spec, Mapping) and "class_name" not in spec)


def _leaves(spec: Any) -> Iterator[Any]:
    if _is_leaf(spec):
        yield spec
    else:
        for item in spec.values() if isinstance(spec, Mapping) else spec:
            yield from _leaves(item)


def _mapped(spec: Any, function: Any) -> Json:
    """The structure with ``function`` applied to every leaf but None."""
    if _is_leaf(spec):
        return None if spec is None else cast(Json, function(spec))
    if isinstance(spec, Mapping):
        return {key: _mapped(value, function) for key, value in spec.items()}
    return [_mapped(item, function) for item in spec]


def _by_output(given: Any, names: Sequence[str], what: str) -> list[Any]:
    """What a dict, a list or a single value says of each output; None for those it does not name.

    Raises:
        ArgumentError: it names or counts other outputs.
    """
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping) and "class_name" not in given:
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise ArgumentError(f"compile: {what} names {unknown}, but the model's outputs are {list(names)}.")
        return [given.get(name) for name in names]
    values = list(given) if isinstance(given, list | tuple) else [given]
    if len(values) != len(names):
        raise ArgumentError(
            f"compile: expected {what} for {len(names)} outputs {list(names)}, received {len(values)}. "
            "Give a list with one for each, or a dict by name."
        )
    return values


def _lists_by_output(given: Any, names: Sequence[str], what: str) -> list[list[Any]]:
    """The metrics of each output; for a single output Keras also takes them as one flat list."""
    if len(names) == 1 and not isinstance(given, Mapping):
        flat = [given] if _is_leaf(given) else list(given)
        if len(flat) == 1 and isinstance(flat[0], list | tuple):
            flat = list(flat[0])
        return [[spec for spec in flat if spec is not None]]
    found = [[spec] if _is_leaf(spec) else list(spec) for spec in _by_output(given, names, what)]
    return [[spec for spec in specs if spec is not None] for specs in found]


def _number(weight: Any) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ArgumentError(f"compile: expected loss_weights to be numbers, received {weight!r}.")
    return float(weight)
