"""Steps that a user's model takes by methods of its own: ``train_step``, ``test_step``, ``predict_step``.

They see the global batch: tensors with this rank's rows of it. What they return is the same on every rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import optimizers
from distnet.comm import Communicator
from distnet.comm.subnormals import flushed
from distnet.data.arrays import ArrayData
from distnet.data.batch import Batch
from distnet.distribution import compression_for, refuse_blocks_for
from distnet.errors import ArgumentError
from distnet.layers.engine.structures import leaves, packed
from distnet.logs import NamedLogs
from distnet.metrics import Metric
from distnet.ops.operators import PRIMITIVES
from distnet.ops.present import running
from distnet.ops.tensor import Rows, Tensor
from distnet.parallel.exchange import Control, StepSums
from distnet.training.forward_steps import Steps
from distnet.training.objective import Log, Objective
from distnet.types import Array
from distnet.variables import VariableStore, laid_out, lay_out


@dataclass
class OwnObjective:
    """What a model's own steps measure: the last step's logs, which are of the whole epoch.

    Args:
        model: whose steps they are.
        latest: the logs.
    """

    model: Any
    latest: dict[str, Any] = field(default_factory=dict)
    entries: int | None = None
    """Unknown: the metrics' sums have no fixed number."""

    def check(self, data: ArrayData, shapes: object) -> None:
        """Nothing: the steps decide what fits."""

    def totals(self) -> OwnTotals:
        """The running metrics, reset."""
        return OwnTotals(self)


class OwnTotals:
    """The metrics of a model with steps of its own, as ``Totals`` are those of other models."""

    def __init__(self, objective: OwnObjective) -> None:
        self.objective = objective
        self.loss_rows = 0.0
        self.rows = 0
        objective.latest = {}
        objective.model.reset_metrics()

    @property
    def sums(self) -> Array:
        """The arrays of all metrics' states, each with its length before it."""
        parts: list[Array] = []
        for array in (array for metric in self.metrics() for array in metric.get_state()):
            own = np.zeros(0) if array is None else np.asarray(array, np.float64).ravel()
            parts += [np.array([-1.0 if array is None else own.size]), own]
        return np.concatenate(parts) if parts else np.zeros(0)

    @sums.setter
    def sums(self, sums: Array) -> None:
        at = 0
        for metric in self.metrics():
            if at >= len(sums):
                break
            state: list[Array | None] = []
            for array in metric.get_state():
                size = int(sums[at])
                own = None if size < 0 else sums[at + 1 : at + 1 + size].copy()
                state.append(own if own is None or array is None else own.reshape(array.shape))
                at += 1 + max(size, 0)
            metric.set_state(state)
        self.objective.latest = as_logs(self.objective.model.get_metrics_result())

    @property
    def latest(self) -> dict[str, Any] | None:
        """What the last step returned, which need not be the metrics' results; None leaves it at these."""
        return dict(self.objective.latest)

    @latest.setter
    def latest(self, latest: Mapping[str, Any] | None) -> None:
        if latest is not None:
            self.objective.latest = dict(latest)

    def add(self, loss: float, rows: int, sums: Array) -> None:
        """Count the rows; the metrics were updated in the step."""
        self.rows += rows

    def reduce(self, communicator: Communicator) -> None:
        """Nothing: what the steps return is global."""

    def logs(self) -> NamedLogs[Log]:
        """What the last step returned."""
        return NamedLogs(self.objective.latest)

    def metrics(self) -> list[Metric]:
        """The metrics themselves."""
        return list(self.objective.model.metrics)

    def reset(self) -> None:
        """Begin anew."""
        self.rows = 0


