"""What training minimizes and measures: losses and metrics, for outputs of known shapes."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from distnet.activations import Activation
from distnet.comm import Communicator
from distnet.data.arrays import ArrayData
from distnet.data.batch import Batch
from distnet.logs import NamedLogs
from distnet.losses import Loss
from distnet.metrics import Mean, Metric
from distnet.ops.tensor import Rows
from distnet.training.joint_losses import value_and_gradients
from distnet.training.placing import OutputLoss
from distnet.types import Array, Shape

Log = float | list[float]
"""One value of the logs: a number, or one number a class."""


@dataclass(frozen=True)
class MeasuredLoss:
    """The loss of one output of several, as a value of the logs.

    Args:
        key: its name in the logs.
        number: of the loss.
        part: where its two sums lie in the vector of all sums: loss times rows, and rows.
    """

    key: str
    number: int
    part: slice


@dataclass(frozen=True)
class MeasuredMetric:
    """A metric of one output.

    Args:
        key: its name in the logs.
        metric: gives sums and takes the result from them.
        output: number of the output it looks at.
        is_weighted: whether sample weights count.
        heeds_mask: whether time steps that the output's mask excludes do not count.
        part: where its sums lie in the vector of all sums.
    """

    key: str
    metric: Metric
    output: int
    is_weighted: bool
    heeds_mask: bool
    part: slice

    def weight(self, sample_weight: Array | None, mask: Array | None) -> Array | None:
        """How much each row, or each of its time steps, counts; None where all count alike."""
        weight = sample_weight if self.is_weighted else None
        if mask is None or not self.heeds_mask:
            return weight
        return mask if weight is None else weight.reshape(weight.shape + (1,) * (mask.ndim - weight.ndim)) * mask


@dataclass(frozen=True)
class Prediction:
    """What the model made of this rank's rows of a batch.

    Args:
        y: the outputs.
        masks: of the outputs, or None.
        logits: of the outputs whose loss is taken of them, by number.
    """

    y: Sequence[Array]
    masks: Sequence[Array | None]
    logits: Mapping[int, Array] = field(default_factory=dict)


class _Rows(NamedTuple):
    """What a loss is taken of: this rank's rows of a batch, of one output.

    Args:
        y_true: targets.
        y_pred: predictions, or their logits.
        weight: sample weights, or None.
        mask: of the predictions, or None.
        batch: whose rows they are.
    """

    y_true: Array
    y_pred: Array
    weight: Array | None
    mask: Array | None
    batch: Batch


class Evaluated(NamedTuple):
    """This rank's part of a global batch's loss, its gradients, and the sums of what is measured.

    Args:
        loss: total over all outputs, weighted.
        gradients: of the loss with respect to each output, or to its logits where its loss is taken of them; None
            for an output without loss.
        sums: float64, of losses and metrics.
    """

    loss: float
    gradients: list[Array | None]
    sums: Array


@dataclass(frozen=True)
class Averaging:
    """What a loss is divided by, besides the number of its values.

    Args:
        counts_masked: whether also values that a mask excludes count, as in Keras 2.3 to 2.10.
        skips_weights_of_0: whether values of weight 0 do not count, as in Keras up to 2.2.

    Source: ``_weighted_masked_objective`` of Keras 2.2; ``Loss.__call__`` of Keras 2.3 and of TensorFlow's up to 2.10.
    """

    counts_masked: bool = False
    skips_weights_of_0: bool = False


@dataclass(frozen=True)
class Objective:
    """The losses, and the metrics, of a model with outputs of known shapes.

    Args:
        outputs: number of outputs.
        losses: of some outputs, of which one may have several.
        measured_losses: the losses one by one, where there are several.
        metrics: whose sums lie behind the losses', one after the other.
        of_logits: by output, the losses as functions of its logits, where that is how they are taken.
        averaging: what a loss is divided by.
        told: keys of the logs that were read by other names, and warned of.
        running: the sums that are being added to.
        kept: the metrics that layers have as attributes, and update in their ``call``.
    """

    outputs: int
    losses: tuple[OutputLoss, ...]
    measured_losses: tuple[MeasuredLoss, ...]
    metrics: tuple[MeasuredMetric, ...]
    of_logits: Mapping[int, Loss] = field(default_factory=dict)
    averaging: Averaging = Averaging()
    told: set[str] = field(default_factory=set, repr=False, compare=False)
    running: Running = field(default_factory=lambda: Running(), repr=False, compare=False)
    kept: tuple[Metric, ...] = field(default=(), repr=False, compare=False)

    def on(self, activations: Sequence[Activation | None]) -> Objective:
        """The objective for outputs that these activations make: crossentropy is taken of their logits.

        An output with several losses has one gradient for all of them, that of its values.
        """
        uses = Counter(own.output for own in self.losses)
        alone = [own for own in self.losses if uses[own.output] == 1]
        made = ((own, activations[own.output]) for own in alone)
        given = {own.output: own.loss.of_logits(f) for own, f in made if f is not None}
        return replace(self, of_logits={i: loss for i, loss in given.items() if loss is not None})

    @cached_property
    def wanted_logits(self) -> frozenset[int]:
        """The outputs whose logits are wanted."""
        return frozenset(self.of_logits)

    @cached_property
    def entries(self) -> int:
        """Total length of the sums."""
        parts = [m.part for m in self.measured_losses] + [m.part for m in self.metrics]
        return int(parts[-1].stop) if parts else 0

    def totals(self) -> Totals:
        """Running sums of these losses and metrics, from 0."""
        return Totals(self)

    def check(self, data: ArrayData, shapes: Sequence[Shape]) -> None:
        """Refuse targets and weights that the losses cannot take, before the first step.

        Args:
            data: all rows, or those of the first batch.
            shapes: of the outputs; one of unknown extents is not checked.

        Raises:
            DataError, ShapeError: names the loss, and the row of a wrong target.
        """
        for own in self.losses:
            if own.form is not None:
                continue
            loss, y, weight, shape = own.loss, data.y[own.output], data.weight[own.output], shapes[own.output]
            if None not in shape[1:]:
                known = (data.rows, *(extent or 0 for extent in shape[1:]))
                guess = np.broadcast_to(np.float32(0.5), known)
                loss.validate(y, guess)
                if weight is not None:
                    loss.validate_weights(y, guess, weight)

    @cached_property
    def _are_counted(self) -> tuple[bool, ...]:
        """By loss, whether what it is divided by must be counted in each batch, even in one without a mask."""
        return tuple(not own.loss.counts_rows_only for own in self.losses)

    def evaluate(self, batch: Batch, predicted: Prediction, ranks: Communicator) -> Evaluated:
        """Loss, gradients and sums for this rank's rows; divided by what the global batch counts."""
        values: list[float] = []
        gradients: list[Array | None] = [None] * self.outputs
        for own, is_counted in zip(self.losses, self._are_counted, strict=True):
            i = own.output
            loss, y_pred = own.loss, predicted.y[i]
            if own.form is not None:
                value, slopes = value_and_gradients(loss, own.form, batch, predicted.y, _placed(batch, y_pred, ranks))
                values.append(value)
                gradients = [_plus(before, slopes.get(k), own.weight) for k, before in enumerate(gradients)]
                continue
            if i in predicted.logits:
                loss, y_pred = self.of_logits[i], predicted.logits[i]
            rows = _Rows(batch.y[i], y_pred, batch.weight[i], predicted.masks[i], batch)
            if ranks.size > 1 and loss.couples_rows:
                value, gradient = _of_coupled_rows(loss, rows, ranks)
            else:
                value, gradient = self._of_own_rows(loss, rows, ranks, is_counted)
            values.append(value)
            gradients[i] = _plus(gradients[i], gradient, own.weight)
        total = sum(value * own.weight for value, own in zip(values, self.losses, strict=True))
        return Evaluated(total, gradients, self._sums(batch, predicted, values, ranks))

    def _of_own_rows(self, loss: Loss, rows: _Rows, ranks: Communicator, is_counted: bool) -> tuple[float, Array]:
        """The loss of this rank's rows and its gradient, divided by what the global batch counts."""
        counts_masked, counted = self.averaging.counts_masked, None
        skipped = rows.weight if self.averaging.skips_weights_of_0 else None
        if is_counted or skipped is not None or (rows.mask is not None and not counts_masked):
            counted = partial(_counted_over_ranks, skipped=skipped, ranks=ranks)
        placed = _placed(rows.batch, rows.y_pred, ranks)
        return loss.mean_and_gradient(
            rows.y_true, rows.y_pred, rows.weight, rows.batch.global_rows, counted, rows.mask, counts_masked, placed
        )

    def _sums(self, batch: Batch, predicted: Prediction, values: Sequence[float], ranks: Communicator) -> Array:
        """What these rows add. Metrics that see all rows change their part of the running sums at once."""
        sums = np.zeros(self.entries)
        for measured in self.measured_losses:
            sums[measured.part] = values[measured.number] * batch.global_rows, len(batch.x[0])
        for m in self.metrics:
            self.measure(m, batch, predicted, ranks, sums)
        return sums

    def measure(self, m: MeasuredMetric, batch: Batch, predicted: Prediction, ranks: Communicator, sums: Array) -> None:
        """Write what these rows add to a metric; one that sees all rows changes its part of the running sums."""
        y_true, y_pred = batch.y[m.output], predicted.y[m.output]
        weight = m.weight(batch.weight[m.output], predicted.masks[m.output])
        rows = _placed(batch, y_pred, ranks)
        if m.metric.sees_all_rows:
            totals = self.running.totals or Totals(self)
            totals.sums[m.part] = m.metric.state_after(totals.sums[m.part], y_true, y_pred, weight, rows)
        else:
            sums[m.part] = m.metric.added_by(y_true, y_pred, weight, rows)


