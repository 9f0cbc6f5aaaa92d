"""What ``compile`` was told, and the objective it becomes once the outputs are known."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Literal, cast

from distnet import losses, metrics
from distnet.errors import ArgumentError, DataError
from distnet.layers.engine.structures import leaves
from distnet.logs import other_names
from distnet.losses import LOSSES
from distnet.metrics import METRICS, Metric
from distnet.registry import beside, said_beside, to_json
from distnet.training.objective import Averaging, MeasuredLoss, MeasuredMetric, Objective
from distnet.training.outputs import NO_COLUMNS, Outputs, check_keys
from distnet.training.placing import OutputLoss, is_branch, is_leaf, output_losses, spec_mapped
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
        accuracy_by_loss: whether "accuracy" is the kind that fits the loss, as in Keras 2.3, not the targets.
        round_scores: whether the binary kind then rounds the scores, as in Keras 2.2.
        counts_padding: whether no metric heeds masks, as in Keras 1.
        counts_masked, skips_weights_of_0: see ``Averaging``.

    Raises:
        UnknownNameError: a loss or metric that does not exist.
        ArgumentError: something that is no loss or metric.
    """

    loss: Any = None
    metrics: Any = None
    weighted_metrics: Any = None
    loss_weights: Any = None
    as_in_keras_2: bool = False
    accuracy_by_loss: bool = False
    round_scores: bool = False
    counts_padding: bool = False
    counts_masked: bool = False
    skips_weights_of_0: bool = False

    def __post_init__(self) -> None:
        # Names of custom objects are known now, not when training begins.
        object.__setattr__(self, "loss", spec_mapped(LOSSES.get, self.loss))
        object.__setattr__(self, "metrics", spec_mapped(_MetricSpec.of, self.metrics))
        object.__setattr__(self, "weighted_metrics", spec_mapped(_MetricSpec.of, self.weighted_metrics))
        object.__setattr__(self, "loss_weights", spec_mapped(_number, self.loss_weights))

    def objective(
        self,
        outputs: Outputs,
        y_true_shapes: Sequence[Shape],
        y_pred_shapes: Sequence[Shape],
        adds_losses: bool = False,
    ) -> Objective:
        """The objective for these outputs, targets and outputs of these shapes.

        Raises:
            ArgumentError: there is no loss, or the settings name other outputs.
            DataError: a metric needs targets that there are none of.
        """
        losses = self._losses(outputs)
        if not losses and not adds_losses:
            raise ArgumentError("fit: the model was compiled without a loss. Call model.compile(loss=...) first.")
        measured_losses: list[MeasuredLoss] = []
        if self._measures_losses(losses, outputs):
            for number, loss in enumerate(losses):
                start = 2 * number
                measured_losses.append(MeasuredLoss(f"{loss.name}_loss", number, slice(start, start + 2)))
        measured = self._measured(outputs, y_true_shapes, y_pred_shapes, 2 * len(measured_losses))
        averaging = Averaging(self.counts_masked, self.skips_weights_of_0)
        return Objective(len(outputs), tuple(losses), tuple(measured_losses), tuple(measured), averaging=averaging)

    def losses_of(self, outputs: Outputs) -> list[OutputLoss]:
        """The losses of these outputs."""
        return self._losses(outputs)

    def measures_of(self, outputs: Outputs) -> list[tuple[str, int, bool, Callable[[Shape, Shape], Metric]]]:
        """The metrics: key, number of the output, whether weights count, and what gives the metric for shapes."""

        def finding(measure: _Measure) -> Callable[[Shape, Shape], Metric]:
            return lambda y_true, y_pred: copy.deepcopy(self._meant(measure, y_true, y_pred, outputs))

        return [(m.key, m.output, m.is_weighted, finding(m)) for m in self._measures(outputs)]

    def log_keys(self, outputs: Outputs) -> list[str]:
        """The keys of the logs.

        Raises:
            ArgumentError: the settings name other outputs.
        """
        losses = self._losses(outputs)
        of_outputs = [f"{loss.name}_loss" for loss in losses] if self._measures_losses(losses, outputs) else []
        keys = ["loss", *of_outputs, *(measure.key for measure in self._measures(outputs))]
        return list(dict.fromkeys(keys))

    def without_loss(self, outputs: Outputs) -> list[int]:
        """The numbers of the outputs that have no loss, and need no targets."""
        used = {number for loss in self._losses(outputs) for number in loss.outputs}
        return [i for i in range(len(outputs)) if i not in used]

    def direction_of(self, key: str, outputs: Outputs) -> Literal["up", "down"] | None:
        """Which way what the logs hold under a key is better; None where nobody knows, or they do not hold it.

        Args:
            key: of a loss, or of a metric, without ``val_``.
            outputs: of the model.
        """
        measures = {measure.key: measure for measure in self._measures(outputs)}
        key = next((name for name in (key, *other_names(key)) if name in measures), key)
        if key in measures:
            return measures[key].spec.direction
        return "down" if key in self.log_keys(outputs) else None

    def to_json(self) -> dict[str, Json]:
        """The ``training_config`` of a saved model, without the optimizer."""
        config: dict[str, Json] = {
            "loss": spec_mapped(losses.canonical_name, self.loss),
            "metrics": spec_mapped(_MetricSpec.to_json, self.metrics),
            "weighted_metrics": spec_mapped(_MetricSpec.to_json, self.weighted_metrics),
            "loss_weights": to_json(self.loss_weights),
        }
        meaning = {key: True for key in _MEANINGS if getattr(self, key)}
        return said_beside(config, **meaning) if meaning else config

    def _losses(self, outputs: Outputs) -> list[OutputLoss]:
        """The losses in the order in which logs list them: as they were given, in Keras 2 as the outputs are."""
        losses = output_losses(self.loss, self.loss_weights, outputs)
        return sorted(losses, key=lambda loss: loss.output) if self.as_in_keras_2 else losses

    def _measures_losses(self, losses: Sequence[OutputLoss], outputs: Outputs) -> bool:
        """Whether the logs list the losses one by one."""
        return len(outputs) > 1 if self.as_in_keras_2 else len(losses) > 1

    def _measures(self, outputs: Outputs) -> list[_Measure]:
        """The metrics, then the weighted ones, in the order of the outputs.

        Source: ``keras.src.trainers.compile_utils.CompileMetrics.result`` for the keys,
        ``keras.src.trainers.trainer.Trainer._flatten_metrics_in_order`` for the order, for Keras 2
        ``MetricsContainer._create_ordered_metrics`` of tf_keras.
        """
        measures: dict[str, _Measure] = {}
        groups = ((self.metrics, False, "list of metrics"), (self.weighted_metrics, True, "list of weighted_metrics"))
        for given, is_weighted, what in groups:
            for output, specs in enumerate(_lists_by_output(given, outputs, what, self.as_in_keras_2)):
                prefix = "" if len(outputs) == 1 else f"{outputs.keys[output]}_"
                for spec in specs:
                    is_whole = spec.is_named_in_full and spec.label.startswith(prefix)
                    key = spec.label if is_whole else f"{prefix}{spec.label}"
                    if is_weighted and key in measures:
                        key = f"{prefix}weighted_{spec.label}"
                    key = _unused(key, measures)
                    measures[key] = _Measure(key, output, spec, is_weighted)
        if self.as_in_keras_2:
            return [measure for i in range(len(outputs)) for measure in measures.values() if measure.output == i]
        # Keras lists first the metrics whose key is their own name, then the others by the alphabet.
        own = [measure for measure in measures.values() if measure.key == measure.spec.label]
        return own + sorted((m for m in measures.values() if m.key != m.spec.label), key=lambda m: m.key)

    def _measured(
        self, outputs: Outputs, y_true_shapes: Sequence[Shape], y_pred_shapes: Sequence[Shape], start: int
    ) -> list[MeasuredMetric]:
        measured: list[MeasuredMetric] = []
        for measure in self._measures(outputs):
            y_true_shape, y_pred_shape = y_true_shapes[measure.output], y_pred_shapes[measure.output]
            if y_true_shape[1:] == NO_COLUMNS:
                raise DataError(f"y: expected targets for the metric {measure.key}, received None.")
            metric = self._meant(measure, y_true_shape, y_pred_shape, outputs)
            stop = start + metric.size(y_true_shape, y_pred_shape)
            part = slice(start, stop)
            heeds_mask = (metric.heeds_mask or self.as_in_keras_2) and not self.counts_padding
            counted = measure.is_weighted, heeds_mask
            measured.append(MeasuredMetric(measure.key, metric, measure.output, *counted, part))
            start = stop
        return measured

    def _meant(self, measure: _Measure, y_true_shape: Shape, y_pred_shape: Shape, outputs: Outputs) -> Metric:
        """The metric, which ``"accuracy"`` is by the loss or by the shapes.

        Source: ``keras.engine.training_utils.get_metric_function`` of Keras 2.3.
        """
        spec = measure.spec
        if spec.metric is not None or not self.accuracy_by_loss:
            return spec.resolved(y_true_shape, y_pred_shape)
        kinds = {type(loss.loss) for loss in self._losses(outputs) if loss.output == measure.output}
        if losses.BinaryCrossentropy in kinds:
            y_true_shape = y_pred_shape = (None, 1)  # whose metrics are the binary ones
        metric = metrics.resolve(cast(str, spec.given), y_true_shape, y_pred_shape)
        if isinstance(metric, metrics.BinaryAccuracy):
            metric.round_scores = self.round_scores
        return metric


