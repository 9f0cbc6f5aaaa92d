"""BLAS threads: each rank gets its share of the node's cores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from threadpoolctl import threadpool_info, threadpool_limits

_SET_BY_USER = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def available_cores() -> frozenset[int]:
    """The cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def threads_per_rank(cores_of_ranks: Sequence[frozenset[int]], local_rank: int) -> int:
    """BLAS threads for one rank of a node: the node's cores shared out, at least one.

    cores_of_ranks: the cores that each rank of the node may run on; a launcher may have bound them.
        cores_of_ranks: the cores each rank of the node may run on; a launcher may have bound them.
        local_rank: the rank asked about.
    """
    cores = frozenset().union(*cores_of_ranks)
    share = len(cores) // len(cores_of_ranks)
    return max(1, min(share, len(cores_of_ranks[local_rank])))


def limit_blas_threads(threads: int, environ: Mapping[str, str]) -> int:
    """Limit BLAS to ``threads`` unless the environment already sets a number; return the number in force."""
    if not any(environ.get(name) for name in _SET_BY_USER):
        threadpool_limits(limits=threads, user_api="blas")
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return int(max(pools, default=threads))
