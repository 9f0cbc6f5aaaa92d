"""Batches run forward: predicted, and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import ClassVar

import numpy as np

from distnet import kernels
from distnet.assignments import settings
from distnet.comm import Communicator
from distnet.comm.subnormals import flushed
from distnet.data.batch import Batch, Places
from distnet.errors import DataError
from distnet.layers.engine.calling import forget_penalties
from distnet.layers.engine.context import ForwardContext, Workspaces
from distnet.parallel.global_draws import GlobalDraws
from distnet.parallel.step_checks import StepChecks
from distnet.timeline import Timeline
from distnet.training.objective import Objective
from distnet.training.read_in_steps import may_draw
from distnet.training.run_model import RunModel
from distnet.training.runs import NOTHING, Runs
from distnet.types import Array, DType


class Steps:
    """Runs batches through a model, each rank its rows.

    Args:
        model: built.
        communicator: the ranks that take part.
    """

    updates_at_end: ClassVar[bool] = True
    """Whether a step changes weights and optimizer only once nothing more is asked of the other ranks."""

    def __init__(self, model: RunModel, communicator: Communicator) -> None:
        self.model = model
        self.communicator = communicator
        self.workspaces = Workspaces()
        """Memory and facts that every step uses again."""
        self.kernels = kernels.current()
        self.dtype = np.dtype(model.dtype)
        self._as_they_are: dict[int, DType] = {}
        """Inputs and the latest dtypes in which the model takes them."""
        self.timeline: Timeline | None = None
        """Where layers' calls are to be intervals, if a profile is made."""
        self.settings_met = settings()
        """How often arguments of layers had been set, by others than the layers themselves, when they last ran."""
        self._of_own_rows = self._runs_forward(self._own_context)
        self._of_shared_rows = self._runs_forward(self._shared_context)
        self._measured = self._runs_forward(self._measured_context)
        self.checks = StepChecks(communicator)
        self.draws = GlobalDraws() if communicator.size > 1 and may_draw(model) else None
        forget_penalties(model.layers)

    @flushed
    def forward(
        self, x: Sequence[Array], first_row: int = 0, places: Places = None, global_rows: int | None = None
    ) -> list[Array]:
        """Outputs in inference mode; they are workspaces. For the other arguments see ``Batch``.

        Args:
            global_rows: None where the rows are no part of a batch that other ranks share.
        """
        inputs = self._inputs(x)
        rows = (0, len(inputs[0])) if global_rows is None else (first_row, global_rows)
        runs = self._of_own_rows if global_rows is None else self._of_shared_rows
        self._begin_draws()
        try:
            y = runs.of(Batch((), (), (), *rows), inputs).forward(inputs, self.model.training_state.step).y
        except DataError as error:
            raise naming_the_row(error, first_row, places) from None
        self._end(runs)
        return list(y)

    @flushed
    def test(self, batch: Batch, objective: Objective) -> tuple[float, Array]:
        """This rank's part of the loss and of the sums of what is measured, in inference mode."""
        batch = self._in_dtype(batch)
        inputs, runs = self._inputs(batch.x), self._measuring(objective)
        self._begin_draws()
        run = runs.of(batch, inputs)
        try:
            evaluated = run.evaluate(batch, run.forward(inputs, self.model.training_state.step))
        except DataError as error:
            raise naming_the_row(error, batch.first_row, batch.places) from None
        self._end(runs)
        return evaluated.loss + run.penalty, evaluated.sums

    @property
    def nbytes(self) -> int:
        """Of the memory that every step uses again."""
        return self.workspaces.nbytes

    @property
    def plans(self) -> list[Runs]:
        """The runs that make plans."""
        return [self._of_own_rows, self._of_shared_rows, self._measured]

    @property
    def drawn(self) -> int:
        """The checksum of the states in which steps drew from global generators; 0 where they did not."""
        return 0 if self.draws is None else self.draws.checksum

    def _begin_draws(self) -> None:
        if self.draws is not None:
            self.draws.begin()

    def _end_draws(self) -> None:
        if self.draws is not None:
            self.draws.end()

    def forget_draws(self) -> None:
        """Begin anew, with ranks that may have met an error at different places."""
        if self.draws is not None:
            self.draws.forget()

    def _end(self, runs: Runs) -> None:
        self._end_draws()
        runs.end_step()
        self.settings_met = settings()

    def regularization(self) -> float:
        """The penalties of the regularized weights that are trained now, whether or not they are laid out for it."""
        return sum(v.regularizer.value(v.value) for v in self.model.trainable_weights if v.regularizer)

    def weights_in_place(self) -> AbstractContextManager[None]:
        """Within the block, which trains, the ranks of a node may share the trainable weights."""
        return nullcontext()

    def _runs_forward(self, context: Callable[[Batch], ForwardContext], objective: Objective = NOTHING) -> Runs:
        return Runs(self.model, self.workspaces, context, objective, self.communicator, False)

    def _measuring(self, objective: Objective) -> Runs:
        """What runs batches to be measured by this objective: what ran the last ones, if it is the same."""
        if self._measured.objective is not objective:
            self._measured = self._runs_forward(self._measured_context, objective)
        return self._measured

    def _own_context(self, batch: Batch) -> ForwardContext:
        return replace(self._shared_context(batch), is_spread=False)

    def _shared_context(self, batch: Batch) -> ForwardContext:
        return self._context(False, batch.first_row, batch.global_rows)

    def _measured_context(self, batch: Batch) -> ForwardContext:
        return self._context(False, batch.first_row, batch.global_rows, self._measured.objective.wanted_logits)

    def _context(
        self, training: bool, first_row: int, global_rows: int, logits: frozenset[int] = frozenset()
    ) -> ForwardContext:
        state, sum_over_ranks = self.model.training_state, self.communicator.allreduce
        return ForwardContext(
            training, state.seed, state.step, first_row, global_rows, self.workspaces, sum_over_ranks, logits=logits,
            is_recorded=training, wanted=frozenset(), kernels=self.kernels, is_spread=self.communicator.size > 1,
            timeline=self.timeline,
        )  # fmt: skip

    def _inputs(self, x: Sequence[Array]) -> list[Array]:
        """The rows in the model's dtype."""
        inputs, as_they_are = [], self._as_they_are
        for i, given in enumerate(x):
            if i in as_they_are and given.dtype == as_they_are[i]:
                inputs.append(given)
                continue
            rows = self.model.as_declared(i, given)
            keeps = rows.dtype.kind == "O" or (rows.dtype.kind in "iu" and self.model.input_takes_integers(i))
            if rows.dtype != self.dtype and not keeps:
                rows = self._cast(i, rows)
            if rows is given:
                as_they_are[i] = given.dtype
            inputs.append(rows)
        return inputs

    def _cast(self, i: int, rows: Array) -> Array:
        """In the model's dtype, in memory used again where no code of the user's own may keep the rows."""
        if not self._measured.may_plan:
            return rows.astype(self.dtype)
        cast = self.workspaces.get((i,), "input", rows.shape, self.dtype)
        cast[...] = rows
        return cast

    def _in_dtype(self, batch: Batch) -> Batch:
        """Targets and weights of floating point in the model's dtype, so that nothing is promoted."""
        dtype = self.dtype
        others = [a for a in batch.y if a.dtype != dtype and a.dtype.kind in "fb"]
        if not others and all(w is None or w.dtype == dtype for w in batch.weight):
            return batch
        y = tuple(a.astype(dtype, copy=False) if a.dtype.kind in "fb" else a for a in batch.y)
        weight = tuple(None if w is None else w.astype(dtype, copy=False) for w in batch.weight)
        return replace(batch, y=y, weight=weight)


def naming_the_row(error: DataError, first_row: int, places: Places) -> DataError:
    """The error, which says where its row lies: in the data, or else in the global batch."""
    if error.row is None:
        return error
    row, whole = first_row + error.row, "the global batch"
    if places is not None:
        row, whole = int(places[error.row]), "the data"
    return DataError(f"{error} It is row {row} of {whole}.")