_MEANINGS = (
    "as_in_keras_2", "accuracy_by_loss", "round_scores", "counts_padding", "counts_masked", "skips_weights_of_0",
)  # fmt: skip
"""What is said beside a ``training_config``."""


def meaning_of(config: Mapping[str, Any]) -> dict[str, bool]:
    """What a saved ``training_config`` says beside of how losses and metrics are meant."""
    said = beside(config)
    return {key: bool(said.get(key)) for key in _MEANINGS}


def named_in_full(metrics: Any) -> Any:
    """Metrics as a file says them: with Keras 2's names, of which the output's is a part."""
    return spec_mapped(lambda spec: replace(_MetricSpec.of(spec), is_named_in_full=True), metrics)


def in_either_order(compile_model: Callable[..., None]) -> Callable[..., None]:
    """Let a method ``compile`` take its third and fourth argument in Keras 2's order, metrics first, or in Keras 3's.

    The one are names or objects, the other numbers. Arguments that are named mean what their names say.
    """

    @wraps(compile_model)
    def compiled(model: Any, *args: Any, **named: Any) -> None:
        optimizer_and_loss, third, rest = args[:2], args[2:3], args[3:]
        if third and (_is_numbers(third[0]) or (third == (None,) and rest and not _is_numbers(rest[0]))):
            metrics = rest[:1] if rest else (named.pop("metrics", None),)
            args = (*optimizer_and_loss, *metrics, *third, *rest[1:])
        compile_model(model, *args, **named)

    return compiled


