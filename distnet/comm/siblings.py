"""While a rank joins MPI, which blocks Python: whether the other ranks of its machine are still there.

``MPI_Init`` waits for every rank, for ever if one has ended before: MPICH's ``mpirun`` does not mind a process, or a
script around it, that ends without having called MPI. So a forked process, which uses nothing but ``/proc``, looks
whether the launcher's other children live, and ends the job by name if one does not.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from distnet.launcher import Launcher
from distnet.process_tree import below_launcher, ranks_of

_LOOKS_EVERY_S = 0.25
_GONE_FOR_S = 1.0
"""After this time a launcher that ends the job itself has done so."""
_LAST_WORDS_S = 0.5
"""Time for the launcher to forward what was written: MPICH's drops what it has not read when the job ends."""
_LOCAL_SIZES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")


@contextmanager
def watched_siblings(launcher: Launcher) -> Iterator[None]:
    """Within the block, which blocks Python, the job ends if another rank of this machine is gone."""
    below, expected = below_launcher(launcher.variable), _expected(launcher)
    if below is None or not expected or not ranks_of(below[0], launcher.variable):
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, none of which the forked process needs
        watcher = os.fork()
    if watcher == 0:
        try:
            _watch(os.getppid(), *below, launcher, expected)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(watcher, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(watcher, 0)


def _expected(launcher: Launcher) -> int:
    """The number of ranks on this machine; 0 if the launcher does not tell."""
    told = (os.environ.get(variable, "") for variable in _LOCAL_SIZES)
    return next((int(text) for text in told if text.isdigit()), 0)


def _watch(rank: int, started_by: int, started: int, launcher: Launcher, expected: int) -> None:
    """End the rank, and the script around it, once fewer than ``expected`` live."""
    gone_at: float | None = None
    while os.getppid() == rank:
        living = ranks_of(started_by, launcher.variable)
        if len(living) >= expected or launcher.rank not in living:
            gone_at = None
        elif gone_at is None:
            gone_at = time.monotonic()
        elif time.monotonic() - gone_at > _GONE_FOR_S:
            if launcher.rank == min(living):
                os.write(2, _told(launcher, living, expected).encode())
            time.sleep(_LAST_WORDS_S)
            for process in dict.fromkeys((started, rank)):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
            return
        time.sleep(_LOOKS_EVERY_S)


def _told(launcher: Launcher, living: dict[int, int], expected: int) -> str:
    gone = sorted(set(range(launcher.size or 0)) - living.keys()) if launcher.size == expected else []
    who = f"rank{'s' if len(gone) > 1 else ''} {', '.join(map(str, gone))}" if gone else "a rank of this machine"
    return (
        f"\ndistnet: rank {launcher.rank} of {launcher.size or 'several'} waits for {who} to join the job, but the "
        f"program of {who} has ended before its first distnet call: what it wrote above says why. Every rank must run "
        "the same script to its end. The job ends.\n"
    )
