"""One step of training, and one of evaluation: forward, loss, backward, one sum over all ranks, update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from distnet.comm import Communicator
from distnet.data.batch import Batch, Places
from distnet.errors import DataError, NotCompiledError
from distnet.layers.engine.calling import forget_penalties
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.network import Network, lay_out
from distnet.optimizers import Optimizer
from distnet.parallel.exchange import Extra, extra_size
from distnet.parallel.slices import Messages
from distnet.training.objective import Objective, Prediction
from distnet.types import Array, DType
from distnet.variables import VariableStore


@dataclass(frozen=True)
class StepResult:
    """A global batch's loss, the sums of what is measured, whether a rank asked to stop, or must leave."""

    loss: float
    sums: Array
    stop: bool
    leave: bool


class Steps:
    """Runs batches through a model, each rank its rows.

    Args:
        model: built.
        communicator: the ranks that take part.
        workspaces: memory used again at each step.
    """

    def __init__(self, model: Network, communicator: Communicator) -> None:
        self.model = model
        self.communicator = communicator
        self.workspaces = Workspaces()
        forget_penalties(model.layers)

    def forward(self, x: Sequence[Array], first_row: int = 0, places: Places = None) -> list[Array]:
        """Outputs in inference mode; they are workspaces. For the other arguments see ``Batch``."""
        with _naming_the_row(first_row, places):
            return self.model.forward_batch(self._inputs(x), self._context(False, 0, len(x[0])))[0]

    def test(self, batch: Batch, objective: Objective) -> tuple[float, Array]:
        """This rank's part of the loss and of the sums of what is measured, in inference mode."""
        ctx = self._context(False, batch.first_row, batch.global_rows)
        batch = _in_dtype(batch, np.dtype(self.model.dtype))
        with _naming_the_row(batch.first_row, batch.places):
            ctx.logits = objective.wanted_logits
            y, tape = self.model.forward_batch(self._inputs(batch.x), ctx)
            found = objective.evaluate(batch, Prediction(y, tape.masks, tape.logits), self.communicator)
        return found.loss + tape.penalty, found.sums

    def regularization(self) -> float:
        """The penalties of all regularized weights."""
        return sum(v.regularizer.value(v.value) for v in self.model.variables if v.is_trained and v.regularizer)

    def _context(self, training: bool, first_row: int, global_rows: int) -> ForwardContext:
        state, sum_over_ranks = self.model.training_state, self.communicator.allreduce
        return ForwardContext(training, state.seed, state.step, first_row, global_rows, self.workspaces, sum_over_ranks)

    def _inputs(self, x: Sequence[Array]) -> list[Array]:
        """The rows in the model's dtype, in memory used again."""
        dtype = np.dtype(self.model.dtype)
        inputs = []
        for i, given in enumerate(x):
            rows = self.model.as_declared(i, given)
            if rows.dtype != dtype and not (rows.dtype.kind in "iu" and self.model.input_takes_integers(i)):
                cast = self.workspaces.get((i,), "input", rows.shape, dtype)
                cast[...] = rows
                rows = cast
            inputs.append(rows)
        return inputs


class TrainingSteps(Steps):
    """Trains a model batch by batch.

    Args:
        model: built and compiled; its weights and gradients are laid out for the step's message.
        objective: what to minimize and measure.
        communicator: the ranks that take part.
    """

    def __init__(self, model: Network, objective: Objective, communicator: Communicator) -> None:
        super().__init__(model, communicator)
        self.objective = objective
        messages = Messages(communicator)
        self.store, self.optimizer = _ready_optimizer(model, extra_size(objective.entries), messages)
        if communicator.local_size > 1:
            self._compile_kernels_once()
        self.reduction = messages.reduction(self.store, self.optimizer)

    def train(self, batch: Batch, leave: bool = False) -> StepResult:
        """Take one step; every rank calls this with its part of the same global batch.

        Args:
            leave: tell all ranks that the job must end.
        """
        state = self.model.training_state
        batch = _in_dtype(batch, self.store.dtype)
        ctx = self._context(True, batch.first_row, batch.global_rows)
        with _naming_the_row(batch.first_row, batch.places):
            ctx.logits = self.objective.wanted_logits
            y, tape = self.model.forward_batch(self._inputs(batch.x), ctx)
            found = self.objective.evaluate(batch, Prediction(y, tape.masks, tape.logits), self.communicator)
        self.model.backward_batch(tape, found.gradients, BackwardContext(self.workspaces, self.communicator.allreduce))
        penalty = self._regularize()
        self._scale(self.optimizer.loss_scale)
        Extra(self.store.extra).write(found.loss + tape.penalty, found.sums, self.model.stop_training, leave)
        reduced = self.reduction.step(self.optimizer)
        state.step += 1
        return StepResult(reduced.loss + penalty, reduced.sums, reduced.stop, reduced.leave)

    def _scale(self, factor: float | None) -> None:
        """Multiply the gradient as if the loss had been; what overflows is for the optimizer to see."""
        if factor is not None:
            scaled = self.store.gradients
            with np.errstate(over="ignore", invalid="ignore"):
                scaled *= self.store.dtype.type(factor)

    def _compile_kernels_once(self) -> None:
        """Let one rank of each node compile the update; the others then load it from the disk."""
        if self.communicator.local_rank == 0:
            self.optimizer.rehearse(self.store.dtype)
        self.communicator.local_barrier()

    def _regularize(self) -> float:
        """Add the penalties' gradients, that of each weight on one rank; return the penalties."""
        penalty = 0.0
        for i, span in enumerate(self.store.trainable()):
            variable = span.variable
            if variable.regularizer is not None:
                penalty += float(variable.regularizer.value(variable.value))
                if i % self.communicator.size == self.communicator.rank:
                    variable.grad += variable.regularizer.gradient(variable.value)
        return penalty


def _ready_optimizer(model: Network, extra: int, messages: Messages) -> tuple[VariableStore, Optimizer]:
    """Lay the variables out for training; the optimizer's state is made, or follows the variables.

    Raises:
        NotCompiledError: the model has no optimizer.
    """
    if model.optimizer is None:
        raise NotCompiledError(f"{model.name}: has no optimizer. Call compile(optimizer) before training.")
    old, new = model.store, lay_out(model, extra, messages)
    if old is not None and model.optimizer.built:
        model.optimizer.follow(old, new)
    else:
        model.optimizer.build(new)
    return new, model.optimizer


@contextmanager
def _naming_the_row(first_row: int, places: Places) -> Iterator[None]:
    """Within the block an error about a row says where it lies: in the data, or else in the global batch."""
    try:
        yield
    except DataError as error:
        if error.row is None:
            raise
        row, whole = first_row + error.row, "the global batch"
        if places is not None:
            row, whole = int(places[error.row]), "the data"
        raise DataError(f"{error} It is row {row} of {whole}.") from None


def _in_dtype(batch: Batch, dtype: DType) -> Batch:
    """Targets and weights of floating point in the model's dtype, so that nothing is promoted."""
    is_y_ready = all(a.dtype == dtype or a.dtype.kind not in "fb" for a in batch.y)
    if is_y_ready and all(w is None or w.dtype == dtype for w in batch.weight):
        return batch
    y = tuple(a.astype(dtype, copy=False) if a.dtype.kind in "fb" else a for a in batch.y)
    weight = tuple(None if w is None else w.astype(dtype, copy=False) for w in batch.weight)
    return replace(batch, y=y, weight=weight)
