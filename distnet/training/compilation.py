"""What ``compile`` was told, and the objective it becomes once the outputs are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from distnet import losses, metrics
from distnet.errors import ArgumentError
from distnet.losses import LOSSES, Loss
from distnet.metrics import METRICS, Metric
from distnet.registry import said_beside, to_json
from distnet.training.objective import MeasuredLoss, MeasuredMetric, Objective
from distnet.types import Json, Shape


@dataclass(frozen=True)
class _MetricSpec:
    """A metric as the user gave it.

    Args:
        label: its name in the logs.
        given: what it is saved as, if it is a name.
        metric: None where it depends on the shapes, as for ``"accuracy"``.
        is_named_in_full: whether its name may begin with that of its output, as Keras 2 saves it.
    """

    label: str
    given: str | None
    metric: Metric | None
    is_named_in_full: bool = False

    @staticmethod
    def of(spec: Any) -> _MetricSpec:
        """Raises UnknownNameError for a metric that does not exist."""
        if isinstance(spec, _MetricSpec):
            return spec
        metric = None if _by_shape(spec) else METRICS.get(spec)
        given = spec if isinstance(spec, str) else None
        return _MetricSpec(given or str(cast(Metric, metric).name), given, metric)

    def resolved(self, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
        """The metric for targets and outputs of these shapes."""
        return self.metric or metrics.resolve(cast(str, self.given), y_true_shape, y_pred_shape)

    @property
    def direction(self) -> Literal["up", "down"] | None:
        """Which way is better; a class of the user may say so as Keras's do, by ``_direction``."""
        if self.metric is not None:
            return getattr(self.metric, "_direction", None) or self.metric.direction
        return "down" if str(self.given).lower() in ("crossentropy", "ce") else "up"

    def to_json(self) -> Json:
        """What a saved model says of it."""
        return self.given or to_json(self.metric)


@dataclass(frozen=True)
class _Measure:
    """A metric of one output, and its key in the logs."""

    key: str
    output: int
    spec: _MetricSpec
    is_weighted: bool


@dataclass(frozen=True)
class Compilation:
    """Losses and metrics as the user gave them: for the one output, for all, a list or a dict by output.

    Args:
        loss: names, objects, functions or configs; None for a model that only predicts.
        metrics: lists of names, objects, functions or configs; they ignore sample weights.
        weighted_metrics: the same, counted with sample weights.
        loss_weights: factors of the losses.
        as_in_keras_2: whether all metrics heed masks, and are listed output by output, as there.
        is_by_key: whether outputs are listed in the order of their names, as Keras 2 does those of a dict.

    Raises:
        UnknownNameError: a loss or metric that does not exist.
        ArgumentError: something that is no loss or metric.
    """

    loss: Any = None
    metrics: Any = None
    weighted_metrics: Any = None
    loss_weights: Any = None
    as_in_keras_2: bool = False
    is_by_key: bool = False

    def __post_init__(self) -> None:
        # Names of custom objects are known now, not when training begins.
        object.__setattr__(self, "loss", _mapped(self.loss, LOSSES.get, "a loss"))
        object.__setattr__(self, "metrics", _mapped(self.metrics, _MetricSpec.of, "a metric"))
        object.__setattr__(self, "weighted_metrics", _mapped(self.weighted_metrics, _MetricSpec.of, "a metric"))
        object.__setattr__(self, "loss_weights", _mapped(self.loss_weights, _number, "a number"))

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
        factors = [1.0 if w is None else w for w in _by_output(self.loss_weights, names, "loss weight")]
        measured_losses: list[MeasuredLoss] = []
        if len(names) > 1:
            for i in self._listed(names):
                if found[i] is not None:
                    start = 2 * len(measured_losses)
                    measured_losses.append(MeasuredLoss(f"{names[i]}_loss", i, slice(start, start + 2)))
        measured = self._measured(names, y_true_shapes, y_pred_shapes, 2 * len(measured_losses))
        return Objective(tuple(found), tuple(factors), tuple(measured_losses), tuple(measured))

    def log_keys(self, names: Sequence[str]) -> list[str]:
        """The keys of the logs.

        Raises:
            ArgumentError: the settings name other outputs.
        """
        found = self._losses(names)
        of_outputs = [f"{names[i]}_loss" for i in self._listed(names) if found[i] is not None]
        keys = ["loss", *(of_outputs if len(names) > 1 else ())]
        _by_output(self.loss_weights, names, "loss weight")
        return keys + [measure.key for measure in self._measures(names)]

    def direction_of(self, key: str, names: Sequence[str]) -> Literal["up", "down"] | None:
        """Which way what the logs hold under a key is better; None where nobody knows, or they do not hold it.

        Args:
            key: of a loss, or of a metric, without ``val_``.
            names: of the outputs.
        """
        measures = {measure.key: measure for measure in self._measures(names)}
        if key in measures:
            return measures[key].spec.direction
        return "down" if key in self.log_keys(names) else None

    def to_json(self) -> dict[str, Json]:
        """The ``training_config`` of a saved model, without the optimizer."""
        found: dict[str, Json] = {
            "loss": _mapped(self.loss, losses.canonical_name, "a loss"),
            "metrics": _mapped(self.metrics, _MetricSpec.to_json, "a metric"),
            "weighted_metrics": _mapped(self.weighted_metrics, _MetricSpec.to_json, "a metric"),
            "loss_weights": to_json(self.loss_weights),
        }
        return said_beside(found, as_in_keras_2=True) if self.as_in_keras_2 else found

    def _losses(self, names: Sequence[str]) -> list[Loss | None]:
        is_one = _is_leaf(self.loss) and self.loss is not None
        return [self.loss] * len(names) if is_one else _by_output(self.loss, names, "loss")

    def _listed(self, names: Sequence[str]) -> list[int]:
        """The numbers of the outputs in the order in which logs list them."""
        return sorted(range(len(names)), key=names.__getitem__) if self.is_by_key else list(range(len(names)))

    def _measures(self, names: Sequence[str]) -> list[_Measure]:
        """The metrics, then the weighted ones, in the order of the outputs.

        Source: ``keras.src.trainers.compile_utils.CompileMetrics.result`` for the keys,
        ``keras.src.trainers.trainer.Trainer._flatten_metrics_in_order`` for the order, for Keras 2
        ``MetricsContainer._create_ordered_metrics`` of tf_keras.
        """
        found: dict[str, _Measure] = {}
        groups = ((self.metrics, False, "list of metrics"), (self.weighted_metrics, True, "list of weighted_metrics"))
        for given, is_weighted, what in groups:
            for output, specs in enumerate(_lists_by_output(given, names, what)):
                prefix = "" if len(names) == 1 else f"{names[output]}_"
                for spec in specs:
                    is_whole = spec.is_named_in_full and spec.label.startswith(prefix)
                    key = spec.label if is_whole else f"{prefix}{spec.label}"
                    if is_weighted and key in found:
                        key = f"{prefix}weighted_{spec.label}"
                    key = _unused(key, found)
                    found[key] = _Measure(key, output, spec, is_weighted)
        if self.as_in_keras_2:
            return [measure for i in self._listed(names) for measure in found.values() if measure.output == i]
        # Keras lists first the metrics whose key is their own name, then the others by the alphabet.
        own = [measure for measure in found.values() if measure.key == measure.spec.label]
        return own + sorted((m for m in found.values() if m.key != m.spec.label), key=lambda m: m.key)

    def _measured(
        self, names: Sequence[str], y_true_shapes: Sequence[Shape], y_pred_shapes: Sequence[Shape], start: int
    ) -> list[MeasuredMetric]:
        measured: list[MeasuredMetric] = []
        for measure in self._measures(names):
            y_true_shape, y_pred_shape = y_true_shapes[measure.output], y_pred_shapes[measure.output]
            metric = measure.spec.resolved(y_true_shape, y_pred_shape)
            stop = start + metric.size(y_true_shape, y_pred_shape)
            part = slice(start, stop)
            counted = measure.is_weighted, metric.heeds_mask or self.as_in_keras_2
            measured.append(MeasuredMetric(measure.key, metric, measure.output, *counted, part))
            start = stop
        return measured


