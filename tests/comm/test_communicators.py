"""One contract for every communicator."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from distnet.comm import LocalCommunicator

CONTRACT = Path(__file__).parents[1] / "tools" / "communicator_contract.py"
CHECKS = [name for name in runpy.run_path(str(CONTRACT)) if name.startswith("check_") and name != "check_all"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_process_alone_keeps_the_contract(check):
    runpy.run_path(str(CONTRACT))[check](LocalCommunicator())


@pytest.mark.parametrize("n", [2, 3])
def test_mpi_keeps_the_contract(ranks, n):
    job = ranks(n).run(CONTRACT).succeeded()
    assert job.stdout.split() == ["MPICommunicator", str(n)]


def test_one_rank_under_a_launcher_is_a_process_alone(ranks):
    assert ranks(1).run(CONTRACT).succeeded().stdout.split() == ["LocalCommunicator", "1"]