class OwnSteps(Steps):
    """Runs batches through a model's own steps, each rank its rows.

    Args:
        model: has the methods.
        communicator: the ranks that take part.
    """

    updates_at_end: ClassVar[bool] = False

    def __init__(self, model: Any, communicator: Communicator, objective: Any = None) -> None:
        refuse_blocks_for(f"{model.name}: has a train_step, test_step or predict_step of its own")
        super().__init__(model, communicator)
        if objective is not None:  # it trains
            compression_for(model.name, None)
        self.own: Any = model
        self.objective = objective
        self.evaluated: Any = objective
        """What a validation measures."""
        self.optimizer: Any = model.optimizer or optimizers.SGD()
        self._sums = np.zeros(StepSums.entries(0))
        self._kept: dict[Any, Any] = {}
        """What calls of each model in the steps keep for the next step."""

    @property
    def store(self) -> VariableStore:
        """The model's variables, in flat buffers."""
        store = laid_out(self.model)
        return store if store.is_current else lay_out(self.model)

    @flushed
    def train(self, batch: Batch, leave: bool = False, has_read: bool = False) -> StepSums:
        """Take one step by ``train_step``."""
        step = self.model.training_state.step
        told = batch.checksums if self.draws is None else (*self.draws.told, *batch.checksums)
        checks = self.checks.tell(told, self.optimizer, self.store.weights, step)
        with self._running(batch):
            returned = self.own.train_step(self._data(batch))
        self.objective.latest = as_logs(returned)
        sums = StepSums(self._sums)
        sums.write(0.0, np.zeros(0), Control(self.model.stop_training, leave, has_read, checks))
        self.communicator.allreduce(sums.buffer)
        self.checks.hear(sums.checks, step)
        loss = self.objective.latest.get("loss", 0.0)
        sums.loss = loss if isinstance(loss, float) else 0.0
        self.model.training_state.step += 1
        return sums

    @flushed
    def test(self, batch: Batch, objective: Objective | OwnObjective) -> tuple[float, Array]:
        """Measure a batch by ``test_step``, or as other models do."""
        if isinstance(objective, Objective):
            return super().test(batch, objective)
        with self._running(batch):
            objective.latest = as_logs(self.own.test_step(self._data(batch)))
        return 0.0, np.zeros(0)

    @flushed
    def predict(self, batch: Batch) -> list[Array]:
        """The outputs of a batch for all rows, by ``predict_step``."""
        with self._running(batch):
            made = self.own.predict_step(self._data(replace_targets(batch)))
        self.own.form_of_predictions = made
        return [leaf.numpy() if isinstance(leaf, Tensor) else np.asarray(leaf) for leaf in leaves(made)]

    @contextmanager
    def _running(self, batch: Batch) -> Iterator[None]:
        state = self.model.training_state
        self._begin_draws()
        with running(self._rows(batch), state.step, lambda: (state.seed, "own step"), self._kept):
            yield
        self._end_draws()

    def _rows(self, batch: Batch) -> Rows | None:
        if self.communicator.size == 1:
            return None
        return Rows(batch.global_rows, batch.first_row, len(batch.x[0]))

    def _data(self, batch: Batch) -> Any:
        """``(x, y, sample_weight)``, as far as there are such, in the form in which the user passed them.

        Source: ``keras.utils.pack_x_y_sample_weight``.
        """
        batch, rows = self._in_dtype(batch), self._rows(batch)
        form_x, form_y = self.own.data_forms
        x = packed(form_x, [Tensor(a, rows=rows) for a in self._inputs(batch.x)])
        y = packed(form_y, [Tensor(a, rows=rows) for a in batch.y]) if batch.y else None
        weights = [None if w is None else Tensor(w, rows=rows) for w in batch.weight]
        if any(w is not None for w in weights):
            return x, y, weights[0] if len(weights) == 1 else packed(form_y, weights)
        if y is not None:
            return x, y
        return (x,) if isinstance(x, list | tuple) else x


def own_steps_of(model: Any, objective: OwnObjective, ranks: Communicator) -> OwnSteps:
    """The steps that the model's own methods take."""
    steps = OwnSteps(model, ranks, objective)
    steps.evaluated = OwnObjective(model) if model.has_own("test") else None
    return steps


def replace_targets(batch: Batch) -> Batch:
    """The batch without targets and weights."""
    return Batch(batch.x, (), (), batch.first_row, batch.global_rows, batch.places)


def as_logs(returned: Any) -> dict[str, Any]:
    """What a step returned, as numbers by name.

    Raises:
        ArgumentError: it is no dict.
    """
    if not isinstance(returned, Mapping):
        raise ArgumentError(
            f"expected a step to return a dict of losses and metrics, received {type(returned).__name__}. Return "
            "{'loss': loss}."
        )
    logs: dict[str, Any] = {}
    for key, value in returned.items():
        if isinstance(value, Mapping):
            logs.update(as_logs(value))
        else:
            logs[str(key)] = as_number(value)
    return logs


def as_number(value: Any) -> Any:
    """A number as Python's; the mean of a tensor's entries; a list of one number a class."""
    if isinstance(value, Tensor):
        value = (PRIMITIVES["Mean"](value) if value.ndim else value).numpy()
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array.tolist()
