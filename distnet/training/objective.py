"""What training minimizes and measures: losses and metrics, for outputs of known shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distnet.comm import Communicator
from distnet.data.batch import Batch
from distnet.losses import Loss
from distnet.metrics import Metric
from distnet.types import Array

Log = float | list[float]
"""One value of the logs: a number, or one number a class."""


@dataclass(frozen=True)
class MeasuredMetric:
    """A metric of one output.

    Args:
        key: its name in the logs.
        metric: gives sums and takes the result from them.
        output: number of the output it looks at.
        is_weighted: whether sample weights count.
        part: where its sums lie in the vector of all metrics' sums.
    """

    key: str
    metric: Metric
    output: int
    is_weighted: bool
    part: slice


@dataclass(frozen=True)
class Objective:
    """The loss, and the metrics, of a model with outputs of known shapes.

    Args:
        losses: one for each output.
        loss_weights: factor of each loss in the total.
        metrics: whose sums lie one behind the other.
    """

    losses: tuple[Loss, ...]
    loss_weights: tuple[float, ...]
    metrics: tuple[MeasuredMetric, ...]

    @property
    def metric_entries(self) -> int:
        """Total length of the metrics' sums."""
        return self.metrics[-1].part.stop if self.metrics else 0

    def loss_and_gradients(
        self, batch: Batch, y_pred: Sequence[Array], ranks: Communicator
    ) -> tuple[float, list[Array]]:
        """This rank's part of the global batch's loss, and its gradient with respect to each output."""
        total, gradients = 0.0, []
        for i, loss in enumerate(self.losses):
            part = _of_coupled_rows if loss.couples_rows and ranks.size > 1 else _of_own_rows
            value, gradient = part(loss, batch, i, y_pred[i], self.loss_weights[i], ranks)
            total += value
            gradients.append(gradient)
        return total, gradients

    def metric_sums(self, batch: Batch, y_pred: Sequence[Array]) -> Array:
        """(metric_entries,) float64: the sums over this rank's rows."""
        sums = np.zeros(self.metric_entries)
        for m in self.metrics:
            weight = batch.weight[m.output] if m.is_weighted else None
            sums[m.part] = m.metric.sums(batch.y[m.output], y_pred[m.output], weight)
        return sums


class Totals:
    """Running loss and metrics over global batches.

    The loss of a set of batches is their mean, each counted by its rows.

    Source: ``keras.Model.fit``'s loss tracker.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.loss_rows = 0.0
        self.rows = 0
        self.sums = np.zeros(objective.metric_entries)

    def add(self, loss: float, rows: int, metric_sums: Array) -> None:
        """Count a global batch of ``rows`` rows."""
        self.loss_rows += loss * rows
        self.rows += rows
        self.sums += metric_sums

    def reduce(self, communicator: Communicator) -> None:
        """Sum the ranks' parts; the rows counted are global already."""
        self.loss_rows, self.sums = over_all_ranks(communicator, self.loss_rows, self.sums)

    def logs(self) -> dict[str, Log]:
        """The loss and every metric so far, by key."""
        found: dict[str, Log] = {"loss": self.loss_rows / self.rows if self.rows else 0.0}
        for m in self.objective.metrics:
            result = np.asarray(m.metric.result_of(self.sums[m.part]), np.float64)
            found[m.key] = result.tolist()
        return found


def over_all_ranks(communicator: Communicator, loss: float, metric_sums: Array) -> tuple[float, Array]:
    """The sums of the ranks' parts of a loss and of metrics; one message."""
    message = np.concatenate(([loss], metric_sums))
    communicator.allreduce(message)
    return float(message[0]), message[1:]


def _of_own_rows(
    loss: Loss, batch: Batch, output: int, y_pred: Array, factor: float, ranks: Communicator
) -> tuple[float, Array]:
    """The loss of this rank's rows, divided by what the global batch counts."""
    y_true, weight = batch.y[output], batch.weight[output]
    count = None
    if not loss.counts_rows_only:
        counted = np.array([loss.count(y_true, y_pred, weight)])
        ranks.allreduce(counted)
        count = float(counted[0])
    per_row = loss.values_per_row(y_true, y_pred) if len(y_pred) else 1
    divisor = loss.divisor(per_row, batch.global_rows, count)
    return loss.sum_and_gradient(y_true, y_pred, weight, factor / divisor if divisor else 0.0)


def _of_coupled_rows(
    loss: Loss, batch: Batch, output: int, y_pred: Array, factor: float, ranks: Communicator
) -> tuple[float, Array]:
    """A loss that needs all rows at once: every rank takes it of the gathered batch, and its rows' gradient."""
    weight = batch.weight[output]
    y_true, y_all = ranks.allgather_rows(batch.y[output]), ranks.allgather_rows(y_pred)
    weights = None if weight is None else ranks.allgather_rows(weight)
    divisor = loss.divisor(0, batch.global_rows, loss.count(y_true, y_all, weights))
    value, gradient = loss.sum_and_gradient(y_true, y_all, weights, factor / divisor if divisor else 0.0)
    return value / ranks.size, gradient[batch.first_row : batch.first_row + len(y_pred)]
