"""Which launcher started this process, with how many others, and how it learns that one of them failed."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_SIZE_VARIABLES = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "Open MPI's mpirun", "Open MPI"),
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "MVAPICH2's mpirun", None),
    ("PMI_SIZE", "PMI_RANK", "MPICH's or Intel MPI's mpirun", None),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "Slurm's srun", None),
)

_LAST_WORDS_S = 0.2
"""Time for the launcher to forward the traceback: MPICH's drops what it has not read when the job ends."""
_TURN_S, _MOST_TURNS = 0.5, 6
"""How long a rank lets the one before it report first, so that an error that all ranks meet is reported once."""

RANK_PROCESS = "DISTNET_RANK_PROCESS"
"""Variable with the number of the process that is the rank, where that is known to what started it."""

before_reports: list[Callable[[], None]] = []
"""Called before a rank's failure is printed, by whoever would else tell of its end himself."""


@dataclass(frozen=True)
class Launcher:
    """The program that started this process as one of several.

    Args:
        name: for messages.
        rank: number it gave this process.
        size: number of processes it started; None if it does not say.
        variable: environment variable that holds the rank.
        vendor: the only MPI whose programs it can start, by mpi4py's name; None if there are several.
    """

    name: str
    rank: int
    size: int | None
    variable: str
    vendor: str | None = None

    def started_this_process(self) -> bool:
        """Whether this process is the rank itself, not a child of the rank or of a script around it."""
        if os.environ.get(RANK_PROCESS) == str(os.getpid()):
            return True
        try:
            environment = Path(f"/proc/{os.getppid()}/environ").read_bytes()
        except PermissionError:
            return True  # another user's process, as Slurm's daemon is
        except OSError:
            return False  # unknown on this system
        return f"{self.variable}=".encode() not in environment


def detect(environ: Mapping[str, str]) -> Launcher | None:
    """The launcher of this process; None if it was started alone.

    Open MPI is checked first because its ``mpirun`` may itself run within an ``srun`` step, whose variables are then
    inherited.
    """
    for size, rank, name, vendor in _SIZE_VARIABLES:
        if environ.get(size, "").isdigit() and environ.get(rank, "").isdigit():
            return Launcher(name, int(environ[rank]), int(environ[size]), rank, vendor)
    if environ.get("PMIX_RANK", "").isdigit():
        return Launcher("a PMIx launcher", int(environ["PMIX_RANK"]), None, "PMIX_RANK")
    return None


def variables() -> list[str]:
    """The environment variables by which launchers are recognized."""
    return [name for sizes in _SIZE_VARIABLES for name in sizes[:2]] + ["PMIX_RANK"]


def watch_for_failure(end: Callable[[Launcher], None]) -> None:
    """Tell the other ranks of an uncaught exception or the program's end, even if this rank never joined MPI.

    Otherwise they would wait for it in ``MPI_Init``: MPICH's ``mpirun`` ignores a process that exits before, but not
    one
    that a signal ends.

    Args:
        end: called at the end of a program that ends without an exception, in the rank's own process only.
    """
    started = detect(os.environ)
    if started is None or started.size == 1:
        return
    process = os.getpid()

    @atexit.register
    def leave() -> None:
        if started.size and os.getpid() == process and started.started_this_process():
            end(started)

    def fail(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report_failure(started.rank, started.size, kind, error, trace)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    sys.excepthook = fail


def report_failure(
    rank: int,
    size: int | None,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    heard_from: int | None = None,
) -> None:
    """Print a rank's traceback in one write, and give the launcher time to forward it.

    Args:
        heard_from: the rank whose error this rank raised, and which reports first.
    """
    for tell in before_reports:
        tell()
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stdout.flush()
    time.sleep(_TURN_S * (min(rank, _MOST_TURNS) if heard_from is None else min(heard_from, _MOST_TURNS) + 2))
    sys.stderr.write(f"\ndistnet: rank {rank} of {size or 'several'} failed; the job ends.\n{text}")
    sys.stderr.flush()
    time.sleep(_LAST_WORDS_S)
