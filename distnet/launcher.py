"""Which launcher started this process, how many it started, and how it hears that one of them failed."""

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
"""Time for the launcher to pass the traceback on: MPICH's drops what it has not read when the job ends."""
_TURN_S, _MOST_TURNS = 0.5, 6
"""How long a rank leaves the word to the one before it: an error that all ranks meet is then told once."""


@dataclass(frozen=True)
class Launcher:
    """The program that started this process as one of several.

    Args:
        name: for messages.
        rank: number it gave this process.
        size: number of processes it started; None where it does not say.
        variable: of the environment, which holds this number.
        vendor: the only MPI whose programs it can start, by mpi4py's name; None where there are several.
    """

    name: str
    rank: int
    size: int | None
    variable: str
    vendor: str | None = None

    def started_this_process(self) -> bool:
        """Whether this process is the rank itself, not a program that the rank or a script around it started."""
        try:
            environment = Path(f"/proc/{os.getppid()}/environ").read_bytes()
        except PermissionError:
            return True  # another user's process, as Slurm's daemon is
        except OSError:
            return False  # it cannot be known here
        return f"{self.variable}=".encode() not in environment


def detect(environ: Mapping[str, str]) -> Launcher | None:
    """The launcher of this process; None when it was started alone.

    Open MPI is asked first because its ``mpirun`` may itself run within an ``srun`` step, whose
    variables are then inherited.
    """
    for size, rank, name, vendor in _SIZE_VARIABLES:
        if environ.get(size, "").isdigit() and environ.get(rank, "").isdigit():
            return Launcher(name, int(environ[rank]), int(environ[size]), rank, vendor)
    if environ.get("PMIX_RANK", "").isdigit():
        return Launcher("a PMIx launcher", int(environ["PMIX_RANK"]), None, "PMIX_RANK")
    return None


def variables() -> list[str]:
    """The names of the environment's variables by which launchers are known."""
    return [name for sizes in _SIZE_VARIABLES for name in sizes[:2]] + ["PMIX_RANK"]


def watch_for_failure(end: Callable[[Launcher], None]) -> None:
    """Let the other ranks hear of an uncaught exception, or of the program's end, also before it has joined MPI.

    They would wait for it in ``MPI_Init``: MPICH's ``mpirun`` takes no notice of a process that leaves before.
    It does of one that a signal ends.

    Args:
        end: called at the end of a program that ends without an exception, in the rank's own process alone.
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
    """Print a rank's traceback in one write, and leave the launcher the time to pass it on.

    Args:
        heard_from: the rank whose error became one of this rank, and which has the first word.
    """
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stdout.flush()
    time.sleep(_TURN_S * (min(rank, _MOST_TURNS) if heard_from is None else min(heard_from, _MOST_TURNS) + 2))
    sys.stderr.write(f"\ndistnet: rank {rank} of {size or 'several'} failed; the job ends.\n{text}")
    sys.stderr.flush()
    time.sleep(_LAST_WORDS_S)