def named_in_full(metrics: Any) -> Any:
    """Metrics as a file says them: with Keras 2's names, of which the output's is a part."""
    return _mapped(metrics, lambda spec: replace(_MetricSpec.of(spec), is_named_in_full=True), "a metric")


def by_key(spec: Any, names: Sequence[str]) -> Any:
    """A list of what is said of each output, in the order of their names, as a dict."""
    is_list = isinstance(spec, list | tuple) and len(spec) == len(names)
    return dict(zip(sorted(names), spec, strict=True)) if is_list else spec


def is_numbers(spec: Any) -> bool:
    """Whether it is a number, or a list or dict of numbers: weights of losses, no metrics."""
    if isinstance(spec, Mapping):
        return bool(spec) and all(map(is_numbers, spec.values()))
    if isinstance(spec, list | tuple):
        return bool(spec) and all(map(is_numbers, spec))
    return isinstance(spec, int | float)


def _by_shape(spec: Any) -> bool:
    return isinstance(spec, str) and spec.lower() in ("accuracy", "acc", "crossentropy", "ce")


def _unused(key: str, taken: Mapping[str, object]) -> str:
    """``key``, or Keras's ``key_1``, ``key_2`` ... where it is taken."""
    number, candidate = 0, key
    while candidate in taken:
        number += 1
        candidate = f"{key}_{number}"
    return candidate


def _is_leaf(spec: Any) -> bool:
    """Whether it is one loss or metric: no list, and no dict but a configuration."""
    return not isinstance(spec, list | tuple) and not (isinstance(spec, Mapping) and "class_name" not in spec)


def _mapped(spec: Any, function: Callable[[Any], Any], what: str) -> Any:
    """The structure with ``function`` applied to every leaf but None.

    Raises:
        ArgumentError: a dict within a list.
    """
    if _is_leaf(spec):
        return None if spec is None else function(spec)
    if isinstance(spec, Mapping):
        return {key: _mapped(value, function, what) for key, value in spec.items()}
    for item in spec:
        if isinstance(item, Mapping) and not _is_leaf(item):
            raise ArgumentError(
                f"compile: expected {what}, received {dict(item)!r} within a list. Give a dict by output on its own."
            )
    return [_mapped(item, function, what) for item in spec]


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
            raise ArgumentError(
                f"compile: expected a {what} for outputs among {list(names)}, received one for {unknown}."
            )
        return [given.get(name) for name in names]
    values = list(given) if isinstance(given, list | tuple) else [given]
    if len(values) != len(names):
        raise ArgumentError(
            f"compile: expected one {what} for each of the outputs {list(names)}, received {len(values)}. "
            "Give a list with one for each, or a dict by name."
        )
    return values


def _lists_by_output(given: Any, names: Sequence[str], what: str) -> list[list[_MetricSpec]]:
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
