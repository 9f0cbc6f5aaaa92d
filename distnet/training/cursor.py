"""Where a training stands, and where the file stood that it goes on from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Self

from distnet.training.epoch_counts import count_on, counted
from distnet.training.objective import Objective, Totals
from distnet.training.resumption import Resumption
from distnet.training_state import Moment, Progress, Stage, TrainingState


class Cursor:
    """The moment at which a training is; everything that a training does happens at one.

    Where it goes on from a file, what lies before the file's moment is left out, and the hook that was under way
    then is called on the callbacks whose turn was yet to come.

    Args:
        first_epoch: with which the training begins.
        start: where the file's training stood; None where there is no file, or one saved between epochs.
        metrics: as in ``Resumption``; an epoch that goes on begins with these states.

    Attributes:
        pending: numbers of the callbacks on which the hook of the file's moment has yet to be called.
        drawn: batches and epochs taken so far from the data to train on, then from the data to validate on.
        is_stepping: whether a step is being taken: weights and optimizer may be of different steps.
        is_told: whether the hook of this moment was called, or this rank knows all that it changed.
        was_told: the same of the moment that it goes on from.
    """

    def __init__(self, first_epoch: int, start: Progress | None, metrics: Sequence[tuple[Any, Any]] = ()) -> None:
        self.first_epoch = first_epoch
        self.start, self.metrics = start, metrics
        self.was_told = False
        self.move(first_epoch, 0, Stage.START)
        self._has_moved = False
        self.pending: Collection[int] = ()
        self.drawn = (0, 0), (0, 0)
        self.is_stepping = False

    @property
    def position(self) -> tuple[Moment, bool]:
        """The latest moment that this rank has come to, and whether its hook was called; later ones are greater."""
        if self.start is not None and (not self._has_moved or self.moment < self.start.moment):
            return self.start.moment, self.was_told
        return self.moment, self.is_told

    @classmethod
    def at(cls, progress: Progress, is_told: bool, metrics: Sequence[tuple[Any, Any]], callbacks: int) -> Self:
        """The cursor of a training that goes on where this process holds it.

        Args:
            is_told: whether the hook of that moment was called.
            callbacks: number of them.
        """
        moment = progress.moment
        cursor = cls(moment.epoch + (moment.stage is Stage.AFTER), progress, metrics)
        cursor.pending, cursor.was_told, cursor.drawn = range(0 if is_told else callbacks), is_told, progress.drawn
        return cursor

    @classmethod
    def of(cls, resumption: Resumption | None, state: TrainingState, initial_epoch: int) -> Self:
        """The cursor of a training that goes on from a file, or begins with ``initial_epoch``.

        Args:
            state: the model's, which is the file's where there is one.
        """
        if resumption is None:
            return cls(initial_epoch, None)
        start = resumption.progress
        if start is not None:
            return cls(start.moment.epoch + (start.moment.stage is Stage.AFTER), start, resumption.metrics)
        return cls(state.epochs[-1] + 1 if state.epochs else initial_epoch, None)

    def epochs(self, stop: int, is_stopped: bool) -> range:
        """The epochs before ``stop`` that are to be trained; none where the file's training had been stopped."""
        return range(self.first_epoch, self.first_epoch if is_stopped and self.starts_at(Stage.AFTER) else stop)

    def starts_at(self, stage: Stage) -> bool:
        """Whether there is a file, of a moment of this stage."""
        return self.start is not None and self.start.moment.stage is stage

    def comes_to(self, epoch: int, batches: int, stage: Stage) -> bool:
        """Whether the training has yet to do what it does at that moment: the file's is not later."""
        return self.start is None or Moment(epoch, batches, stage) >= self.start.moment

    def move(self, epoch: int, batches: int, stage: Stage) -> None:
        """Be at that moment."""
        self._at, self._has_moved = (epoch, batches, stage), True
        self.is_told = self.was_told and self.start is not None and self.moment == self.start.moment

    @property
    def moment(self) -> Moment:
        """Where the training is."""
        return Moment(*self._at)

    def move_to_the_end(self, epochs: Sequence[int]) -> None:
        """Be after the last of the epochs that are completed."""
        self.move(epochs[-1] if epochs else self.first_epoch - 1, 0, Stage.AFTER)

    @property
    def callbacks(self) -> Collection[int] | None:
        """Numbers of the callbacks on which the hook of this moment has yet to be called; None for all."""
        if self.start is None or self.moment > self.start.moment:
            return None
        return self.pending if self.moment == self.start.moment else ()

    def begin_epoch(self, epoch: int, objective: Objective) -> tuple[int, Totals]:
        """How many of the epoch's batches are done already, and the epoch's sums so far."""
        totals = objective.totals()
        if self.start is None or self.start.moment.epoch != epoch:
            return 0, totals
        if self.start.moment.is_within_epoch:
            for metric, state in self.metrics:
                metric.set_state(state)
            count_on(totals, counted(self.start))
        return self.start.moment.batches, totals