def _is_numbers(spec: Any) -> bool:
    """Whether it is a number, or a list or dict of numbers: weights of losses, no metrics."""
    if isinstance(spec, Mapping):
        return bool(spec) and all(map(_is_numbers, spec.values()))
    if isinstance(spec, list | tuple):
        return bool(spec) and all(map(_is_numbers, spec))
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


def _lists_by_output(given: Any, outputs: Outputs, what: str, as_in_keras_2: bool) -> list[list[_MetricSpec]]:
    """The metrics of each output.

    A flat list with one for each output is that in Keras 3; in Keras 2 any flat list was for every output, as it is
    here where Keras 3 takes none.

    Source: ``keras.src.trainers.compile_utils.CompileMetrics._build_metrics_set``.
    """
    if not given:
        return [[] for _ in outputs.names]
    if len(outputs) == 1:
        if isinstance(given, Mapping) and is_branch(given):
            check_keys(given, list(dict.fromkeys([*outputs.keys, *outputs.names])), what)
        return [_flat(given)]
    if isinstance(given, list) and all(is_leaf(spec) for spec in given):
        is_for_each = len(given) == len(outputs) and not as_in_keras_2
        return [_flat(spec) for spec in given] if is_for_each else [_flat(given)] * len(outputs)
    if is_leaf(given):
        raise _other_form(given, outputs, what)
    if isinstance(given, Mapping) and (outputs.is_flat or not set(given) <= set(map(str, _keys(outputs.form)))):
        check_keys(given, outputs.keys, what)
        return [_flat(given.get(key)) for key in outputs.keys]
    if isinstance(given, list) and len(given) == len(outputs) and outputs.is_flat:
        return [_flat(spec) for spec in given]
    return [_flat(_at(path, given, outputs, what)) for path, _ in outputs.paths()]


def _keys(form: Any) -> list[Any]:
    return list(form) if isinstance(form, Mapping) else []


def _at(path: Sequence[Any], given: Any, outputs: Outputs, what: str) -> Any:
    """What lies at the end of a path; None where the path ends before."""
    for key in path:
        if given is None:
            return None
        try:
            given = given[key]
        except (LookupError, TypeError):
            raise _other_form(given, outputs, what) from None
    return given


def _other_form(given: Any, outputs: Outputs, what: str) -> ArgumentError:
    received = len(given) if isinstance(given, list | Mapping) else repr(getattr(given, "label", given))
    return ArgumentError(
        f"compile: expected one {what} for each of the outputs {outputs.keys}, received {received}. "
        "Give a list with one for each, or a dict by name."
    )


def _flat(specs: Any) -> list[_MetricSpec]:
    return [spec for spec in leaves(specs, is_branch) if spec is not None]


def _number(weight: Any) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ArgumentError(f"compile: expected loss_weights to be numbers, received {weight!r}.")
    return float(weight)
