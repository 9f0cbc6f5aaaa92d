"""Starts the process that names a rank which dies without a word (``node_watcher``), once the ranks know each other."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from distnet.comm.neighbours import Address, Neighbours
from distnet.launcher import before_reports

_PROGRAM = """
import os, sys
sys.path.append(sys.argv[1])
import node_watcher
watcher = node_watcher.NodeWatcher.of(sys.argv[2:])
if os.fork() > 0:
    os._exit(0)
os.setsid()
import process_ends
watcher.run(process_ends.in_words, process_ends.kills_for_memory)
"""
"""No rank is the parent of the watcher: a program that waits for all its children would wait for it for ever."""
_BLOCKED = ("SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2")
"""What schedulers send to all processes of a job that goes on, or that tells of its end itself."""
_NOT_PASSED_ON = "LD_PRELOAD"
"""Of the environment: tools that trace MPI's programs are loaded by it."""


@contextmanager
def watched_for_silent_deaths(neighbours: Neighbours, size: int, is_told_by_mpi: bool) -> Iterator[None]:
    """From the end of the block on, a rank of this machine that a signal ends is named; the watcher starts meanwhile.

    Where ``distnet run`` started the ranks, it tells of them itself. Systems other than Linux, and Linux before 5.3,
    tell nobody of a process that is not its child: nothing is started there.

    Args:
        neighbours: the ranks of this machine.
        size: number of ranks of the job.
        is_told_by_mpi: whether ranks outlive others, and name them themselves.
    """
    started = None
    if not before_reports and not is_told_by_mpi:
        before_reports.append(neighbours.mark_failed)
        started = _started(neighbours.watched_by_this_rank(), size)
    try:
        yield
    finally:
        if started is not None:
            with suppress(ChildProcessError):  # where this program ignores the ends of its children
                os.waitpid(started, 0)


def _started(ranks: Sequence[Address], size: int) -> int | None:
    """The process that starts the watcher; None where there is nothing to watch, or no means."""
    if not ranks or not _can_watch():
        return None
    watched = [text for each in ranks for text in (str(each.rank), str(each.process), each.path, each.name, each.pipe)]
    room = str(Path(__file__).parent)
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, room, str(size), socket.gethostname(), *watched]
    with suppress(OSError):  # no more processes are allowed: the job goes on without
        return os.posix_spawn(
            sys.executable,
            command,
            {name: value for name, value in os.environ.items() if name != _NOT_PASSED_ON},
            file_actions=[(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1)],
            setsigmask=[getattr(signal, name) for name in _BLOCKED],
            setsigdef=[signal.SIGTERM],
        )
    return None


def _can_watch() -> bool:
    """Whether the system tells of processes' ends, this Python can be started, and standard error is there."""
    if not hasattr(os, "pidfd_open") or not sys.executable or hasattr(sys, "frozen"):
        return False
    if sys.__stderr__ is None or sys.__stderr__.closed:  # another file may have its number
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True
