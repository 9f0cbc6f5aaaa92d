"""A rank that fails before it has joined the job ends it all the same."""

from __future__ import annotations

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
