"""Who the other ranks are."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from types import ModuleType

from distnet import launcher
from distnet.comm.base import Communicator as Communicator
from distnet.comm.base import Request as Request
from distnet.comm.local import LocalCommunicator as LocalCommunicator
from distnet.errors import LaunchError


@functools.cache
def world() -> Communicator:
    """The ranks of this job: MPI's under a launcher of several processes, else this process alone.

    The first call joins the job: it is collective, shares the node's cores out among its ranks, and agrees on
    ``common_seed``.

    Raises:
        LaunchError: a launcher started several processes that cannot talk to each other.
    """
    started = launcher.detect(os.environ)
    if started is None or started.size == 1:
        return LocalCommunicator()
    communicator: Communicator = _mpi(started).start(started)
    return communicator


def has_joined() -> bool:
    """Whether ``world`` is known, so that asking for it waits for nobody."""
    return world.cache_info().currsize > 0


def leave() -> None:
    """Let a worker process that a rank started compute alone, though it inherits the rank's environment."""
    for variable in launcher.variables():
        os.environ.pop(variable, None)
    world.cache_clear()


def _mpi(started: launcher.Launcher) -> ModuleType:
    try:
        from distnet.comm import mpi
    except (ImportError, RuntimeError) as error:
        raise LaunchError(
            f"{started.name} started this process as rank {started.rank} of {started.size or 'several'}, but mpi4py "
            f"cannot be imported: {error}. Install mpi4py for the MPI of this launcher, or start one process alone."
        ) from error
    return mpi


def end(started: launcher.Launcher) -> None:
    """At the end of a program that has not joined its job, join it: ranks that wait for this one hear of its end.

    Where all ranks end so, as with ``--help``, their exit codes stay what they are.
    """
    if not has_joined():
        with suppress(LaunchError):
            _mpi(started).join_to_leave(started)
