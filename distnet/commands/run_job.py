"""``distnet run -n 4 train.py`` starts a program on several ranks, with whichever MPI is there."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from distnet.comm.threads import available_cores
from distnet.commands import machines as machines_of_job
from distnet.commands import rank_process
from distnet.commands.job_supervision import Job, Supervision, command_line, say
from distnet.commands.machines import Machine
from distnet.commands.mpi_launchers import found_launcher
from distnet.errors import ArgumentError, LaunchError

DESCRIPTION = "Start ranks of a Python program with MPICH, Open MPI or Intel MPI, and say which rank ended how."

EPILOG = """\
numpy.random and random have the same seed on every rank: a script that draws its data by chance trains as it stands.

With --max-restarts, the job is started again when it crashes, is killed, or saves itself and leaves with exit code 75
because it was told to end; machines that do not answer any more are left out. The program goes on from its newest
whole backup where it has the callback BackupAndRestore. SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 are passed on to the job,
which is then not started again.

environment:
  MPIRUN              the mpirun to use; by default the one beside the Python, else the first in PATH
  OMP_NUM_THREADS     BLAS threads of a rank; by default the cores of a machine shared among its ranks
  DISTNET_TIMEOUT_S   seconds without progress after which the job ends

The exit code is that of the job, with --max-restarts that of its last start.
"""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_COMPILED, _LONGEST_FIRST_LINE = b"\x7fELF", 200
_SEEDS = 1 << 32
_STOPPED_S = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "-n",
        "-np",
        dest="ranks",
        type=_count,
        metavar="N",
        help="number of ranks; by default one for each core or slot",
    )
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument("--hosts", metavar="HOSTS", help="machines to run on: a,b or, with numbers of ranks, a:4,b:2")
    machines.add_argument("--hostfile", metavar="FILE", help="file of machines, as MPICH, Open MPI or PBS write it")
    parser.add_argument("--mpirun", metavar="PATH", help="MPI's launcher")
    parser.add_argument(
        "--max-restarts", type=_number, default=0, metavar="N", help="start the job again, up to N times"
    )
    parser.add_argument(
        "--elastic",
        action="store_true",
        help="let the others go on when ranks die, as the program's DataParallel(elastic=True) wants; Open MPI 5",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="seconds without progress after which the job ends, 0 for never (DISTNET_TIMEOUT_S)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--prefix", action="store_true", help="begin each line of output with its rank")
    output.add_argument("--output", metavar="FOLDER", help="write each rank's output to FOLDER/rank-R.log")
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="S",
        help="of numpy.random and random on every rank; by default one drawn by chance",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the command, and start nothing")
    parser.add_argument("-m", dest="is_module", action="store_true", help="PROGRAM is a module, as for python -m")
    parser.add_argument("program", metavar="PROGRAM", help="a Python script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="its arguments")


def run_job(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run the job; return its exit code."""
    try:
        if not options.is_module and not os.path.isfile(options.program):
            raise ArgumentError(f"{options.program}: no such script.")
        if not options.is_module:
            _check_is_python(options.program)
        if options.output is not None and not options.dry_run:
            _make_folder(options.output)
        job = job_of(options, os.environ)
    except ArgumentError as error:
        parser.error(str(error))
    except LaunchError as error:
        say(str(error))
        return 1
    if options.dry_run:
        sys.stdout.write(command_line(job.command(), job.settings) + "\n")
        return 0
    return Supervision(options.max_restarts).run(job)


def job_of(options: argparse.Namespace, environ: Mapping[str, str]) -> Job:
    """The job that the options describe.

    Raises:
        ArgumentError: no machines are named where some should be.
        LaunchError: there is no MPI.
    """
    launcher = found_launcher(Path(sys.executable).parent, environ, options.mpirun)
    if options.elastic:
        launcher = launcher.outliving_ranks()
    cores = len(available_cores())
    machines = _machines(options)
    count = len(machines) or int(environ.get("SLURM_JOB_NUM_NODES", 1))
    by_slots = machines_of_job.ranks_of(machines, cores) if machines else cores * count
    ranks = options.ranks or int(environ.get("SLURM_NTASKS", by_slots))
    placed = machines_of_job.placed(machines, ranks) if machines else []
    most = max((machine.slots or 1 for machine in placed), default=-(-ranks // count))
    settings = {name: environ[name] for name in environ if name.startswith("DISTNET_") or name == "PYTHONPATH"}
    settings |= _threads(environ, cores, most) | {"PYTHONUNBUFFERED": "1"}
    if options.timeout is not None:
        settings["DISTNET_TIMEOUT_S"] = f"{options.timeout:g}"
    if options.max_restarts and launcher.is_open_mpi:
        settings.setdefault("DISTNET_STOP_SIGNALS", "TERM,USR1")  # see Supervision
    return Job(launcher, ranks, tuple(placed), _program(options, settings), settings, {**environ, **settings})


def _check_is_python(program: str) -> None:
    """Fail on a program of another kind, such as a script of a shell, which every rank would fail to read.

    Raises:
        ArgumentError: its first bytes say so.
    """
    with open(program, "rb") as file:
        first = file.readline(_LONGEST_FIRST_LINE)
    if first.startswith(_COMPILED) or (first.startswith(b"#!") and b"python" not in first):
        raise ArgumentError(
            f"{program}: expected a Python script, received a program of another kind. What it sets can be set before "
            f"'distnet run'; or start it with mpirun: mpirun -n N {program} python train.py."
        )


def _make_folder(folder: str) -> None:
    """Make the folder for the ranks' output, in which each makes a file.

    Raises:
        ArgumentError: it cannot be made, or written to.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArgumentError(f"--output: {folder!r}: {reason}. Name a folder that can be written to.") from error


def _machines(options: argparse.Namespace) -> list[Machine]:
    if options.hosts is not None:
        return machines_of_job.listed(options.hosts)
    return [] if options.hostfile is None else machines_of_job.in_file(options.hostfile)


def _threads(environ: Mapping[str, str], cores: int, ranks: int) -> dict[str, str]:
    """BLAS threads of a rank, which its libraries read when they are loaded."""
    if environ.get(_THREADS[0]):
        return {name: environ[name] for name in _THREADS if environ.get(name)}
    return dict.fromkeys(_THREADS, str(max(1, cores // ranks)))


def _program(options: argparse.Namespace, settings: Mapping[str, str]) -> tuple[str, ...]:
    """What every rank runs: the user's program, watched."""
    seed = secrets.randbelow(_SEEDS) if options.seed is None else options.seed
    watched = [sys.executable, "-P", rank_process.__file__, "--seed", str(seed)]
    watched += ["--stopped", settings.get("DISTNET_TIMEOUT_S") or f"{_STOPPED_S:g}"]
    watched += ["--prefix"] * options.prefix
    watched += [] if options.output is None else ["--folder", os.path.abspath(options.output)]
    return (*watched, "--", *(["-m"] * options.is_module), options.program, *options.arguments)


def _count(text: str) -> int:
    count = _number(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {text}")
    return count


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise argparse.ArgumentTypeError(f"expected a number, received {text}")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < _SEEDS):
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {_SEEDS - 1}, received {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of seconds, received {text}")
    return seconds
