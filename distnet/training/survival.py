"""How a ``fit`` goes on when ranks die: those left agree on where it stands, and take the interrupted step again.

Every rank holds all of the model and its optimizer's slots, and updates them once the step's sum is complete. So a
step that a death interrupts has changed nothing but what layers and metrics change in a forward pass, of which each
rank keeps a copy. Some ranks may have completed what others have not: all take the state of the rank that came
furthest. Then ``fit`` goes on as from a checkpoint of that moment, with the rows divided among the ranks that are left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from distnet.callbacks.base import STATE, Callback
from distnet.comm import Communicator
from distnet.data.generator_source import GeneratorSource
from distnet.distribution import is_elastic
from distnet.errors import CommunicationError, LostRanksError
from distnet.layers.engine.tracking import states_of_metrics
from distnet.layers.recurrent.kept_states import stateful_layers
from distnet.logs import NamedLogs
from distnet.optimizers.changed_settings import changes
from distnet.parallel.replica_slots import HeldSlots, optimizers_of, slots_of
from distnet.training.cursor import Cursor
from distnet.training.epoch_counts import count_on, counted
from distnet.training.hooks import Hooks
from distnet.training.resumption import Resumption
from distnet.training_state import Progress, Told
from distnet.types import Array, Json

_STOPS = ("stop_training", "stop_evaluating", "stop_predicting")


class ElasticTraining(Protocol):
    """A training, as its survival sees it."""

    ranks: Communicator
    model: Any
    fit: Any
    data: Any
    steps: Any
    totals: Any
    hooks: Hooks
    cursor: Cursor
    logs: dict[str, Any]
    length: int | None

    def observe(self) -> Progress: ...

    def make_steps(self) -> Any: ...


@dataclass(frozen=True)
class _Standing:
    """What a rank has of a training, besides arrays.

    Args:
        progress: where it stands; with the states of callbacks, as far as the rank knows them.
        is_told: whether the hook of that moment was called.
        length: batches of an epoch.
        stops: the model's flags.
        record: the model's training state.
        metrics: states of those that layers have.
        optimizers: numbers and settings of each.
        variables: shapes of all, which follow.
        slots: which follow the variables.
        shared: see ``Hooks.shared``.
    """

    progress: Progress
    is_told: bool
    length: int | None
    stops: tuple[bool, ...]
    record: Told
    metrics: Sequence[Any]
    optimizers: Sequence[tuple[Mapping[str, float], Mapping[str, Json]]]
    variables: Sequence[tuple[tuple[int, ...], str]]
    slots: HeldSlots
    shared: Sequence[Any]


class NoSurvival:
    """The training ends where a rank dies."""

    is_on: ClassVar[bool] = False

    def run(self, train: Callable[[], None]) -> None:
        """Train."""
        train()

    def begin(self) -> None:
        """A step begins; where no rank may die, it need not be said."""

    def end_step(self) -> None:
        """A step is done, in which every rank took part; as ``begin``."""

    def repeatable(self) -> AbstractContextManager[None]:
        """What is done within the block is done once."""
        return nullcontext()

    def keep(self) -> None:
        """What is drawn from the data from here on may be drawn again."""


class Survival(NoSurvival):
    """What one rank does so that a training outlives other ranks, or this one.

    Args:
        training: whose ranks may die.
    """

    is_on: ClassVar[bool] = True

    def __init__(self, training: ElasticTraining) -> None:
        self.training = training
        self._has_callbacks = training.ranks.rank == 0
        self._undo: list[Callable[[], None]] = []
        self._seen: object = None
        self._kept: list[Any] = []
        self._metrics: list[Any] = []

    def run(self, train: Callable[[], None]) -> None:
        """Train to the end, on the ranks that are left at any time.

        Args:
            train: trains from the moment at which the training's cursor is.

        Raises:
            CommunicationError: those left cannot go on.
        """
        is_interrupted = False
        while True:
            try:
                if is_interrupted:
                    self._go_on()
                train()
                self.training.ranks.settle()
                return
            except LostRanksError:
                is_interrupted = True

    def begin(self) -> None:
        """From here on code runs that may be interrupted, and is then run again: remember what it may change."""
        training, model = self.training, self.training.model
        if self._seen is not training.steps.store:  # looking for them takes longer than copying them
            self._seen = training.steps.store
            self._kept = [v for v in model.variables if not v.trainable or not training.steps.updates_at_end]
            self._kept += [state for layer in stateful_layers(model) for state in layer.states]
            self._metrics = [metric for metric, _ in states_of_metrics(model)]
        values = [(variable, variable.value.copy()) for variable in self._kept]
        self._undo = [lambda: _put_back(values)]
        metrics = [(metric, metric.get_state()) for metric in self._metrics]
        totals, so_far = training.totals, counted(training.totals)

        def put_back() -> None:
            for metric, state in metrics:
                metric.set_state(state)
            count_on(totals, so_far)

        self._undo.append(put_back)
        if not training.steps.updates_at_end:
            self._undo.append(_optimizers_as_they_are(model))

    def end(self) -> None:
        """It has run to its end."""
        self._undo = []

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """What is done within the block is done again if a rank dies meanwhile."""
        self.begin()
        yield
        self.end()

    def keep(self) -> None:
        """What is drawn from the data from here on may be drawn again."""
        for source in (self.training.fit.train, self.training.fit.validation):
            if source is not None:
                source.keep()

    def end_step(self) -> None:
        """A step is done, in which every rank took part."""
        self.end()
        self.training.hooks.forget_shared()

    def _go_on(self) -> None:
        """Be where the rank is that came furthest, and make ready for other numbers of ranks and rows."""
        training = self.training
        for undo in self._undo:
            undo()
        self.end()
        before, rank = training.ranks.size, training.ranks.rank
        numbers = training.ranks.survive()
        self._tell(before, numbers)
        self._check_sources()
        standing = self._aligned()
        callbacks = len(training.hooks.callbacks.callbacks)
        metrics = states_of_metrics(training.model)
        training.cursor = Cursor.at(standing.progress, standing.is_told, metrics, callbacks)
        for source, drawn in zip((training.fit.train, training.fit.validation), standing.progress.drawn, strict=True):
            if source is not None:
                source.skip(drawn)
        training.data.begin_anew()
        training.steps = training.make_steps()
        if training.ranks.rank == 0 and not self._has_callbacks:
            self._take_over(standing.progress, rank)
        training.hooks.share_again()

    def _tell(self, before: int, numbers: Sequence[int]) -> None:
        if self.training.ranks.rank == 0:
            dead = sorted(set(range(before)) - set(numbers))
            logging.getLogger("distnet").warning(
                "distnet: rank%s %s of %d died. Training goes on with %d; formerly rank %s.",
                "s" * (len(dead) > 1), ", ".join(map(str, dead)), before, len(numbers), ", ".join(map(str, numbers)),
            )  # fmt: skip

    def _check_sources(self) -> None:
        """Fail if the batches that are to come were rank 0's alone.

        Raises:
            CommunicationError: they were, and it died.
        """
        if any(self.training.ranks.allgather_object(self._has_callbacks)):
            return
        for what, source in (("x", self.training.fit.train), ("validation_data", self.training.fit.validation)):
            if isinstance(source, GeneratorSource):
                raise CommunicationError(
                    f"{what}: expected batches that every rank can read, received a generator, from which rank 0 "
                    "alone had drawn; rank 0 died. Give arrays or a keras.utils.PyDataset, whose batches have "
                    "numbers; or go on from a backup: fit(..., callbacks=[BackupAndRestore(folder)])."
                )

    def _aligned(self) -> _Standing:
        """Have the replica of the rank that came furthest, all of it or nothing; return what it has besides arrays.

        What follows the ranks' positions is as that rank says, so that all take part in the same messages.
        """
        training, ranks = self.training, self.training.ranks
        positions = ranks.allgather_object(training.cursor.position)
        leader = positions.index(max(positions))
        standing = ranks.broadcast_object(self._standing() if ranks.rank == leader else None, leader)
        if standing is None:
            raise CommunicationError(f"rank {ranks.rank}: rank {leader} does not say where it stands.")
        differ = any(position != positions[leader] for position in positions)
        received = self._received(standing, leader) if differ else []
        if ranks.rank != leader:
            if differ:
                self._take_arrays(standing, received)
            self._take(standing)
        return standing

    def _received(self, standing: _Standing, leader: int) -> list[Array]:
        """The arrays of the rank that came furthest, in memory of their own."""
        ranks = self.training.ranks
        if ranks.rank == leader:
            own = [*(variable.value for variable in self._variables()), *slots_of(self.training.model)]
            arrays = [np.ascontiguousarray(array) for array in own]
        else:
            arrays = [*(np.empty(shape, dtype) for shape, dtype in standing.variables), *standing.slots.empty()]
        for array in arrays:
            ranks.broadcast(array, leader)
        return arrays

    def _take_arrays(self, standing: _Standing, received: Sequence[Array]) -> None:
        """Have the arrays of the rank that came furthest.

        Raises:
            CommunicationError: this rank's model has other variables.
        """
        variables = self._variables()
        shapes = [(variable.shape, variable.dtype.str) for variable in variables]
        if shapes != list(standing.variables):
            raise CommunicationError(
                f"rank {self.training.ranks.rank}: a rank died, and the ranks that are left have models of different "
                f"variables: expected {len(standing.variables)}, received {len(shapes)}, or others of other shapes. "
                "Build the model before fit, so that no step makes variables."
            )
        for variable, value in zip(variables, received, strict=False):
            variable.value[...] = value
        standing.slots.take(self.training.model, received[len(variables) :])

    def _variables(self) -> list[Any]:
        """All that a replica holds, besides slots; in the same order on every rank."""
        model = self.training.model
        return [*model.variables, *(state for layer in stateful_layers(model) for state in layer.states)]

    def _standing(self) -> _Standing:
        training, model = self.training, self.training.model
        hooks = training.hooks
        moment, is_told = training.cursor.position
        records = hooks.records() if self._has_callbacks else hooks.records_told
        progress = replace(training.observe(), moment=moment, callbacks=records, **counted(training.totals))
        return _Standing(
            progress,
            is_told,
            training.length,
            tuple(getattr(model, name) for name in _STOPS),
            model.training_state.told(),
            [of_metric for _, of_metric in states_of_metrics(model)],
            [(dict(optimizer.scalars), optimizer.settings()) for optimizer in optimizers_of(model)],
            [(variable.shape, variable.dtype.str) for variable in self._variables()],
            HeldSlots.of(model),
            hooks.shared(),
        )

    def _take(self, standing: _Standing) -> None:
        """Be as the rank is that came furthest."""
        training, model = self.training, self.training.model
        training.length, training.logs = standing.length, NamedLogs(standing.progress.logs)
        for name, value in zip(_STOPS, standing.stops, strict=True):
            setattr(model, name, value)
        model.training_state.take(standing.record)
        for (metric, _), state in zip(states_of_metrics(model), standing.metrics, strict=True):
            metric.set_state(state)
        for optimizer, (scalars, settings) in zip(optimizers_of(model), standing.optimizers, strict=True):
            optimizer.scalars = dict(scalars)
            optimizer.configure(changes(optimizer.settings(), settings))
        training.hooks.take(standing.shared)
        count_on(training.totals, counted(standing.progress))
        training.cursor = Cursor.at(standing.progress, standing.is_told, (), 0)

    def _take_over(self, progress: Progress, rank: int) -> None:
        """Go on with the callbacks, which were rank 0's."""
        training, hooks = self.training, self.training.hooks
        hooks.attach(training.model.history.params)
        told = [i for i, callback in enumerate(hooks.callbacks.callbacks) if _tells_its_state(callback)]
        hooks.call("on_train_begin", only=told)  # the others have what rank 0 shared of their attributes
        Resumption("rank 0, which died", progress).hand_out(hooks.callbacks)
        self._has_callbacks = True
        others = [type(c).__name__ for i, c in enumerate(hooks.callbacks.callbacks) if i not in told]
        logging.getLogger("distnet").warning(
            "distnet: this is rank 0 now, formerly rank %d, and goes on with the callbacks%s.",
            rank,
            f"; of {', '.join(others)} it knows the attributes that can be pickled, as of the last epoch"
            if others
            else "",
        )


