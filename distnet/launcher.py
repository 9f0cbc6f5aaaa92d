"""Which launcher started this process, with how many others, and how it learns that one of them failed."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType, TracebackType
from typing import NoReturn

_is_ending = threading.Event()
_is_told, _is_claimed = threading.Event(), threading.Event()
"""Whether this process found itself named as the rank, or named itself."""
departures: list[Callable[[], object]] = []
"""What is to be done before this process ends, also by ``os._exit``."""

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
"""Variable with the number of the process that is the rank: set by what starts ranks, or by the rank."""
RANK_JOINED = "DISTNET_RANK_JOINED"
"""Variable that is set once that process has joined its job."""

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
        """Whether it started this process itself, or what it started says that this is the rank, not a script."""
        below = _tree().below_launcher(self.variable)
        return _is_told.is_set() or (below is not None and below[1] == os.getpid())


@dataclass(frozen=True)
class _Start:
    """What there was when distnet was imported.

    Args:
        process: this process's number.
        launcher: of this process.
        environment: its variables.
    """

    process: int
    launcher: Launcher | None
    environment: dict[str, str]


_start: _Start | None = None


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


def of_this_process(environ: MutableMapping[str, str]) -> Launcher | None:
    """The launcher that started this process as a rank; None for one alone, and for one that a rank started.

    The first process of a rank that asks is the rank, also below a script: it leaves its number in the environment. A
    process with this variable and another number was started by the rank, unless a launcher stands between. One that
    ``multiprocessing`` started is no rank, also where the rank asks later.
    """
    started = detect(environ)
    if started is None or started.size == 1 or _is_of_multiprocessing():
        return None
    holder = environ.get(RANK_PROCESS, "")
    if holder.isdigit() and int(holder) != os.getpid():
        if not _was_launched_by(int(holder)):
            return None
        environ.pop(RANK_JOINED, None)
    elif holder and not _is_claimed.is_set():
        _is_told.set()
    _is_claimed.set()
    environ[RANK_PROCESS] = str(os.getpid())
    return started


def of_this_program() -> Launcher | None:
    """As ``of_this_process``, by the environment when distnet was imported: the program may have cleared it."""
    if _start is not None and _start.process == os.getpid() and _start.launcher is not None:
        return _start.launcher
    return of_this_process(os.environ)


@contextmanager
def environment_of_start(started: Launcher) -> Iterator[None]:
    """Within the block the environment has again what the program has taken from it, if the launcher's is among it.

    MPI reads there how it reaches the launcher.
    """
    lost: dict[str, str] = {}
    if _start is not None and detect(os.environ) != started:
        lost = {name: value for name, value in _start.environment.items() if name not in os.environ}
    os.environ.update(lost)
    try:
        yield
    finally:
        for name in lost:
            os.environ.pop(name, None)


def forget() -> None:
    """Go by the environment as it is now."""
    global _start
    _start = None


def _is_of_multiprocessing() -> bool:
    """Whether ``multiprocessing`` started this process: by a fork, or anew, when it may be importing the program."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and (
        module.parent_process() is not None or getattr(module.current_process(), "_inheriting", False)
    )


def _tree() -> ModuleType:
    """Loaded when needed: ``distnet run`` runs this file alone, in processes that are no ranks."""
    from distnet import process_tree

    return process_tree


def _was_launched_by(rank: int) -> bool:
    """Whether a rank started a launcher, and that this process: a job within the job."""
    for process in _tree().ancestors(os.getpid()):
        if process == rank:
            return False
        if _tree().is_launcher(process):
            return True
    return False


def variables() -> list[str]:
    """The environment variables by which launchers are recognized."""
    return [name for sizes in _SIZE_VARIABLES for name in sizes[:2]] + ["PMIX_RANK"]


def watch_for_failure(end: Callable[[Launcher], None]) -> None:
    """Tell the other ranks of an uncaught exception or the program's end, even if this rank never joined MPI.

    Otherwise they would wait for it in ``MPI_Init``: MPICH's ``mpirun`` ignores a process that exits before, but not
    one that a signal ends.

    Args:
        end: called at the end of a program that ends without an exception, or by ``os._exit``, in the rank's own
            process only, if the launcher started it itself. Of a program within a script there may be several.
    """
    global _start
    started = of_this_process(os.environ)
    _start = _Start(os.getpid(), started, dict(os.environ))
    if started is None:
        return
    process, exit_now = os.getpid(), os._exit

    @atexit.register
    def leave() -> None:
        if started.size and os.getpid() == process and started.started_this_process():
            end(started)

    def leave_at_once(status: int) -> NoReturn:
        """Stands for ``os._exit``, after which the launcher would end the other ranks without a word."""
        if os.getpid() == process and not _is_ending.is_set():
            _is_ending.set()
            if threading.current_thread() is not threading.main_thread():
                _end_for_a_thread(started, status)
            leave()
            for depart in departures:
                depart()
        exit_now(status)

    def fail(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if os.getpid() != process:
            sys.__excepthook__(kind, error, trace)
            return
        report_failure(started.rank, started.size, kind, error, trace)
        _end_by_signal(started)

    os._exit = leave_at_once
    sys.excepthook = fail
    threading.excepthook = partial(_fail_in_thread, started, process)


def _fail_in_thread(started: Launcher, process: int, arguments: threading.ExceptHookArgs) -> None:
    """Stands for ``threading.excepthook``: an error that no code meets ends the job, in whichever thread."""
    error = arguments.exc_value
    if os.getpid() != process or error is None or isinstance(error, SystemExit):
        threading.__excepthook__(arguments)
        return
    error.add_note(
        f"It ended the thread {arguments.thread.name if arguments.thread else 'unknown'}, and ends the job: others "
        "may wait for its work. To go on without the thread, catch the error in it, or set threading.excepthook."
    )
    report_failure(started.rank, started.size, type(error), error, arguments.exc_traceback)
    _end_by_signal(started)


def ends_otherwise() -> None:
    """Say that this process ends by other means than ``os._exit`` of the user's program."""
    _is_ending.set()


def _end_for_a_thread(started: Launcher, status: int) -> None:
    """End a process that a thread wants to end, while the main thread may be in the middle of MPI's work."""
    for tell in before_reports:
        tell()
    say(
        f"\ndistnet: rank {started.rank} of {started.size or 'several'}: a thread called os._exit({status}) while "
        "others may wait for this rank; the job ends.\n"
    )
    time.sleep(_LAST_WORDS_S)
    _end_by_signal(started)


def _end_by_signal(started: Launcher) -> None:
    """End this process by a signal, and the script around it, which alone the launcher sees.

    A thread cannot take away the program's handler of SIGTERM, and no program handles SIGKILL.
    """
    below = _tree().below_launcher(started.variable)
    number = signal.SIGKILL
    if threading.current_thread() is threading.main_thread():
        number = signal.SIGTERM
        signal.signal(number, signal.SIG_DFL)
    for process in dict.fromkeys((os.getpid() if below is None else below[1], os.getpid())):
        os.kill(process, number)


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
    if sys.stdout is not None:
        sys.stdout.flush()
    time.sleep(_TURN_S * (min(rank, _MOST_TURNS) if heard_from is None else min(heard_from, _MOST_TURNS) + 2))
    say(f"\ndistnet: rank {rank} of {size or 'several'} failed; the job ends.\n{text}")
    time.sleep(_LAST_WORDS_S)


def say(text: str) -> None:
    """Write on standard error, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()
