"""Which launcher the environment names."""

from __future__ import annotations

import pytest

from distnet.launcher import Launcher, detect

OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"}
SLURM = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}


@pytest.mark.parametrize(
    ("environ", "launcher"),
    [
        ({}, None),
        ({"PATH": "/bin", "SLURM_JOB_ID": "12", "SLURM_NTASKS": "8"}, None),
        (OPEN_MPI, Launcher("Open MPI's mpirun", 2, 4, "Open MPI")),
        ({"PMI_SIZE": "3", "PMI_RANK": "0"}, Launcher("MPICH's or Intel MPI's mpirun", 0, 3)),
        ({"MV2_COMM_WORLD_SIZE": "2", "MV2_COMM_WORLD_RANK": "1"}, Launcher("MVAPICH2's mpirun", 1, 2)),
        (SLURM, Launcher("Slurm's srun", 5, 8)),
        ({"PMIX_RANK": "1"}, Launcher("a PMIx launcher", 1, None)),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, Launcher("MPICH's or Intel MPI's mpirun", 0, 1)),
    ],
)
def test_each_launcher_is_known_by_its_variables(environ, launcher):
    assert detect(environ) == launcher


def test_an_mpirun_within_a_slurm_step_is_what_started_the_process():
    assert detect({**SLURM, **OPEN_MPI}) == Launcher("Open MPI's mpirun", 2, 4, "Open MPI")


@pytest.mark.parametrize("size", ["", "many", "-1"])
def test_a_variable_that_is_no_number_is_no_launcher(size):
    assert detect({**OPEN_MPI, "OMPI_COMM_WORLD_SIZE": size}) is None
