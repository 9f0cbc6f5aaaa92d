"""How far a training has come: what a checkpoint needs besides weights and optimizer.

Nothing here depends on the number of ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from distnet import addresses
from distnet.arguments import is_number
from distnet.logs import NamedLogs
from distnet.types import Array, Json


class Stage(IntEnum):
    """What a ``fit`` does once so many batches of an epoch are done, in this order: calls hooks, mostly."""

    START = 0
    BEGIN = 1
    BATCH_END = 2
    BATCH_BEGIN = 3
    VALIDATION = 4
    END = 5
    AFTER = 6


class Moment(NamedTuple):
    """A moment of a ``fit``; later ones are greater.

    Args:
        epoch: its number, from 0.
        batches: of the epoch that are done.
        stage: what is being done then.
    """

    epoch: int
    batches: int
    stage: Stage

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        return self._order < Moment(*other)._order

    def __gt__(self, other: tuple[Any, ...]) -> bool:
        return self._order > Moment(*other)._order

    def __le__(self, other: tuple[Any, ...]) -> bool:
        return self._order <= Moment(*other)._order

    def __ge__(self, other: tuple[Any, ...]) -> bool:
        return self._order >= Moment(*other)._order

    @property
    def _order(self) -> tuple[int, bool, int, Stage]:
        return self.epoch, self.stage == Stage.AFTER, self.batches, self.stage  # after all batches, though it says 0

    @property
    def is_within_epoch(self) -> bool:
        """Whether going on from here needs the epoch's remaining batches, or its sums."""
        return Stage.BEGIN < self.stage < Stage.END


@dataclass(frozen=True)
class CallbackRecord:
    """What is kept of a callback.

    Args:
        name: of its class.
        is_pending: whether the hook under way has yet to be called on it.
        state: as its ``get_state`` gave it; empty where it has none.
    """

    name: str
    is_pending: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Where a ``fit`` stood.

    Args:
        moment: where it goes on.
        facts: what the place in the epoch depends on, by name: rows, batch size ...
        drawn: batches and epochs taken so far from the training's source, then from the validation's.
        loss_rows, rows, sums: the epoch's running loss and metrics.
        latest: what the model's own ``train_step`` returned last; None where it has none, and in older files.
        metrics: within an epoch, what metrics that are attributes had come to, by path; a validation has its own.
        logs: of the last epoch, as they were handed to the hook under way.
        is_stopped: whether a callback has asked to stop.
        is_whole: False after an interruption within a step: weights and optimizer may be of different steps.
        optimizer: what callbacks changed of its configuration.
        callbacks: in the order in which they are called.
    """

    moment: Moment
    facts: Mapping[str, Json]
    drawn: tuple[tuple[int, int], tuple[int, int]]
    loss_rows: float = 0.0
    rows: int = 0
    sums: Array = field(default_factory=lambda: np.zeros(0))
    latest: Mapping[str, float | list[float]] | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, float | list[float]] = field(default_factory=dict)
    is_stopped: bool = False
    is_whole: bool = True
    optimizer: Mapping[str, Json] = field(default_factory=dict)
    callbacks: tuple[CallbackRecord, ...] = ()

    def steps_of_epoch(self, given: int | None) -> int | None:
        """The batches of an epoch: as given, else as many as the training had found, if it had."""
        known = self.facts.get("steps")
        return known if given is None and isinstance(known, int) else given


class Told(NamedTuple):
    """What one rank tells the others of its ``TrainingState``."""

    step: int
    fits: int
    epochs: list[int]
    history: dict[str, list[float | list[float]]]
    of_last_epoch: set[str]


@dataclass
class TrainingState:
    """How far a model's training has come.

    Args:
        seed: first word of every random address of this model's training.
        step: number of training steps so far; the addresses of dropout masks contain it.
        epochs: numbers of the completed epochs of the current ``fit``, from 0.
        history: for each key of the logs its value after each of these epochs.
        fits: number of calls of ``fit`` that came to their end.
        progress: where the last ``fit`` stood when it ended or was saved; None where there was none.
        observe: says where the ``fit`` stands that is under way, and changes nothing.
        shards: fixed blocks of rows (``reproducible_shards``) of the last ``fit``; None where it had none.
        errors: how many errors the ranks had left behind them when the model was last used; None before that.
    """

    seed: int = field(default_factory=addresses.job_seed)
    step: int = 0
    epochs: list[int] = field(default_factory=list)
    history: dict[str, list[float | list[float]]] = field(default_factory=NamedLogs)
    fits: int = 0
    progress: Progress | None = None
    shards: int | None = None
    observe: Callable[[], Progress] | None = field(default=None, repr=False, compare=False)
    errors: int | None = field(default=None, init=False, repr=False, compare=False)
    _of_last_epoch: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.progress is not None and self.progress.moment.stage is Stage.END:
            self._of_last_epoch.update(self.progress.logs)

    def begin_record(self, is_resumed: bool) -> None:
        """A new record, unless a training is resumed.

        Programs that train on with ``initial_epoch`` join the two histories themselves, as Keras's do. The lists are
        copies: the ``History`` of the training before keeps what it was.
        """
        self.epochs = list(self.epochs) if is_resumed else []
        self.history = {key: list(values) for key, values in self.history.items()} if is_resumed else {}

    def record(self, epoch: int, logs: Mapping[str, float | list[float]]) -> None:
        """Enter an epoch's logs, or enter them anew where the epoch is the last one recorded."""
        if not self.epochs or self.epochs[-1] != epoch:
            self.epochs.append(epoch)
            self._of_last_epoch.clear()
        for key, value in logs.items():
            values, logged = self.history.setdefault(key, []), _as_logged(value)
            if values and key in self._of_last_epoch:
                values[-1] = logged
            else:
                values.append(logged)
        self._of_last_epoch.update(logs)

    def told(self) -> Told:
        """How far training has come, to be sent."""
        return Told(self.step, self.fits, self.epochs, self.history, self._of_last_epoch)

    def take(self, told: Told) -> None:
        """Be as another rank's: in place, for the training's ``History`` is this record."""
        self.step, self.fits = told.step, told.fits
        self.epochs[:] = told.epochs
        self.history.clear()
        self.history.update(told.history)
        self._of_last_epoch.clear()
        self._of_last_epoch.update(told.of_last_epoch)

    def history_at(self, progress: Progress | None) -> dict[str, list[float | list[float]]]:
        """The history, with what callbacks have added to the logs of an epoch that ends."""
        if progress is None or progress.moment.stage is not Stage.END:
            return self.history
        return {**self.history, **self._with(progress.logs)}

    def _with(self, logs: Mapping[str, float | list[float]]) -> dict[str, list[float | list[float]]]:
        """The values of these keys over all epochs, where the last epoch has these logs."""
        recorded = dict(self.history)  # which knows a key by no other name
        before = {key: recorded.get(key, []) for key in logs}
        kept = {key: values[:-1] if key in self._of_last_epoch else values for key, values in before.items()}
        return {key: [*values, _as_logged(logs[key])] for key, values in kept.items()}

    def now(self) -> Progress | None:
        """Where the ``fit`` stands that is under way, or where the last one ended."""
        return self.progress if self.observe is None else self.observe()


def _as_logged(value: Any) -> Any:
    """A number as float, an array as list; a callback may add anything else that JSON has."""
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray):
        return value.tolist()
    return float(value) if is_number(value) else value
