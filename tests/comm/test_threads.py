"""Each rank's BLAS threads: its share of the cores, or what the user says."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from distnet.comm import threads
from distnet.launcher import variables

EIGHT = frozenset(range(8))
THREADS = """
from threadpoolctl import threadpool_info
import distnet
from distnet import comm
world = comm.world()
pools = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
if world.rank == 0:
    print(world.blas_threads, *pools, flush=True)
"""

THREADS_OF_ALL = """
import distnet
from distnet import comm
world = comm.world()
found = world.allgather_object(world.blas_threads)
if world.rank == 0:
    print(*found, flush=True)
"""


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        ([EIGHT], 8),
        ([EIGHT] * 2, 4),
        ([EIGHT] * 3, 2),
        ([EIGHT] * 8, 1),
        ([EIGHT] * 20, 1),
        ([frozenset({0, 1}), frozenset({2, 3})], 2),
        ([frozenset({0}), frozenset({1, 2, 3})], 1),
        ([frozenset({1, 2, 3}), frozenset({0})], 1),
    ],
)
def test_the_ranks_of_a_node_share_its_cores(cores, expected):
    assert threads.threads_per_rank(cores) == expected


def test_this_process_has_cores():
    assert len(threads.available_cores()) >= 1


@pytest.mark.parametrize(
    ("environ", "share", "expected"),
    [
        ({}, None, 8),
        ({"OMP_NUM_THREADS": "3,2"}, None, 3),
        ({"OMP_NUM_THREADS": "many", "MKL_NUM_THREADS": "2"}, None, 8),
        ({"OPENBLAS_NUM_THREADS": "2"}, 4, 2),
        ({"OMP_NUM_THREADS": "99"}, None, 8),
        ({"PMI_SIZE": "1", "PMI_RANK": "0"}, None, 8),
        ({"PMI_SIZE": "3", "PMI_RANK": "0"}, None, 1),
        ({"PMI_SIZE": "3", "PMI_RANK": "0"}, 2, 2),
    ],
)
def test_a_process_computes_in_as_many_threads_as_it_is_told_or_has_cores(monkeypatch, environ, share, expected):
    for name in (*threads._SET_BY_USER, *variables()):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "available_cores", lambda: EIGHT)
    assert threads.Threads(share).count() == expected


@pytest.fixture
def unlimited():
    """Whatever a test does to the pools is undone."""
    with threadpool_limits():
        yield


def pools() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_is_held_at_its_share(unlimited):
    assert threads.limit_blas_threads(1, {}) == 1
    assert pools() == {1}


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"])
def test_what_the_user_set_stays(unlimited, name):
    before = pools()
    assert threads.limit_blas_threads(max(before) + 1, {name: "3"}) == max(before)
    assert pools() == before


@pytest.mark.parametrize("n", [2, 3])
def test_a_rank_has_its_share_of_the_cores(ranks, n):
    share = str(max(1, len(threads.available_cores()) // n))
    assert ranks(n).run(THREADS).succeeded().stdout.split() == [share, share]


def test_ranks_of_unequal_nodes_have_equally_many_threads(ranks):
    """Two nodes, of two ranks and of one, where MPICH pretends them."""
    job = ranks(3).run(THREADS_OF_ALL, env={"MPIR_CVAR_NUM_CLIQUES": "2"}).succeeded()
    found = job.stdout.splitlines()[0].split()  # MPI may say something of its own behind it
    assert len(found) == 3
    assert len(set(found)) == 1


def test_a_rank_has_the_threads_that_the_user_says(ranks):
    cores = len(threads.available_cores())
    wanted = 1 if cores >= 4 else 2
    job = ranks(2).run(THREADS, env={"OMP_NUM_THREADS": str(wanted)}).succeeded()
    assert job.stdout.split() == [str(min(wanted, cores))] * 2
