"""Trainings that go on when ranks die; ``elastic_trials.py`` runs many of them by hand."""

from __future__ import annotations

import json
import subprocess

import pytest

from distnet.distribution import DataParallel
from distnet.errors import ArgumentError
from elastic_trials import PROGRAM, SIZE, faults, reference
from jobs import Ranks

REFUSED = """
import distnet
distnet.distribution.set_distribution(distnet.distribution.DataParallel(elastic=True))
"""
UNEQUAL = """
import numpy as np
from distnet import comm
ranks = comm.world()
ranks.broadcast(np.zeros(1000 if ranks.rank == 0 else 1))
ranks.barrier()
"""
PLANS = {
    "one, in a forward pass": {"deaths": [[2, "forward", 5, "SIGKILL"]]},
    "the first, in a callback, then another": {
        "deaths": [[0, "on_epoch_end", 2, "SIGSEGV"], [3, "forward", 14, "0"]],
        "optimizer": "adamw",
    },
    "three at once": {
        "deaths": [[rank, "exchange", 7, "SIGKILL"] for rank in (0, 1, 3)],
        "optimizer": "sgd",
    },
    "one at the end, which others had reached": {"deaths": [[3, "end", 1, "SIGKILL"]], "late": [[0, "end", 1]]},
    "one, in the validation, of a generator": {"deaths": [[1, "summed", 3, "SIGKILL"]], "data": "generator"},
    "some, in steps of the model's own": {
        "deaths": [[3, "own step", 3, "SIGKILL"], [1, "own step done", 7, "SIGKILL"]],
        "is_own": True,
    },
    "one, with fixed blocks of rows": {
        "deaths": [[1, "update", 6, "SIGKILL"]],
        "distribution": {"reproducible_shards": 4},
    },
}


@pytest.fixture(scope="module")
def elastic_ranks(mpirun, tmp_path_factory):
    """Ranks that outlive others."""
    version = subprocess.run([mpirun[0], "--version"], capture_output=True, text=True, check=False).stdout
    if "(Open MPI) 5" not in version:
        pytest.skip(f"only Open MPI 5 lets ranks outlive others, and this is {version.splitlines()[0].strip()}")
    return Ranks((*mpirun, "--with-ft", "ulfm", "-n", str(SIZE)), tmp_path_factory.mktemp("elastic"))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_a_training_that_loses_ranks_ends_as_one_that_lost_none(name, elastic_ranks, tmp_path):
    plan = PLANS[name]
    elastic_ranks.run(PROGRAM, tmp_path, json.dumps(plan), timeout=100).succeeded()
    assert len(list(tmp_path.glob("died-*"))) == len(plan["deaths"])
    assert faults(tmp_path, reference(plan, tmp_path)) == []


@pytest.mark.slow
def test_a_generator_of_the_dead_rank_0_ends_the_job_by_name(elastic_ranks, tmp_path):
    plan = {"deaths": [[0, "forward", 5, "SIGKILL"]], "data": "generator"}
    job = elastic_ranks.run(PROGRAM, tmp_path, json.dumps(plan), timeout=100)
    job.failed("received a generator, from which rank 0 alone had drawn; rank 0 died", within=100)


@pytest.mark.slow
def test_a_death_before_the_training_ends_the_job_by_name(elastic_ranks, tmp_path):
    plan = {"deaths": [[2, "start", 1, "SIGKILL"]]}
    job = elastic_ranks.run(PROGRAM, tmp_path, json.dumps(plan), timeout=100)
    job.failed("LostRanksError: rank", "died", within=100)


def test_another_error_of_mpi_is_no_death(elastic_ranks):
    job = elastic_ranks.run(UNEQUAL, timeout=100)
    job.failed("MPI failed, though no rank died: MPI_ERR_TRUNCATE", within=100)
    assert "LostRanksError" not in job.stderr


def test_ranks_that_mpi_ends_together_are_told_what_to_start(ranks, mpirun):
    job = ranks(2).run(REFUSED)
    job.failed("elastic=True", "distnet run --elastic -n N script.py", "mpirun --with-ft ulfm", within=30)


def test_elastic_is_a_flag():
    with pytest.raises(ArgumentError, match=r"DataParallel\.elastic: expected True or False, received 'yes'"):
        DataParallel(elastic="yes")


def test_alone_it_changes_nothing(alone, tmp_path):
    alone.run(PROGRAM, tmp_path, json.dumps({})).succeeded()
    assert json.loads((tmp_path / "told.json").read_text())["ranks"] == 1
