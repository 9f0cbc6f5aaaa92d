"""Callbacks run on rank 0; what they change reaches the other ranks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from distnet.assignments import assignments, noting
from distnet.callbacks import CallbackList, ProgbarLogger
from distnet.callbacks.watched_model import WatchedModel
from distnet.comm import Communicator
from distnet.comm.scope import alone
from distnet.comm.work import at_work
from distnet.errors import ArgumentError, CommunicationError, LostRanksError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.tracking import kept_by
from distnet.layers.recurrent.kept_states import stateful_layers
from distnet.optimizers.base import Optimizer
from distnet.optimizers.changed_settings import changes
from distnet.saving import background
from distnet.training.changed_in_place import Compared, owners_of
from distnet.training.kept_by_callbacks import LONG_BYTES, SHORT_BYTES, KeptByCallbacks
from distnet.training.set_alone import Sent, SetAlone, layers_of, write
from distnet.training.told_before_steps import ToldBeforeSteps
from distnet.training_state import CallbackRecord
from distnet.types import Array, Json
from distnet.variables import Variable

_S = TypeVar("_S")


@dataclass(frozen=True)
class _Effects:
    """What rank 0's callbacks changed since the ranks last agreed."""

    stops: tuple[bool, bool, bool]
    optimizers: Mapping[str, Mapping[str, Json]]
    weights: bool
    set_alone: Sent
    read_in_steps: bytes
    logs: dict[str, Any]
    has_failed: bool
    records: tuple[CallbackRecord, ...] | None = None


