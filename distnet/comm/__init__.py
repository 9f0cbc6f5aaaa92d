"""Who the other ranks are."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import suppress
from types import ModuleType

from distnet import launcher
from distnet.comm.base import Communicator as Communicator
from distnet.comm.base import Request as Request
from distnet.comm.local import LocalCommunicator as LocalCommunicator
from distnet.errors import LaunchError

_known: list[Communicator] = []
"""The ranks of this job, once it was joined."""
_joining = threading.RLock()
_is_forked = False


def world() -> Communicator:
    """The ranks of this job: MPI's if a launcher started several processes, else this process alone.

    The first call joins the job. It is collective: it shares the node's cores among its ranks, and makes all ranks
    agree on ``common_seed``.

    Raises:
        LaunchError: a launcher started several processes that cannot talk to each other.
    """
    if not _known:
        with _joining:  # threads may ask at once
            _known[:] = _known or [_joined()]
    return _known[0]


def _joined() -> Communicator:
    started = launcher.of_this_program()
    if started is None:
        _warn_of_a_rank_that_never_joined()
        return LocalCommunicator()
    with launcher.environment_of_start(started):
        communicator: Communicator = _mpi(started).start(started)
    os.environ[launcher.RANK_JOINED] = "1"
    return communicator


def _warn_of_a_rank_that_never_joined() -> None:
    """Say that a process works alone which was perhaps meant to be a rank, as below a program that only starts it."""
    if launcher.RANK_PROCESS in os.environ and launcher.RANK_JOINED not in os.environ:
        warnings.warn(
            f"This process works alone: the process {os.environ[launcher.RANK_PROCESS]} that started it imported "
            "distnet first, and is the rank. Let the rank call distnet before it starts others, or not import it.",
            stacklevel=3,
        )


def _forget() -> None:
    """Let a forked process of a rank work alone: MPI is its parent's."""
    global _is_forked, _joining
    _is_forked, _joining = bool(_known) or _is_forked, threading.RLock()
    _known.clear()


def is_forked() -> bool:
    """Whether this process was forked from a rank: memory that its optimizers share is its parent's, too."""
    return _is_forked


os.register_at_fork(after_in_child=_forget)


def has_joined() -> bool:
    """Whether the job was joined, so that ``world`` returns without waiting for other ranks."""
    return bool(_known)


def leave() -> None:
    """Let a worker process that a rank started compute alone, although it inherits the rank's environment."""
    for variable in launcher.variables():
        os.environ.pop(variable, None)
    launcher.forget()
    _known.clear()


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
        with suppress(LaunchError), launcher.environment_of_start(started):
            _mpi(started).join_to_leave(started)
