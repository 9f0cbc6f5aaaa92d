"""Which ranks a call concerns: all of the job, or, within a callback, this one alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from distnet import comm
from distnet.comm import Communicator, LocalCommunicator

_alone: ContextVar[bool] = ContextVar("alone", default=False)


def communicator() -> Communicator:
    """The ranks that take part in a call made here and now."""
    return LocalCommunicator() if _alone.get() else comm.world()


@contextmanager
def alone() -> Iterator[None]:
    """Within the block this rank works by itself: callbacks run so on rank 0 while the others wait."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)