def _placed(batch: Batch, y_pred: Array, ranks: Communicator) -> Rows | None:
    """Which rows of the global batch are at hand; None if they are all of it."""
    return Rows(batch.global_rows, batch.first_row, len(y_pred)) if ranks.size > 1 else None


def _plus(before: Array | None, gradient: Array | None, weight: float) -> Array | None:
    """The sum of the gradients so far and a weighted one."""
    if gradient is None:
        return before
    scaled = gradient if weight == 1.0 else gradient * gradient.dtype.type(weight)
    return scaled if before is None else before + scaled


@dataclass
class Running:
    """The sums that are being added to: those that were made last."""

    totals: Totals | None = None


class Totals:
    """Running loss and metrics over global batches.

    The loss of a set of batches is their mean, each counted by its rows. Every rank knows what a metric that sees all
    rows has come to.

    Source: ``keras.Model.fit``'s loss tracker.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.loss_rows = 0.0
        self.rows = 0
        self.latest: dict[str, Any] | None = None  # of steps of the model's own
        self.sums = np.zeros(objective.entries)
        for metric in objective.kept:
            metric.reset_state()
        self.objective.running.totals = self
        self._begin()

    def _begin(self) -> None:
        for m in self._of_all_rows:
            first = m.metric.first_state()
            if first is not None:
                self.sums[m.part] = first

    @property
    def _of_all_rows(self) -> list[MeasuredMetric]:
        return [m for m in self.objective.metrics if m.metric.sees_all_rows]

    def add(self, loss: float, rows: int, sums: Array) -> None:
        """Count a global batch of ``rows`` rows."""
        self.loss_rows += loss * rows
        self.rows += rows
        self.sums += sums

    def reduce(self, communicator: Communicator) -> None:
        """Sum the ranks' parts; the rows counted are global already."""
        own = self.sums
        self.loss_rows, self.sums = over_all_ranks(communicator, self.loss_rows, own)
        for m in self._of_all_rows:
            self.sums[m.part] = own[m.part]

    def logs(self) -> NamedLogs[Log]:
        """The loss, every output's and every metric so far, by key."""
        logs: NamedLogs[Log] = NamedLogs(told=self.objective.told)
        logs["loss"] = self.loss_rows / self.rows if self.rows else 0.0
        for measured in self.objective.measured_losses:
            total, rows = self.sums[measured.part]
            logs[measured.key] = float(total / rows) if rows else 0.0
        for m in self.objective.metrics:
            logs[m.key] = m.metric.value_of(self.sums[m.part]).tolist()
        for metric in self.objective.kept:
            logs[metric.name] = np.asarray(metric.result()).tolist()
        return logs

    def metrics(self) -> list[Metric]:
        """An object for each value of the logs, by whose name and ``result`` it is known."""
        metrics: list[Metric] = [_known(Mean(), "loss", np.array([self.loss_rows, self.rows]))]
        metrics += [_known(Mean(), m.key, self.sums[m.part]) for m in self.objective.measured_losses]
        return metrics + [_known(m.metric, m.key, self.sums[m.part]) for m in self.objective.metrics]

    def reset(self) -> None:
        """Begin anew."""
        self.loss_rows, self.rows = 0.0, 0
        self.sums[...] = 0
        self._begin()


