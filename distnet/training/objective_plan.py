"""The objective of a planned step: loss, gradients and sums of batches whose predictions stand where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from distnet.comm import Communicator
from distnet.data.batch import Batch
from distnet.losses.alignment import per_row
from distnet.losses.ready import Ready
from distnet.metrics import Metric
from distnet.training.objective import Evaluated, MeasuredMetric, Objective, Prediction
from distnet.types import Array, DType, Shape

LossCall = Callable[[Array], float]
"""Of targets: writes the gradient where it stands, and returns this rank's part of the loss."""

SumsCall = Callable[[Array], tuple[float, ...]]
"""Of targets: what they add to a metric's sums."""


class ObjectivePlan:
    """Evaluates batches of one size, whose predictions always lie in the same arrays.

    What a loss or a metric can make ready (``Loss.ready``, ``Metric.ready``) is made ready once. Anything else, and
    batches with weights, are evaluated as always.

    Args:
        objective: what to minimize and measure.
        batch: the first one.
        predicted: what the model makes of each.
        ranks: who share the batches.
    """

    def __init__(self, objective: Objective, batch: Batch, predicted: Prediction, ranks: Communicator) -> None:
        self.objective, self.predicted, self.ranks = objective, predicted, ranks
        self._gradients: list[Array | None] = [None] * objective.outputs
        self._forms = _forms(batch)
        self._losses = self._ready_losses(batch) if self._is_plain(batch) else None
        self._metrics = [(m, m.part.start, self._ready_sums(m, batch)) for m in objective.metrics]
        self._sums = np.zeros(objective.entries)
        self._form: object = None
        """Of batches that are like the first."""

    def evaluate(self, batch: Batch) -> Evaluated:
        """As ``Objective.evaluate``; the next batch's gradients and sums are written to the same places."""
        if self._form is None or batch.form is not self._form:
            if self._losses is None or not self._is_like_the_first(batch):
                return self._standing(self.objective.evaluate(batch, self.predicted, self.ranks))
            self._form = batch.form
        values, total = [], 0.0
        for i, weight, measure in self._losses or ():
            value = measure(batch.y[i])
            values.append(value)
            total += value * weight
        return Evaluated(total, self._gradients, self._summed(batch, values))

    def _summed(self, batch: Batch, values: Sequence[float]) -> Array:
        """The sums of the losses one by one, and of the metrics."""
        sums = self._sums
        for measured in self.objective.measured_losses:
            sums[measured.part] = values[measured.number] * batch.global_rows, len(batch.x[0])
        for m, start, add in self._metrics:
            if add is None:
                self.objective.measure(m, batch, self.predicted, self.ranks, sums)
                continue
            for place, added in enumerate(add(batch.y[m.output]), start):
                sums[place] = added
        return sums

    def _is_plain(self, batch: Batch) -> bool:
        """Whether each row counts once, and each output has at most one loss, of its own targets."""
        outputs = [own.output for own in self.objective.losses]
        has_forms = any(own.form is not None for own in self.objective.losses)
        is_masked = any(mask is not None for mask in self.predicted.masks)
        return len(set(outputs)) == len(outputs) and not has_forms and not is_masked and _is_unweighted(batch)

    def _is_like_the_first(self, batch: Batch) -> bool:
        return _is_unweighted(batch) and _forms(batch) == self._forms

    def _ready_losses(self, batch: Batch) -> list[tuple[int, float, LossCall]] | None:
        """For each loss its output, its weight and its call; None unless all can be made ready."""
        calls: list[tuple[int, float, LossCall]] = []
        for own in self.objective.losses:
            i = own.output
            is_of_logits = i in self.predicted.logits
            loss = self.objective.of_logits[i] if is_of_logits else own.loss
            y_pred = self.predicted.logits[i] if is_of_logits else self.predicted.y[i]
            made = loss.ready(batch.y[i], y_pred) if loss.counts_rows_only and len(y_pred) else None
            if made is None:
                return None
            scale = 1.0 / loss.divisor(per_row(made.values), batch.global_rows)
            calls.append((i, own.weight, _scaled(made, scale, own.weight)))
            self._gradients[i] = made.slopes.reshape(y_pred.shape)
        return calls

    def _ready_sums(self, m: MeasuredMetric, batch: Batch) -> SumsCall | None:
        y_pred = self.predicted.y[m.output]
        return _ready(m.metric, batch.y[m.output], y_pred) if len(y_pred) else None

    def _standing(self, evaluated: Evaluated) -> Evaluated:
        """With the gradients where those of all batches are."""
        for i, gradient in enumerate(evaluated.gradients):
            place = self._gradients[i]
            if gradient is None:
                continue
            if place is None:
                self._gradients[i] = np.array(gradient)
            else:
                np.copyto(place, gradient)
        return Evaluated(evaluated.loss, self._gradients, evaluated.sums)


def _ready(metric: Metric, y_true: Array, y_pred: Array) -> SumsCall | None:
    return None if metric.sees_all_rows else metric.ready(y_true, y_pred)


def _is_unweighted(batch: Batch) -> bool:
    return all(weight is None for weight in batch.weight)


def _forms(batch: Batch) -> list[tuple[Shape, DType]]:
    return [(y.shape, y.dtype) for y in batch.y]


def _scaled(made: Ready, scale: float, weight: float) -> LossCall:
    """The call of a loss that is ready.

    Args:
        scale: by which values and slopes are multiplied.
        weight: of the loss among others, by which the slopes are multiplied then.
    """
    slopes, write = made.slopes, made.write
    factor, again = slopes.dtype.type(scale), None if weight == 1.0 else slopes.dtype.type(weight)
    add_up = partial(np.add.reduce, made.values, axis=None, dtype=np.float64)
    if made.values.ndim == 1 and made.values.dtype == np.float64:
        add_up = partial(np.add.reduce, made.values)  # the same sum, in half the time

    def measure(y_true: Array) -> float:
        write(y_true, factor)
        if again is not None:
            np.multiply(slopes, again, out=slopes)
        return float(add_up()) * scale

    return measure