def survival_of(training: ElasticTraining) -> NoSurvival:
    """What lets this training outlive ranks, if that is wanted and MPI can."""
    return Survival(training) if is_elastic() and training.ranks.can_survive else NoSurvival()


def _put_back(values: Sequence[tuple[Any, Array]]) -> None:
    for variable, value in values:
        variable.value[...] = value


def _optimizers_as_they_are(model: Any) -> Callable[[], None]:
    """What makes the model's optimizers again what they are now."""
    held, values = HeldSlots.of(model), [slot.copy() for slot in slots_of(model)]
    numbers = [(dict(optimizer.scalars), optimizer.settings()) for optimizer in optimizers_of(model)]

    def put_back() -> None:
        held.take(model, values)
        for optimizer, (scalars, settings) in zip(optimizers_of(model), numbers, strict=True):
            optimizer.scalars = dict(scalars)
            optimizer.configure(changes(optimizer.settings(), settings))

    return put_back


def _tells_its_state(callback: Any) -> bool:
    """Whether another rank can go on with it: it is distnet's, or says what it has to know."""
    kind = type(callback)
    if kind.__module__.startswith("distnet."):
        return True
    has_own = getattr(kind, "get_state", Callback.get_state) is not Callback.get_state
    return has_own or any(field.metadata == STATE for field in getattr(kind, "__dataclass_fields__", {}).values())
