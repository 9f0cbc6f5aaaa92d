"""Which launcher the environment names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distnet.launcher import Launcher, detect

OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"}
SLURM = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5"}


@pytest.mark.parametrize(
    ("environ", "launcher"),
    [
        ({}, None),
        ({"PATH": "/bin", "SLURM_JOB_ID": "12", "SLURM_NTASKS": "8"}, None),
        (OPEN_MPI, Launcher("Open MPI's mpirun", 2, 4, "OMPI_COMM_WORLD_RANK", "Open MPI")),
        ({"PMI_SIZE": "3", "PMI_RANK": "0"}, Launcher("MPICH's or Intel MPI's mpirun", 0, 3, "PMI_RANK")),
        (
            {"MV2_COMM_WORLD_SIZE": "2", "MV2_COMM_WORLD_RANK": "1"},
            Launcher("MVAPICH2's mpirun", 1, 2, "MV2_COMM_WORLD_RANK"),
        ),
        (SLURM, Launcher("Slurm's srun", 5, 8, "SLURM_PROCID")),
        ({"PMIX_RANK": "1"}, Launcher("a PMIx launcher", 1, None, "PMIX_RANK")),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, Launcher("MPICH's or Intel MPI's mpirun", 0, 1, "PMI_RANK")),
    ],
)
def test_each_launcher_is_known_by_its_variables(environ, launcher):
    assert detect(environ) == launcher


def test_an_mpirun_within_a_slurm_step_is_what_started_the_process():
    assert detect({**SLURM, **OPEN_MPI}) == Launcher("Open MPI's mpirun", 2, 4, "OMPI_COMM_WORLD_RANK", "Open MPI")


@pytest.mark.parametrize("size", ["", "many", "-1"])
def test_a_variable_that_is_no_number_is_no_launcher(size):
    assert detect({**OPEN_MPI, "OMPI_COMM_WORLD_SIZE": size}) is None


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="other processes' environments are not told here")
def test_a_program_that_a_rank_starts_is_not_the_rank():
    question = "import os; from distnet.launcher import detect; print(detect(os.environ).started_this_process())"
    rank = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {question!r}])"]
    environment = {**os.environ, "PMI_SIZE": "2", "PMI_RANK": "1"}
    for command, answer in ((rank[:2] + [question], "True\n"), (rank, "False\n")):
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert said == answer
