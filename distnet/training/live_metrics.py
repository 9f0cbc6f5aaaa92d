"""The loss and the metrics of ``compile`` as objects that users' own steps call and update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from distnet.layers.engine.structures import leaves, mapped
from distnet.metrics import Mean, Metric
from distnet.training.compilation import Compilation
from distnet.training.outputs import Outputs, sample_weights, targets


class CompiledLoss:
    """The losses of ``compile`` for whatever outputs they are called on.

    Source: ``keras.src.trainers.compile_utils.CompileLoss``.
    """

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation
        self.tracker = Mean(name="loss")
        """The mean of the total."""
        self.parts: dict[str, Mean] = {}
        """The mean of each loss of several, by its key."""

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Sequence[Any] | None = None
    ) -> Any:
        """The total, with other losses added; it is counted by the rows of the batch."""
        total = self.value(y_true, y_pred, sample_weight)
        for loss in regularization_losses or ():
            total = total + loss
        rows = next(iter(leaves(y_pred))).shape[0]
        self.tracker.update_state(total, sample_weight=float(rows))
        return total

    def value(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The total of the weighted losses."""
        outputs, predictions = outputs_of(y_pred)
        each_true = targets(outputs, y_true, self.compilation.without_loss(outputs))
        weights = [None] * len(outputs) if sample_weight is None else sample_weights(outputs, sample_weight)
        losses = self.compilation.losses_of(outputs)
        total: Any = 0.0
        for own in losses:
            i = own.output
            value = own.loss(each_true[i], predictions[i], weights[i])
            if len(losses) > 1:
                key = f"{own.name}_loss"
                self.parts.setdefault(key, Mean(name=key)).update_state(value, sample_weight=_rows(predictions[i]))
            total = total + (value if own.weight == 1.0 else value * own.weight)
        return total

    @property
    def metrics(self) -> list[Metric]:
        """The total's mean, and the parts'."""
        return [self.tracker, *self.parts.values()]


class CompiledMetrics:
    """The metrics of ``compile``; what they are is known once they are updated.

    Source: ``keras.src.trainers.compile_utils.CompileMetrics``.
    """

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation
        self._metrics: list[LiveMetric] | None = None

    @property
    def metrics(self) -> list[Metric]:
        """One object for each key of the logs."""
        return list(self._known())

    def _known(self, outputs: Outputs | None = None) -> list[LiveMetric]:
        if self._metrics is None:
            told = outputs or Outputs(0, ("output",))
            keys = self.compilation.measures_of(told)
            self._metrics = [LiveMetric(key, number, is_weighted, find) for key, number, is_weighted, find in keys]
        return self._metrics

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the rows of a batch."""
        outputs = outputs_of(y_pred)[0]
        for metric in self._known(outputs):
            metric.update_state(y_true, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Forget all rows."""
        for metric in self._metrics or ():
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """The values by key."""
        return {metric.name: metric.result() for metric in self._metrics or ()}


class LiveMetric(Metric):
    """One metric of one output, under its key in the logs.

    Args:
        key: its name.
        output: number of the output.
        is_weighted: whether sample weights count.
        find: the metric for targets and outputs of known shapes.
    """

    sees_global_batch: ClassVar[bool] = True

    def __init__(self, key: str, output: int, is_weighted: bool, find: Callable[[Any, Any], Metric]) -> None:
        super().__init__(name=key)
        self.output, self.is_weighted, self._find = output, is_weighted, find
        self.metric: Metric | None = None
        self._state_read: Any = None

    @property
    def state(self) -> Any:
        """That of the metric, as far as it is known."""
        return self._state_read if self.metric is None else self.metric.state

    @state.setter
    def state(self, state: Any) -> None:
        if self.metric is None:
            self._state_read = state
        else:
            self.metric.state = state

    def get_state(self) -> list[Any]:
        return [None if self.state is None else self.state.copy()]

    def _take(self, arrays: Iterator[Any]) -> None:
        self.state = next(arrays, None)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        outputs, predictions = outputs_of(y_pred)
        each_true = targets(outputs, y_true, range(len(outputs)))
        true, pred = each_true[self.output], predictions[self.output]
        if self.metric is None:
            self.metric = self._find(np.shape(true), tuple(pred.shape))
            self.metric.state, self._state_read = self._state_read, None
        weight = None
        if self.is_weighted and sample_weight is not None:
            weight = sample_weights(outputs, sample_weight)[self.output]
        options = {} if weight is None else {"sample_weight": weight}
        self.metric.update_state(true, pred, **options)

    def result(self) -> Any:
        return 0.0 if self.metric is None else self.metric.result()

    def reset_state(self) -> None:
        self._state_read = None
        if self.metric is not None:
            self.metric.reset_state()


def outputs_of(y_pred: Any) -> tuple[Outputs, list[Any]]:
    """How outputs lie in their lists, tuples and dicts, and each of them."""
    flat = list(leaves(y_pred))
    names = ["output"] if len(flat) == 1 else [f"output_{i + 1}" for i in range(len(flat))]
    form = y_pred[0] if isinstance(y_pred, list | tuple) and len(y_pred) == 1 else y_pred
    return Outputs.of(mapped(lambda leaf: None, form), names), flat


def _rows(tensor: Any) -> float:
    return float(tensor.shape[0]) if len(tensor.shape) else 1.0
