"""While a rank joins MPI, which blocks Python: whether the other ranks are still there, and whether they come.

``MPI_Init`` waits for every rank, for ever if one has ended before: MPICH's ``mpirun`` does not mind a process, or a
script around it, that ends without having called MPI. So a forked process, which uses nothing but ``/proc``, looks
whether the launcher's other children live, and ends the job by name if one does not, or if some do not join in time.
Two ranks of a machine watch for all: if each did, 64 ranks would look at 64 processes four times a second.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from distnet.comm.joining_marks import Joining, holds_rank
from distnet.comm.patience import TIMEOUT
from distnet.comm.shared_memory import mpis_memory_of
from distnet.errors import LaunchError
from distnet.launcher import Launcher
from distnet.process_tree import (
    below_launcher,
    descendants,
    has_name,
    is_alive,
    is_child_with,
    is_stopped,
    ranks_of,
)

_LOOKS_EVERY_S = 0.25
_SEES_MEMORY_EVERY_S = 0.05
_GONE_FOR_S = 1.0
"""After this time a launcher that ends the job itself has done so."""
_LAST_WORDS_S = 0.5
"""Time for the launcher to forward what was written: MPICH's drops what it has not read when the job ends."""
_LOCAL_SIZES = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_SIZE")
_OTHERS_LATER_S = 2.0
"""After the first ranks, which tell why the job ends: the launcher ends all when one has ended."""
_NAME = "distnet-joins"
"""Of the watching process."""


