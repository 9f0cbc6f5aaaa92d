"""The hooks of a callback, and the list that calls them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from distnet.arguments import check_fields, fits_annotation
from distnet.callbacks.watched_model import WatchedModel
from distnet.errors import ArgumentError, CheckpointError

Logs = dict[str, float]

STATE = {"state": True}
"""Metadata of a dataclass field that is no argument but state, saved with the model and restored on resuming."""

_AFTER_BATCHES = ("on_train_batch_end", "on_batch_end")
_BATCH_HOOKS = ("on_train_batch_begin", "on_batch_begin", *_AFTER_BATCHES)
_TEST_BATCH_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
_PREDICT_BATCH_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


class Callback:
    """Something to do at given moments of training, on rank 0, with the logs of all ranks.

    Subclass it and override hooks. A callback may stop ``self.model`` (``stop_training``, ``stop_evaluating``,
    ``stop_predicting``), evaluate or save it, or change its weights or learning rate: the other ranks follow.

    State is saved with the model and restored when training resumes: the fields of a dataclass that have
    ``metadata=STATE``, or whatever ``get_state`` returns and ``set_state`` accepts.

    Source: ``keras.callbacks.Callback``.
    """

    model: WatchedModel
    params: Mapping[str, Any]
    runs_last: ClassVar[bool] = False
    """Whether it is called after all others, to see what they did: for callbacks that write checkpoints."""
    is_passive: ClassVar[bool] = False
    """Whether it only observes, so that ranks need not wait for it after each batch."""

    def __post_init__(self) -> None:
        if dataclasses.is_dataclass(self):
            check_fields(self)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive ``{"verbose", "epochs", "steps"}``."""
        self.params = params

    def set_model(self, model: WatchedModel) -> None:
        """Receive the model."""
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """The state to save: numbers, strings, arrays, and lists and dicts of these."""
        return {name: getattr(self, name) for name in _state_fields(self)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what ``get_state`` returned; called after ``on_train_begin``.

        Raises:
            CheckpointError: these are not the expected fields, or a value is of the wrong type.
        """
        expected = sorted(_state_fields(self))
        if sorted(state) != expected:
            raise CheckpointError(f"{type(self).__name__}: expected the state of {expected}, received {sorted(state)}.")
        for f in dataclasses.fields(cast(Any, self)) if expected else ():
            if f.name in state and not fits_annotation(f, state[f.name]):
                raise CheckpointError(f"{type(self).__name__}: {f.name} cannot be {state[f.name]!r:.100}.")
        for name, value in state.items():
            setattr(self, name, value)

    def forget(self) -> None:
        """Reset all state to its initial values."""
        for name, default in _state_fields(self).items():
            setattr(self, name, default())

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch; when training resumes, before ``set_state``."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before epoch number ``epoch``, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch, with the logs of training and validation; keys added here enter the history."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Keras's old name for ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Keras's old name for ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before training batch number ``batch`` of the epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training batch, with the epoch's logs so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction, with the batch's ``outputs``."""


_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """Several callbacks as one: every hook is called on each, in order, checkpoints last.

    An object that is no ``Callback`` will do if it has hooks; missing hooks are skipped.

    Raises:
        ArgumentError: one of them is a class, or an object without hooks.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self.callbacks: Sequence[Any] = sorted(callbacks, key=lambda c: bool(getattr(c, "runs_last", False)))
        self.pending: Sequence[int] = ()
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(hasattr(callback, hook) for hook in _HOOKS):
                raise ArgumentError(
                    f"callbacks: expected objects with hooks such as on_epoch_end, received {callback!r}. "
                    "Pass an object, for example EarlyStopping()."
                )

    @property
    def follows_batches(self) -> bool:
        """Whether any callback has a hook for training batches."""
        return any(_follows(c, _BATCH_HOOKS) for c in self.callbacks)

    @property
    def follows_test_batches(self) -> bool:
        """Whether any callback has a hook for evaluation batches."""
        return any(_follows(c, _TEST_BATCH_HOOKS) for c in self.callbacks)

    @property
    def follows_predict_batches(self) -> bool:
        """Whether any callback has a hook for prediction batches."""
        return any(_follows(c, _PREDICT_BATCH_HOOKS) for c in self.callbacks)

    @property
    def reads_batch_logs(self) -> bool:
        """Whether any callback looks at the logs after a batch of training."""
        readers = (c for c in self.callbacks if getattr(c, "reads_batch_logs", True))
        return any(_overrides(c, _AFTER_BATCHES) for c in readers)

    @property
    def acts_after_batches(self) -> bool:
        """Whether any callback may do something after a batch of training."""
        return any(not getattr(c, "is_silent", False) and _overrides(c, _AFTER_BATCHES) for c in self.callbacks)

    @property
    def acts_in_test_batches(self) -> bool:
        """Whether any callback may do something before or after a batch of an evaluation."""
        return any(_overrides(c, _TEST_BATCH_HOOKS) for c in self.callbacks if not _is_silent_in_tests(c))

    @property
    def acts_in_predict_batches(self) -> bool:
        """Whether any callback may do something before or after a batch of a prediction."""
        return any(_overrides(c, _PREDICT_BATCH_HOOKS) for c in self.callbacks if not _is_silent_in_tests(c))

    def attach(self, model: WatchedModel, params: Mapping[str, Any]) -> None:
        """Hand every callback the model and the parameters."""
        self.call("set_model", model)
        self.call("set_params", params)

    def call(self, hook: str, *args: Any, only: Collection[int] | None = None) -> None:
        """Call ``hook`` on every callback that has it; ``on_..._begin`` hooks receive empty logs, as in Keras.

        Meanwhile ``pending`` holds the indices of the callbacks still to be called.

        Args:
            only: indices of the callbacks to call.
        """
        if hook.endswith("_begin"):
            args = (*args, {})
        called: Sequence[int] = range(len(self.callbacks))
        if only is not None:
            called = [i for i in called if i in only]
        for turn, i in enumerate(called, 1):
            self.pending = called[turn:]
            method = getattr(self.callbacks[i], hook, None)
            if method is not None:
                method(*args)


def _state_fields(callback: Callback) -> dict[str, Callable[[], Any]]:
    """The state fields, each with a function that makes its initial value."""
    if not dataclasses.is_dataclass(callback):
        return {}
    marked = [f for f in dataclasses.fields(callback) if f.metadata.get("state")]
    return {f.name: _first_value(f) for f in marked}


def _first_value(field: dataclasses.Field[Any]) -> Callable[[], Any]:
    return (lambda: field.default) if field.default_factory is dataclasses.MISSING else field.default_factory


def _follows(callback: Any, names: Iterable[str]) -> bool:
    return not getattr(callback, "is_passive", False) and _overrides(callback, names)


def _is_silent_in_tests(callback: Any) -> bool:
    return bool(getattr(callback, "is_silent_in_tests", False))


def _overrides(callback: Any, names: Iterable[str]) -> bool:
    """Whether a callback has one of these hooks, other than that of ``Callback``."""
    return any(hasattr(callback, name) and not is_hook_of(callback, Callback, name) for name in names)


def is_hook_of(callback: Any, cls: type, name: str) -> bool:
    """Whether a callback's hook is that of the class, not one of its own."""
    hook = getattr(callback, name)
    return hook is None or getattr(hook, "__func__", hook) is getattr(cls, name)
