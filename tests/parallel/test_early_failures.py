"""A rank that fails before it has joined the job ends it all the same."""

from __future__ import annotations

import pytest

LEAVING = """
import os, sys
import distnet as keras
if sys.argv[1] in ("all", os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK"))):
    sys.exit(int(sys.argv[2]))
keras.distribution.barrier()
"""

EARLY = """
import os, sys
import distnet as keras
if sys.argv[1] in ("all", os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK"))):
    open("/nowhere/table.csv")
keras.distribution.barrier()
"""


def test_a_rank_that_fails_before_the_first_call_ends_the_job_by_name(ranks):
    job = ranks(3).run(EARLY, "1", timeout=40)
    job.failed("distnet: rank 1 of 3 failed; the job ends.", "FileNotFoundError", "/nowhere/table.csv")


def test_an_error_of_all_ranks_ends_the_job(ranks):
    ranks(3).run(EARLY, "all", timeout=40).failed("of 3 failed; the job ends.", "FileNotFoundError")


def test_a_process_alone_fails_as_python_does(alone):
    job = alone.run(EARLY, "all").failed("FileNotFoundError")
    assert job.returncode == 1
    assert "distnet: rank" not in job.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_a_rank_that_leaves_before_the_first_call_ends_the_job(ranks, code):
    job = ranks(3).run(LEAVING, "1", code, timeout=40)
    job.failed("CommunicationError", "the program of rank 1 has ended before its first distnet call")


@pytest.mark.parametrize("code", [0, 2])
def test_ranks_that_all_leave_keep_their_exit_code(ranks, code):
    job = ranks(3).run(LEAVING, "all", code, timeout=40)
    assert job.returncode == code, job
    assert "distnet" not in job.stderr  # Open MPI tells of every exit code but 0


def test_a_program_that_a_rank_starts_is_no_rank(ranks):
    program = (
        "import subprocess, sys, distnet as keras\n"
        "keras.distribution.barrier()\n"
        "subprocess.run([sys.executable, '-c', 'import distnet'], check=True)\n"
        "keras.distribution.barrier()\n"
    )
    assert not ranks(2).run(program).succeeded().stderr