@contextmanager
def watched_siblings(launcher: Launcher, timeout_s: float) -> Iterator[None]:
    """Within the block, which blocks Python, the job ends if another rank of this machine is gone, or after a time.

    Args:
        launcher: of this process.
        timeout_s: how long to wait for ranks; 0 for ever.

    Raises:
        LaunchError: another process has joined as this rank.
    """
    below, expected = below_launcher(launcher.variable), _expected(launcher)
    if below is not None and not holds_rank(below[0], launcher.rank):
        raise LaunchError(
            f"this process (process {os.getpid()}) asks to join as rank {launcher.rank}, as which another one has "
            "joined: one was forked from the other before distnet was imported. Import distnet before you fork: what "
            "is forked then works alone, as does in any case what multiprocessing starts."
        )
    if below is None or not is_child_with(below[1], below[0], launcher.variable):
        below, expected = None, 0
    if not expected and not timeout_s:
        yield
        return
    with Joining(None if below is None else below[0], launcher.rank) as joining:
        watching = _forked(_Watcher(launcher, below, expected, timeout_s, joining)) if joining.watches else None
        joining.leave_watch()
        try:
            yield
        finally:
            if watching is not None:
                with suppress(ProcessLookupError):
                    os.kill(watching, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(watching, 0)


def _forked(watcher: _Watcher) -> int:
    """The process that watches."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, none of which the forked process needs
        process = os.fork()
    if process == 0:
        try:
            os.setsid()  # MPICH's launcher kills the rank with its group
            with suppress(OSError):
                Path("/proc/self/comm").write_text(_NAME, encoding="ascii")
            watcher.joining.leave()
            watcher.run()
        finally:
            os._exit(0)
    return process


def _expected(launcher: Launcher) -> int:
    """The number of ranks on this machine; 0 if the launcher does not tell."""
    told = (os.environ.get(variable, "") for variable in _LOCAL_SIZES)
    return next((int(text) for text in told if text.isdigit()), 0)


class _Watcher:
    """What the forked process does.

    Args:
        launcher: of the rank.
        below: the launcher's process, and the one that it started for the rank; None if they are not to be seen.
        expected: number of ranks on this machine; 0 if it is not known.
        timeout_s: how long to wait; 0 for ever.
        joining: which ranks join.
    """

    def __init__(
        self, launcher: Launcher, below: tuple[int, int] | None, expected: int, timeout_s: float, joining: Joining
    ) -> None:
        self.launcher, self.below, self.expected, self.timeout_s = launcher, below, expected, timeout_s
        self.joining, self.rank_process, self.began = joining, os.getpid(), time.monotonic()
        self.later_s = 0.0 if joining.is_first else _OTHERS_LATER_S
        self.living: dict[int, int] = {}
        self.gone_at: float | None = None
        self.memory: set[str] = set()

    def run(self) -> None:
        """Watch until the rank has joined, which ends this process, or the job must end."""
        while os.getppid() == self.rank_process:
            self._look()
            if self._is_one_gone():
                self._end(_of_gone(self.launcher, self.living, self.expected))
                return
            if self.timeout_s and time.monotonic() - self.began >= self.timeout_s + self.later_s:
                self._end(_of_late(self.launcher, self.living, self.timeout_s, self.joining))
                return
            self._see_memory()
        self._unname_memory()  # killed while it joined

    def _look(self) -> None:
        """See which ranks live; once all have been there, only they can."""
        if self.expected and len(self.living) == self.expected:
            self.living = {rank: process for rank, process in self.living.items() if is_alive(process)}
        elif self.below is not None:
            self.living = ranks_of(self.below[0], self.launcher.variable)

    def _see_memory(self) -> None:
        """For the time between two looks, note what memory MPI shares by name: it takes the name away at a good end."""
        until = time.monotonic() + _LOOKS_EVERY_S
        while os.getppid() == self.rank_process and time.monotonic() < until:
            self.memory |= mpis_memory_of(self.rank_process)
            time.sleep(_SEES_MEMORY_EVERY_S)

    def _unname_memory(self) -> None:
        for path in self.memory:
            with suppress(OSError):
                os.unlink(path)

    def _is_one_gone(self) -> bool:
        """Whether fewer ranks live than should, for longer than a launcher takes to end the job itself."""
        if len(self.living) >= self.expected or self.launcher.rank not in self.living:
            self.gone_at = None
        elif self.gone_at is None:
            self.gone_at = time.monotonic()
        return self.gone_at is not None and time.monotonic() - self.gone_at > _GONE_FOR_S + self.later_s

    def _end(self, text: str) -> None:
        """Tell it, and end the rank, and the script around it; then those that join, if the launcher leaves them."""
        os.write(2, text.encode())
        time.sleep(_LAST_WORDS_S)
        started = self.rank_process if self.below is None else self.below[1]
        self.memory |= mpis_memory_of(self.rank_process)
        self._unname_memory()
        _end_processes((started, self.rank_process))
        others = [process for rank, process in self.living.items() if self.joining.is_joining(rank)]
        if others:
            time.sleep(_OTHERS_LATER_S)
            _end_processes([each for other in others for each in (other, *_programs_of(other))])


def _end_processes(processes: Sequence[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in dict.fromkeys(processes):
            with suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(_LAST_WORDS_S)


def _programs_of(process: int) -> list[int]:
    """What it has started, but for what watches over it."""
    return [each for each in descendants(process) if not has_name(each, (_NAME,))]


def _is_stopped(process: int) -> bool:
    """Whether it is, or what it started: it may be a script around the rank."""
    return is_stopped(process) or any(map(is_stopped, descendants(process)))


def _of_gone(launcher: Launcher, living: dict[int, int], expected: int) -> str:
    gone = sorted(set(range(launcher.size or 0)) - living.keys()) if launcher.size == expected else []
    who = f"rank{'s' if len(gone) > 1 else ''} {', '.join(map(str, gone))}" if gone else "a rank of this machine"
    return (
        f"\ndistnet: rank {launcher.rank} of {launcher.size or 'several'} waits for {who} to join the job, but the "
        f"program of {who} has ended before its first distnet call: what it wrote above says why. Every rank must run "
        "the same script to its end. The job ends.\n"
    )


def _of_late(launcher: Launcher, living: dict[int, int], timeout_s: float, joining: Joining) -> str:
    """Names the ranks of this machine that have not called distnet yet: no process of theirs joins."""
    late = [
        f"rank {rank} (process {process}) {'is stopped, as by SIGSTOP' if _is_stopped(process) else 'has not come'}"
        for rank, process in sorted(living.items())
        if not joining.is_joining(rank)
    ]
    who = ", ".join(late) or "the ranks that can be seen from here have all come; another machine may be out of reach"
    return (
        f"\ndistnet: rank {launcher.rank} of {launcher.size or 'several'} has waited {timeout_s:g} s in MPI_Init for "
        f"all ranks to join the job: {who}. {TIMEOUT} is over; the job ends. Let every rank make its first distnet "
        f"call early, or set {TIMEOUT} to more seconds, or to 0 for ever.\n"
    )
