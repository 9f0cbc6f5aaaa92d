"""Collectives of MPI as values: one that a rank missed it can take part in later, with nothing to give.

Source: MPI 4.1, chapter 6.12, on non-blocking collectives, which cannot be cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from distnet.types import Array

POLL = "poll"
"""The name of what ranks do together without a message, which needs nobody who missed it."""


class Collective(NamedTuple):
    """One collective, apart from what it carries.

    Args:
        what: its name: ``"allreduce"``, ``"broadcast"``, ``"allgather"``, ``"alltoall"``, ``"scatter"``, ``"barrier"``,
            ``"agree"``, or ``POLL``.
        among: which ranks take part: ``"all"``, ``"node"``, ``"nodes"``.
        dtype, entries: of what a rank gives, or root hands out.
        root: the rank that gives.
        lengths: of what each rank gives, or is given, where that differs.
        is_least: whether an allreduce takes the least, not the sum.
    """

    what: str
    among: str = "all"
    dtype: str = "u1"
    entries: int = 0
    root: int = 0
    lengths: tuple[int, ...] = ()
    is_least: bool = False

    def start(self, mpi: Any, comm: Any, given: Array | None, taken: Array | None) -> Any:
        """Start it on this rank.

        Args:
            mpi: the module ``mpi4py.MPI``.
            comm: the ranks.
            given: what this rank gives; where it is also where the result goes, ``taken`` is None.
            taken: where the result goes.
        """
        match self.what:
            case "allreduce":
                return comm.Iallreduce(mpi.IN_PLACE, given, mpi.MIN if self.is_least else mpi.SUM)
            case "broadcast":
                return comm.Ibcast(given, self.root)
            case "barrier":
                return comm.Ibarrier()
            case "agree":
                return comm.Iagree(given)
            case "alltoall":
                return comm.Ialltoall(self._in_bytes(mpi, given), self._in_bytes(mpi, taken))
            case "scatter":
                return comm.Iscatterv(None if given is None else self._in_lengths(mpi, given), taken, self.root)
        if self.lengths:
            return comm.Iallgatherv(given, self._in_lengths(mpi, taken))
        return comm.Iallgather(self._in_bytes(mpi, given), self._in_bytes(mpi, taken))

    def start_with_nothing(self, mpi: Any, comm: Any) -> tuple[Any, Sequence[Array]]:
        """Take part for the sake of the others, with zeros; the arrays must live until it is complete."""
        given: Array | None = np.zeros(self.entries, self.dtype)
        taken: Array | None = None
        if self.what == "scatter":
            given = np.zeros(sum(self.lengths), self.dtype) if comm.rank == self.root else None
            taken = np.empty(self.lengths[comm.rank], self.dtype)
        elif self.what == "allgather" and self.lengths:
            given, taken = np.zeros(self.lengths[comm.rank], self.dtype), np.empty(sum(self.lengths), self.dtype)
        elif self.what == "allgather":
            taken = np.empty((comm.size, self.entries), self.dtype)
        elif self.what == "alltoall":
            taken = np.empty(self.entries, self.dtype)
        return self.start(mpi, comm, given, taken), [a for a in (given, taken) if a is not None]

    def _in_lengths(self, mpi: Any, array: Array | None) -> list[Any]:
        return [array, (list(self.lengths), None), mpi.BYTE]

    @staticmethod
    def _in_bytes(mpi: Any, array: Array | None) -> list[Any]:
        return [array, mpi.BYTE]
