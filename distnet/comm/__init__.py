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
    """The ranks of this job: MPI's if a launcher started several processes, else this process alone.

    The first call joins the job. It is collective: it shares the node's cores among its ranks, and makes all ranks
    agree on ``common_seed``.

    Raises:
        LaunchError: a launcher started several processes that cannot talk to each other.
    """
    started = launcher.detect(os.environ)
    if started is None or started.size == 1:
        return LocalCommunicator()
    communicator: Communicator = _mpi(started).start(started)
    return communicator


def has_joined() -> bool:
    """Whether the job was joined, so that ``world`` returns without waiting for other ranks."""
    return world.cache_info().currsize > 0


def leave() -> None:
    """Let a worker process that a rank started compute alone, although it inherits the rank's environment."""
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
    """At the end of a program that never joined its job, join it, so that ranks waiting for this one learn of its end.

    If every rank ends so, as with ``--help``, the exit codes stay what they are.
    """
    if not has_joined():
        with suppress(LaunchError):
            _mpi(started).join_to_leave(started)