def _known(metric: Metric, key: str, sums: Array) -> Metric:
    """A copy of the metric, by the name of its key, with these sums."""
    named = copy.deepcopy(metric)
    named.name, named.state = key, sums.copy()
    return named


def in_form(logs: dict[str, Log], return_dict: bool) -> Log | list[Log] | dict[str, Log]:
    """Logs in the form that Keras's ``evaluate`` returns them; a dict has its keys in the order of the alphabet.

    Source: ``keras.src.trainers.trainer.Trainer._pythonify_logs``.
    """
    if return_dict:
        return NamedLogs(logs).in_order()
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def over_all_ranks(communicator: Communicator, loss: float, sums: Array) -> tuple[float, Array]:
    """The sums of the ranks' parts of a loss and of what is measured; one message."""
    message = np.concatenate(([loss], sums))
    communicator.allreduce(message)
    return float(message[0]), message[1:]


def _counted_over_ranks(own: float, skipped: Array | None, ranks: Communicator) -> float:
    """What the global batch counts; with ``skipped`` the weights, those of 0 do not."""
    given = (0, 1) if skipped is None else (np.count_nonzero(skipped == 0), skipped.size)
    counted = np.array([own, *given], np.float64)
    ranks.allreduce(counted)
    return float(counted[0] * (1.0 - counted[1] / counted[2]))


def _of_coupled_rows(loss: Loss, rows: _Rows, ranks: Communicator) -> tuple[float, Array]:
    """A loss that needs all rows at once: every rank takes it of the gathered batch, and its rows' gradient."""
    y_true, y_pred = ranks.allgather_rows(rows.y_true), ranks.allgather_rows(rows.y_pred)
    weight = None if rows.weight is None else ranks.allgather_rows(rows.weight)
    value, gradient = loss.mean_and_gradient(y_true, y_pred, weight, rows.batch.global_rows, float)
    first = rows.batch.first_row
    return value / ranks.size, gradient[first : first + len(rows.y_pred)]
