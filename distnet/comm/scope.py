"""Which ranks a call concerns: all of the job, or, within a callback, only this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from types import TracebackType

from distnet import comm
from distnet.comm import Communicator, LocalCommunicator
from distnet.errors import ArgumentError

_alone: ContextVar[bool] = ContextVar("alone", default=False)
_watched: ContextVar[object] = ContextVar("watched", default=None)
_members: ContextVar[Communicator | None] = ContextVar("members", default=None)


def communicator() -> Communicator:
    """The ranks that take part in a call made now."""
    if _alone.get():
        return LocalCommunicator()
    return _members.get() or comm.world()


@contextmanager
def among(members: Communicator) -> Iterator[None]:
    """Within the block these take part in calls, instead of the ranks: blocks of rows, of which a rank has several."""
    token = _members.set(members)
    try:
        yield
    finally:
        _members.reset(token)


def is_alone() -> bool:
    """Whether this rank works alone, as within a callback."""
    return _alone.get()


class meeting:  # noqa: N801 - as contextmanager's functions are named; those take longer
    """Within the block each rank prepares a call without communication; at its end the ranks meet.

    Raises:
        Exception: on every rank, the error of the first rank that met one.
    """

    __slots__ = ("_call", "_ranks")

    def __init__(self, call: str) -> None:
        self._call = call

    def __enter__(self) -> Communicator:
        self._ranks = communicator()
        return self._ranks

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._ranks.meet(self._call)
        elif isinstance(error, Exception):
            self._ranks.meet(self._call, error)


class on_all_ranks(ContextDecorator):  # noqa: N801 - a decorator of functions
    """An error that ends the function on one rank ends it on all, so that none waits for a rank that has left."""

    def __enter__(self) -> None:
        communicator().begin_call()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        communicator().end_call(None if isinstance(error, SystemExit) else error)


def tell_of(error: BaseException | None) -> None:
    """Tell the other ranks of an error that leaves a block that all of them run, outside of calls, too."""
    if isinstance(error, Exception) and comm.has_joined():
        communicator().leave_by(error)


class alone:  # noqa: N801 - as contextmanager's functions are named; those take longer than a hook
    """Within the block this rank works alone: so run callbacks on rank 0, while the others wait.

    Args:
        model: the model whose callbacks they are.
    """

    __slots__ = ("_model", "_tokens")

    def __init__(self, model: object = None) -> None:
        self._model = model

    def __enter__(self) -> None:
        self._tokens = _alone.set(True), _watched.set(self._model)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _alone.reset(self._tokens[0])
        _watched.reset(self._tokens[1])


def refuse_in_callback_of(model: object, call: str) -> None:
    """Fail if one of the model's own callbacks makes this call, unknown to the other ranks.

    Raises:
        ArgumentError: one of them does.
    """
    if model is not None and _watched.get() is model:
        raise ArgumentError(
            f"{call}: a model cannot be trained, compiled or given another optimizer by one of its own callbacks, "
            "which runs on one rank in the middle of a step. A callback may change weights, learning rate and the "
            "optimizer's settings, evaluate, predict, save, and set stop_training; train further when fit has returned."
        )