class Hooks:
    """Calls the hooks of callbacks on rank 0, and keeps all ranks the same.

    Args:
        communicator: the ranks.
        model: what the callbacks may change.
        callbacks: on rank 0; the other ranks' are not called, unless rank 0 dies.
        when_applied: where ranks may die, is told rank 0's logs once this rank has what the callbacks changed.
    """

    def __init__(
        self,
        communicator: Communicator,
        model: WatchedModel,
        callbacks: CallbackList,
        when_applied: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.communicator, self._when_applied, self.is_elastic = communicator, when_applied, when_applied is not None
        self.model = model
        self.callbacks = callbacks
        follows = callbacks.follows_batches, callbacks.follows_test_batches, callbacks.follows_predict_batches
        given = [c for c in callbacks.callbacks if not isinstance(c, ProgbarLogger)]
        (self.follows_batches, self.follows_test_batches, self.follows_predict_batches), has_given = (
            communicator.broadcast_object((follows, bool(given)))
        )
        self._flag = np.zeros(1, np.int64)
        self._other_optimizers: dict[str, Optimizer] = {}
        self._settings: dict[str, Mapping[str, Json]] = {}
        self._layers: list[AbstractLayer] = []
        self._compared = Compared([], partial(write, layers=[]))
        self._kept: KeptByCallbacks | None = None
        self._told = ToldBeforeSteps(model, given, self._layers)
        if communicator.size > 1:
            others = kept_by(model, lambda value: isinstance(value, Optimizer) and value is not model.optimizer)
            self._other_optimizers = dict(others)
            self._settings = self._current_settings()
            self._look_for_layers()
            self._kept = KeptByCallbacks(communicator, given, self._layers) if has_given else None
        self._assigned_weights = False
        self._set_alone = SetAlone()
        self._error: BaseException | None = None
        self._shared: list[_Effects] = []
        self.records_told: tuple[CallbackRecord, ...] = ()
        """What rank 0 last told of its callbacks: when an epoch began or ended, or when they changed something."""

    @property
    def is_root(self) -> bool:
        """Whether callbacks run on this rank."""
        return self.communicator.rank == 0

    def attach(self, params: Mapping[str, Any]) -> None:
        """Hand every callback the model and the parameters."""
        if self.is_root:
            self.callbacks.attach(self.model, params)

    def call(self, hook: str, *args: Any, only: Collection[int] | None = None) -> None:
        """Call ``hook`` on rank 0, where evaluating, predicting and saving then concern that rank alone.

        An error is kept for the ``share`` that follows: all ranks raise it there, and a program may catch it and go on.

        Args:
            only: numbers of the callbacks to call it on; by default all.
        """
        if self.is_root and self._error is None:
            background.report()
            at_work(hook)
            if not self.callbacks.callbacks:
                return
            if self.communicator.size == 1:
                with alone(self.model):
                    self.callbacks.call(hook, *args, only=only)
                return
            before, constraints = assignments(), self._constraints()
            if "_batch_" not in hook:
                self._compared.look_again()
            seen, was_read = self._compared.look(), self._told.look()
            try:
                with alone(self.model), noting() as noted:
                    self.callbacks.call(hook, *args, only=only)
                self._refuse_constraints(constraints)
            except (Exception, KeyboardInterrupt, SystemExit) as error:
                if not self._is_shared_after(hook):
                    raise
                self._error = error
            self._assigned_weights |= assignments() != before
            store = self.model.store
            self._set_alone.take(noted, self._layers, () if store is None else store.variables)
            self._set_alone.take_changed(self._compared.changed_since(seen), self._compared.owners)
            self._told.take_changed_since(was_read)

    def _constraints(self) -> list[tuple[Variable, object]]:
        """Of the weights to train."""
        store = self.model.store
        return [] if store is None else [(span.variable, span.variable.constraint) for span in store.spans]

    def _refuse_constraints(self, before: Sequence[tuple[Variable, Any]]) -> None:
        """Fail where a callback has set one: how ranks share the weights depends on it, and was decided before.

        Raises:
            ArgumentError: names the weights, whose constraint is again what it was.
        """
        for variable, constraint in before:
            if variable.constraint is not constraint:
                received, variable.constraint = variable.constraint, constraint
                raise ArgumentError(
                    f"{variable.path}: a callback set its constraint to {received!r:.100}. Callbacks run on rank 0 "
                    "alone: set constraints on every rank before fit, or let the callback assign the weights."
                )

    def records(self) -> tuple[CallbackRecord, ...]:
        """What is to be kept of each callback; none on the ranks where none runs."""
        called = self.callbacks.callbacks if self.is_root else ()
        states = (c.get_state() if hasattr(c, "get_state") else {} for c in called)
        return tuple(
            CallbackRecord(type(callback).__name__, i in self.callbacks.pending, state)
            for i, (callback, state) in enumerate(zip(called, states, strict=True))
        )

    def _raise_everywhere(self) -> None:
        error, self._error = self._error, None
        try:
            self.communicator.relay(error)
        except LostRanksError:  # those that are left are told again
            self._error = error
            raise

    def _is_shared_after(self, hook: str) -> bool:
        """Whether the ranks meet in ``share`` before the next step."""
        follows = {"train": self.follows_batches, "test": self.follows_test_batches}
        return self.communicator.size > 1 and (
            "_batch_" not in hook or follows.get(hook.split("_")[1], self.follows_predict_batches)
        )

    def share(self, logs: dict[str, Any] | None = None, with_kept: bool = True) -> dict[str, Any]:
        """Carry what the callbacks changed to all ranks; return rank 0's logs.

        Args:
            with_kept: whether short values that callbacks keep are shared, too.

        Raises:
            BaseException: what a callback raised on rank 0, also ``KeyboardInterrupt`` and ``SystemExit``.
        """
        if self.communicator.size == 1:
            if self._error is not None:  # kept for ranks that died
                self._raise_everywhere()
            return logs or {}
        effects = self._effects(logs or {}, self.is_elastic) if self.is_root else None
        with self._own_error_first():
            effects = self.communicator.broadcast_object(effects)
        if effects is not None:
            self._apply(effects)  # also of a callback that failed then: the ranks go on alike
            if with_kept and self._kept is not None:
                self._kept.share(SHORT_BYTES)
            if effects.has_failed:
                self._raise_everywhere()
        return logs if self.is_root and logs is not None else effects.logs if effects else {}

    def share_kept(self) -> None:
        """Give every rank all that rank 0's callbacks keep; called once they have seen the end."""
        if self._kept is not None:
            self._kept.share(LONG_BYTES)

    def share_after_batch(self) -> None:
        """As ``share``, by one small message if nothing changed; by none if no callback acts at batches."""
        if self.follows_batches:
            self._share_if_changed()

    def share_after_test_batch(self) -> None:
        """As ``share_after_batch``, for the batches of an evaluation."""
        if self.follows_test_batches:
            self._share_if_changed()

    def share_after_predict_batch(self) -> None:
        """As ``share_after_batch``, for the batches of a prediction."""
        if self.follows_predict_batches:
            self._share_if_changed()

    def _share_if_changed(self) -> None:
        if self.communicator.size == 1:
            return
        if self.is_root:
            effects = self._effects({})
            changed = effects.optimizers or effects.weights or self._set_alone or effects.read_in_steps
            self._flag[0] = bool(changed or any(effects.stops) or effects.has_failed)
        with self._own_error_first():
            self.communicator.broadcast(self._flag)
        if self._flag[0]:
            self.share(with_kept=False)

    @contextmanager
    def _own_error_first(self) -> Iterator[None]:
        """Within the block the ranks meet; where they cannot, an interrupted one raises what interrupted it."""
        try:
            yield
        except CommunicationError as error:
            if self._error is None or isinstance(self._error, Exception):
                raise
            raise self._error from error

    def _effects(self, logs: dict[str, Any], with_records: bool = False) -> _Effects:
        changed = {
            path: changes(self._settings.get(path, {}), settings) for path, settings in self._current_settings().items()
        }
        changed = {path: settings for path, settings in changed.items() if settings}
        stops = self.model.stop_training, self.model.stop_evaluating, self.model.stop_predicting
        sent, read = (
            self._sent(partial(self._set_alone.to_send, self._layers, self._compared.owners)),
            self._sent(self._told.to_send),
        )
        records = self.records() if with_records else None
        return _Effects(stops, changed, self._assigned_weights, sent, read, logs, self._error is not None, records)

    def _sent(self, to_send: Callable[[], _S]) -> _S:
        """What was set; an error of what cannot be sent is kept for all ranks."""
        while True:
            try:
                return to_send()
            except ArgumentError as error:
                self._error = error if self._error is None else self._error

    def _apply(self, effects: _Effects) -> None:
        self.model.stop_training, self.model.stop_evaluating, self.model.stop_predicting = effects.stops
        if effects.weights and self.model.store is not None:
            self._take_weights([self.model.store.weights, self.model.store.frozen])
        for path, optimizer in () if self.is_root else self._optimizers():
            optimizer.configure(effects.optimizers.get(path, {}))
        if not self.is_root:
            self._set_as_root(effects)
        if self._when_applied is not None:
            self._shared.append(effects)
            self.records_told = self.records_told if effects.records is None else effects.records
            self._when_applied(effects.logs)
        self._begin_anew()

    def _set_as_root(self, effects: _Effects) -> None:
        effects.set_alone.apply(self._layers, self._compared.owners, self.communicator.rank)
        told = self._told.apply(effects.read_in_steps, self.communicator.rank)
        if self._kept is not None:
            self._kept.note_told(told)

    def _take_weights(self, parts: Sequence[Array]) -> None:
        """Have rank 0's; where ranks may die, all of them or none."""
        parts = [*parts, *(state.value for layer in stateful_layers(self.model) for state in layer.states)]
        received = [part.copy() for part in parts] if self.is_elastic else parts
        for part in received:
            self.communicator.broadcast(part)
        for part, of_root in zip(parts, received, strict=True):
            if of_root is not part:
                part[...] = of_root

    def forget_shared(self) -> None:
        """Every rank has what was shared before: a step that all took part in is done."""
        self._shared.clear()
        if self._kept is not None:
            self._kept.forget_lately()

    def shared(self) -> list[_Effects]:
        """What other ranks may have missed where one died: what was shared since the last step, and what was to be."""
        return [*self._shared, self._effects({})] if self.is_root else list(self._shared)

    def take(self, shared: Sequence[_Effects]) -> None:
        """Set what this rank missed, of what neither weights nor optimizers hold."""
        for effects in shared:
            self._set_as_root(effects)
            self.records_told = self.records_told if effects.records is None else effects.records
        self._begin_anew()

    def share_again(self) -> None:
        """Let rank 0 share anew what some ranks may have missed of what callbacks keep."""
        if self._kept is not None:
            self._kept.share_again()

    def _begin_anew(self) -> None:
        """Nothing is to be shared."""
        self._settings = self._current_settings()
        self._assigned_weights, self._set_alone = False, SetAlone()
        self._told.clear()
        self._look_for_layers()

    def _look_for_layers(self) -> None:
        """Number the layers, and whatever else callbacks may change, as every rank does."""
        self._layers = layers_of(self.model)
        owners = owners_of(self._layers, getattr(self.model, "loss", None))
        self._compared = Compared(owners, partial(write, layers=self._layers))
        self._told.layers = self._layers
        if self._kept is not None:
            self._kept.layers = self._layers

    def _optimizers(self) -> Iterator[tuple[str, Optimizer]]:
        """That of ``compile``, and those that were attributes of the model when training began."""
        yield from self._other_optimizers.items()
        if self.model.optimizer is not None:
            yield "", self.model.optimizer

    def _current_settings(self) -> dict[str, Mapping[str, Json]]:
        return {path: optimizer.settings() for path, optimizer in self._optimizers()}
