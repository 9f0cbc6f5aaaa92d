"""One step of training: forward, loss, backward, one sum over all ranks, update."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from distnet.comm import Communicator
from distnet.comm.subnormals import flushed
from distnet.data.batch import Batch
from distnet.distribution import compression_for, distribution, is_elastic
from distnet.errors import DataError
from distnet.layers import Layer
from distnet.layers.engine.context import ForwardContext, Settle
from distnet.parallel.exchange import Control, Exchange, StepSums
from distnet.parallel.slices import exchange_of
from distnet.training.forward_steps import Steps, naming_the_row
from distnet.training.objective import Objective
from distnet.training.penalties import Penalties
from distnet.training.ready_optimizer import ready_optimizer
from distnet.training.run_model import RunModel
from distnet.training.runs import Runs
from distnet.types import Array


class GradientSteps(Steps):
    """Runs batches forward and backward.

    Args:
        model: built and compiled; its weights and gradients are laid out for the step's message.
        objective: what to minimize and measure.
        communicator: the ranks that take part.
    """

    sums: StepSums
    """This rank's, which travel behind the gradient."""
    runs: Runs

    def __init__(self, model: RunModel, objective: Objective, communicator: Communicator) -> None:
        super().__init__(model, communicator)
        self.objective = objective
        self._taken_as_it_is: object = None
        """The form of batches whose arrays are in the model's dtypes."""

    def prepare(self, message: Array, settle: Settle | None = None) -> None:
        """Make ready to run batches.

        Args:
            message: where the gradients are, and behind them the sums.
            settle: is told, in the middle of the backward pass, of variables whose gradients are whole.
        """
        self.sums = StepSums(message[-StepSums.entries(self.objective.entries) :])
        self.runs = Runs(
            self.model, self.workspaces, self._training_context, self.objective, self.communicator, True, settle
        )

    @flushed
    def gradients(self, batch: Batch, control: Control) -> None:
        """Write this rank's part of the message: the gradients of its rows, and their sums."""
        self._write_gradients(batch, control)

    def _write_gradients(self, batch: Batch, control: Control) -> None:
        """``gradients``, where subnormal numbers already count as zero."""
        form, inputs = batch.form, cast("Sequence[Array]", batch.x)
        step = self.model.training_state.step
        if form is None or form is not self._taken_as_it_is:
            given, batch = batch, self._in_dtype(batch)
            inputs = self._inputs(batch.x)
            is_as_given = batch is given and all(a is b for a, b in zip(inputs, batch.x, strict=True))
            self._taken_as_it_is = form if is_as_given else None
        run = self.runs.of(batch, inputs)
        try:
            predicted = run.forward(inputs, step)
            evaluated = run.evaluate(batch, predicted)
        except DataError as error:
            raise naming_the_row(error, batch.first_row, batch.places) from None
        self.sums.write(evaluated.loss + run.penalty, evaluated.sums, control)
        run.backward(evaluated.gradients)
        self.runs.end_step()

    @property
    def plans(self) -> list[Runs]:
        """Those of training, too."""
        runs = vars(self).get("runs")
        return [*([] if runs is None else [runs]), *super().plans]

    def _training_context(self, batch: Batch) -> ForwardContext:
        return self._context(True, batch.first_row, batch.global_rows, self.objective.wanted_logits)


class TrainingSteps(GradientSteps):
    """Trains a model batch by batch.

    Args:
        model: built and compiled; its weights and gradients are laid out for the step's message.
        objective: what to minimize and measure.
        communicator: the ranks that take part.
    """

    def __init__(self, model: RunModel, objective: Objective, communicator: Communicator) -> None:
        super().__init__(model, objective, communicator)
        self.evaluated = objective
        self.store, self.optimizer = ready_optimizer(model)
        if communicator.size > 1:  # also alone on a node: all ranks must count the same collectives
            self._compile_kernels_once()
        self.distribution = distribution()
        self.penalties = Penalties(self.store, self.optimizer, self.communicator)
        self.exchange = self._exchange()
        self.buckets = self.exchange.buckets
        self.parts = self._parts()
        """What runs the rows of this rank: one part, or one for each of its fixed blocks of rows."""

    @flushed
    def train(self, batch: Batch, leave: bool = False, has_read: bool = False) -> StepSums:
        """Take one step; every rank calls this with its part of the same global batch.

        Args:
            leave: tell all ranks that the job must end.
            has_read: tell them that this rank has read all its data.

        Returns:
            The sums over the global batch, which the next step overwrites.
        """
        penalty, step = self.penalties.begin_step(), self.model.training_state.step
        told = batch.checksums if self.draws is None else (*self.draws.told, *batch.checksums)
        checks = self.checks.tell(told, self.optimizer, self.store.weights, step)
        self.buckets.begin_step()
        self._begin_draws()
        self._write_message(batch, Control(self.model.stop_training, leave, has_read, checks))
        self._end_draws()
        sums = self.exchange.sum_and_update(self.optimizer)
        self.checks.hear(sums.checks, step)
        sums.penalty = penalty
        self.model.training_state.step += 1
        return sums

    def _exchange(self) -> Exchange:
        """How messages are summed, whose memory the gradients move to."""
        compression = compression_for(self.model.name, self.dtype)
        finish, entries = self.penalties.finish, self.objective.entries
        return exchange_of(self.communicator, self.store, self.optimizer, entries, finish, compression, is_elastic())

    def _parts(self) -> Sequence[GradientSteps]:
        self.prepare(self.store.message, self.buckets.settle if self.buckets.are_several else None)
        return [self]

    def _write_message(self, batch: Batch, control: Control) -> None:
        self._write_gradients(batch, control)

    def weights_in_place(self) -> AbstractContextManager[None]:
        """They do where no code of the user's own runs on every rank, which could change them."""
        parts = self.model, self.optimizer, *self.model.layers
        may_share = self.communicator.local_size > 1 and all(_is_built_in(part) for part in parts)
        return self.exchange.weights_in_place() if may_share else nullcontext()

    def _compile_kernels_once(self) -> None:
        """Let one rank of each node compile the update; the others then load it from the disk."""
        if self.communicator.local_rank == 0:
            self.optimizer.rehearse(self.store.dtype)
        self.communicator.local_barrier()


def _is_built_in(part: Any) -> bool:
    """Whether a layer and those within it, a model, or an optimizer are of distnet's own classes."""
    within = part.inner_layers() if isinstance(part, Layer) else ()
    return type(part).__module__.startswith("distnet.") and all(_is_built_in(layer) for _, layer in within)
