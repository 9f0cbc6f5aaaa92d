"""One step as Keras's models have it, for classes that override a part of it."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from distnet.assignments import PLAIN
from distnet.errors import ArgumentError, NotCompiledError
from distnet.layers.engine.structures import leaves
from distnet.layers.engine.tracking import NOT_WALKED
from distnet.metrics import Metric
from distnet.ops import GradientTape
from distnet.training.live_metrics import CompiledLoss, CompiledMetrics

if TYPE_CHECKING:
    from distnet.optimizers import Optimizer
    from distnet.training.compilation import Compilation


_STEPS = attrgetter("train_step", "test_step", "predict_step")
_PARTS_OF_STEPS: Mapping[str, Callable[[type], object]] = {
    "train": attrgetter("train_step", "compute_loss", "compute_metrics"),
    "test": attrgetter("test_step", "compute_loss", "compute_metrics"),
    "predict": attrgetter("predict_step"),
}


class KerasSteps(ABC):
    """``train_step``, ``test_step``, ``predict_step``, and what they are made of.

    Where a class overrides one of them, ``fit``, ``evaluate`` and ``predict`` call it, with this rank's rows of a
    global batch as tensors; elsewhere they take faster steps of their own.

    Source: ``keras.src.backend.tensorflow.trainer.TensorFlowTrainer``.
    """

    name: str
    optimizer: Optimizer | None
    losses: list[Any]
    trainable_weights: list[Any]
    _compilation: Compilation | None
    _live: tuple[object, CompiledLoss, CompiledMetrics] | None = None

    def has_own(self, what: str) -> bool:
        """Whether the class overrides a part of this step.

        Args:
            what: ``"train"``, ``"test"`` or ``"predict"``.
        """
        parts = _PARTS_OF_STEPS[what]
        return bool(parts(type(self)) != parts(KerasSteps))

    @property
    def feeds_itself(self) -> bool:
        """Whether a step of the class's own is handed the data, which need not be what the model is called on."""
        return bool(_STEPS(type(self)) != _STEPS(KerasSteps))

    @property
    def is_called_on_other_data(self) -> bool:
        """Whether the data are for such a step alone: ``call`` does not take them."""
        return False

    def train_step(self, data: Any) -> Any:
        """Take one step on one batch; a dict of losses and metrics.

        Args:
            data: ``(x, y)``, ``(x, y, sample_weight)``, or ``x`` alone.
        """
        x, y, sample_weight = unpacked(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
            self._track(loss, x)
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        if self.optimizer is None:
            raise NotCompiledError(f"{self.name}: has no optimizer. Call compile(optimizer) before training.")
        gradients = tape.gradient(scaled, weights)
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> Any:
        """Measure one batch; a dict of losses and metrics."""
        x, y, sample_weight = unpacked(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        self._track(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch."""
        return self(unpacked(data)[0], training=False)  # type: ignore[operator]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of ``compile``, and what layers add to it, as one number.

        Raises:
            ArgumentError: there is neither.
        """
        losses = list(self.losses)
        if y is not None and self._compilation is not None and self._compilation.loss is not None:
            losses.insert(0, self.compiled_loss.value(y, y_pred, sample_weight))
        if not losses:
            raise ArgumentError(f"{self.name}: expected a loss, of compile(loss=...) or of add_loss, received none.")
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Update the metrics of ``compile``; all metrics by name."""
        if y is not None:
            self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The values of the metrics by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:  # type: ignore[attr-defined]
            value = metric.result()
            results.update(value if isinstance(value, Mapping) else {metric.name: value})
        return results

    @property
    def compiled_loss(self) -> CompiledLoss:
        """The loss of ``compile``, called on ``(y, y_pred, sample_weight, regularization_losses=...)``.

        Source: ``keras.Model.compiled_loss`` of Keras 2.
        """
        return self._live_objects()[0]

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics of ``compile``, with ``update_state(y, y_pred, sample_weight)``.

        Source: ``keras.Model.compiled_metrics`` of Keras 2.
        """
        return self._live_objects()[1]

    def _live_objects(self) -> tuple[CompiledLoss, CompiledMetrics]:
        compilation = self._compilation
        if compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() first.")
        if self._live is None or self._live[0] is not compilation:
            self._live = compilation, CompiledLoss(compilation), CompiledMetrics(compilation)
        return self._live[1], self._live[2]

    @property
    def live_metrics(self) -> list[Metric]:
        """The metrics: the loss, those of ``compile``, and those that are attributes of the model and of its layers."""
        of_compile: list[Metric] = []
        if self._compilation is not None:
            loss, metrics = self._live_objects()
            of_compile = [*loss.metrics, *metrics.metrics]
        return [*of_compile, *own_metrics(self)]

    def _track(self, loss: Any, x: Any) -> None:
        """Count the loss by the rows of the batch."""
        first = next(leaf for leaf in leaves(x) if leaf is not None)
        self.compiled_loss.tracker.update_state(loss, sample_weight=float(first.shape[0]))


def own_metrics(owner: Any) -> list[Metric]:
    """The metrics among the attributes of a model, and of the layers within, each once."""
    metrics: dict[int, Metric] = {}
    waiting, seen = [owner], set[int]()
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        for name, value in vars(layer).items():
            kind: Any = type(value)
            if kind in PLAIN or name in _WITHOUT_METRICS or (kind in _CONTAINERS and not value):
                continue
            if _may_hold_metrics(kind):
                _add_metrics(value, metrics)
        waiting += [inner for _, inner in reversed(list(layer.inner_layers()))]
    return list(metrics.values())


def _add_metrics(value: Any, metrics: dict[int, Metric]) -> None:
    """Add the metrics that a value is, or holds, by their identity."""
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            kind: Any = type(item)
            if _may_hold_metrics(kind):
                _add_metrics(item, metrics)
    else:
        metrics[id(value)] = value


_WITHOUT_METRICS = frozenset({"_live", "totals", *NOT_WALKED})
"""Attributes of models and layers that hold no metrics of the user's."""

_CONTAINERS = frozenset({list, tuple, dict})


@cache
def _may_hold_metrics(kind: type) -> bool:
    """Asked for every attribute of every layer; an abstract class takes its time to tell."""
    return issubclass(kind, Metric | list | tuple | dict)


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """``x``, ``y`` and sample weights, None where there are none.

    Source: ``keras.utils.unpack_x_y_sample_weight``.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(f"expected x, (x, y) or (x, y, sample_weight), received {len(data)} parts.")
    return (*data, None, None)[:3]
