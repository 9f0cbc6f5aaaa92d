"""Which rank this process is: for scripts that print or write files of their own."""

from __future__ import annotations

from distnet import comm
from distnet.comm import scope


def rank() -> int:
    """This process's number, 0 to ``size() - 1``; 0 when started alone."""
    return comm.world().rank


def size() -> int:
    """Number of processes of the job; 1 when started alone."""
    return comm.world().size


def is_chief() -> bool:
    """Whether this is rank 0, the one that prints and writes files."""
    return comm.world().rank == 0


@scope.on_all_ranks()
def barrier() -> None:
    """Wait until every rank is here; every rank must call it. In a callback, run by rank 0 alone, it does nothing."""
    scope.communicator().barrier()
