"""Which launcher started this process, and how many it started, as its environment says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_SIZE_VARIABLES = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "Open MPI's mpirun", "Open MPI"),
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "MVAPICH2's mpirun", None),
    ("PMI_SIZE", "PMI_RANK", "MPICH's or Intel MPI's mpirun", None),
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "Slurm's srun", None),
)


@dataclass(frozen=True)
class Launcher:
    """The program that started this process as one of several.

    Args:
        name: for messages.
        rank: number it gave this process.
        size: number of processes it started; None where it does not say.
        vendor: the only MPI whose programs it can start, by mpi4py's name; None where there are several.
    """

    name: str
    rank: int
    size: int | None
    vendor: str | None = None


def detect(environ: Mapping[str, str]) -> Launcher | None:
    """The launcher of this process; None when it was started alone.

    Open MPI is asked first because its ``mpirun`` may itself run within an ``srun`` step, whose
    variables are then inherited.
    """
    for size, rank, name, vendor in _SIZE_VARIABLES:
        if environ.get(size, "").isdigit() and environ.get(rank, "").isdigit():
            return Launcher(name, int(environ[rank]), int(environ[size]), vendor)
    if environ.get("PMIX_RANK", "").isdigit():
        return Launcher("a PMIx launcher", int(environ["PMIX_RANK"]), None)
    return None
