"""The ranks of a job as MPI knows them; and those left of them when some have died.

Open MPI 5, started with ``--with-ft ulfm``, tells ranks of others that died instead of ending the job. A rank that is
told revokes all communicators, so that none goes on waiting, and all that are left make new ones together.

Source: MPI Forum, "User Level Failure Mitigation", the chapter on process fault tolerance proposed for MPI 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from distnet.comm.patience import TIMEOUT
from distnet.errors import CommunicationError, LostRanksError
from distnet.types import Array

SURVIVES = "OMPI_MCA_mpi_ft_enable"
"""The variable that Open MPI's launcher sets for ranks that may go on without others."""

_LOOKS_EVERY_S = 0.001


class Members:
    """The communicators of one job.

    Args:
        comm: of all ranks, an ``mpi4py.MPI.Intracomm``.
        mpi: the module ``mpi4py.MPI``.

    Attributes:
        node, nodes: the ranks of this node; those with this one's number on their nodes.
        meetings, notices: all ranks, for calls' names, and for what ranks tell each other besides collectives.
        local_ranks: each rank's number on its node.
        has_even_nodes: whether all nodes have equally many ranks.
    """

    def __init__(self, comm: Any, mpi: Any) -> None:
        self.all, self._mpi = comm, mpi
        self.node: Any = comm.Split_type(mpi.COMM_TYPE_SHARED)
        places = np.empty((comm.size, 2), np.int64)
        comm.Allgather(np.array([self.node.rank, self.node.size]), places)
        self.local_ranks: list[int] = places[:, 0].tolist()
        self.node_count = self.local_ranks.count(0)
        self.has_even_nodes = len(set(places[:, 1].tolist())) == 1
        is_one_node = self.node_count == 1
        self.nodes: Any = mpi.COMM_SELF.Dup() if is_one_node else comm.Split(self.node.rank, comm.rank)
        self.meetings: Any = comm.Dup()
        self.notices: Any = comm.Dup()
        self._agreement: Any = None

    @property
    def by_name(self) -> dict[str, Any]:
        """The communicators of collectives, by the names that these use."""
        return {"all": self.all, "node": self.node, "nodes": self.nodes, "meetings": self.meetings}

    def of_root(self, number: int) -> int:
        """The number that rank 0 passes."""
        numbers = np.array([number])
        self.all.Bcast(numbers)
        return int(numbers[0])

    def least(self, number: int) -> int:
        """The least that any rank passes; the ranks of a node pass the same."""
        least = np.array([number])
        if self.node_count > 1:
            self.all.Allreduce(self._mpi.IN_PLACE, least, self._mpi.MIN)
        return int(least[0])

    def revoke(self) -> None:
        """Let nobody go on waiting in these communicators."""
        for comm in (*self.by_name.values(), self.notices):
            if not comm.Is_revoked():
                comm.Revoke()

    def told(self, error: Exception) -> CommunicationError:
        """What to raise where MPI gives an error: ranks died, and all communicators are then revoked; or another one.

        Args:
            error: MPI's.
        """
        if not self._is_of_a_death(error, self.all):
            return self._of_no_death(error)
        return self.lost(str(error))

    def lost(self, reason: str) -> LostRanksError:
        """What to raise where ranks died; the communicators are then revoked."""
        self.revoke()
        dead = self._dead()
        who = f"rank{'s' if len(dead) > 1 else ''} {', '.join(map(str, dead))}" if dead else "another rank"
        return LostRanksError(
            f"rank {self.all.rank} cannot go on as it was: {who} died. ({reason}) Within fit, the others go on under "
            "keras.distribution.DataParallel(elastic=True)."
        )

    def _is_of_a_death(self, error: Any, comm: Any) -> bool:
        """Whether it says so, or ranks of the communicator died: Open MPI then gives ``MPI_ERR_OTHER``, too."""
        mpi = self._mpi
        is_told = error.Get_error_class() in (mpi.ERR_PROC_FAILED, mpi.ERR_PROC_FAILED_PENDING, mpi.ERR_REVOKED)
        return is_told or comm.Is_revoked() or comm.Get_failed().size > 0

    def _dead(self) -> list[int]:
        failed, everyone = self.all.Get_failed(), self.all.Get_group()
        numbers = failed.Translate_ranks(list(range(failed.size)), everyone)
        return sorted(map(int, numbers))

    def guarded(self, inner: Any = None) -> Guarded:
        """A request of these ranks, or their channel of notices, that tells of deaths."""
        return Guarded(inner, self._mpi.Exception, self.told)

    def settle(self, agreement: Any, is_settled: Array) -> None:
        """Wait until all ranks are at the end of a training; those that go on without another one join in ``left``.

        MPI knows agreements by their number, so all ranks must count the same ones, and none ends before all have come.

        Args:
            agreement: the request that tells the others that this rank is there.
            is_settled: (1,) whether all are; known once the request is complete.

        Raises:
            LostRanksError: not all are there, as a rank died.
        """
        try:
            agreement.wait()
            if not is_settled[0]:
                raise self.lost("others go on without it")
        except LostRanksError:
            self._agreement = agreement.request
            raise

    def left(self, timeout_s: float) -> tuple[Members, list[int]]:
        """The communicators of the ranks that are left, and these ranks' numbers here; every one of these calls it.

        All of them have the same, or none has: one more may die at any moment.

        Args:
            timeout_s: how long to wait for a rank that does not come; 0 for ever.

        Raises:
            CommunicationError: one does not come.
        """
        self.revoke()
        while True:
            self._await_all(timeout_s)
            comm = self.all.Shrink()
            made: tuple[Members, list[int]] | None = None
            try:
                made = Members(comm, self._mpi), comm.allgather(self.all.rank)
            except self._mpi.Exception as error:
                self._raise_unless_of_a_death(error, comm)  # one more has died meanwhile; all learn of it below
                comm.Revoke()
            if self._agreed(comm, made is not None) and made is not None:
                return made

    def _await_all(self, timeout_s: float) -> None:
        """Wait until every rank that lives is here: an agreement can be waited for with patience, a shrinking not.

        Ranks that wait in ``settle`` are in the same one, of which their part is one, that of the others zero.
        """
        request, self._agreement = self._agreement, None
        if request is None:
            request = self.guarded().started(partial(self.all.Iagree, np.zeros(1, np.int32)))
        since = time.monotonic()
        with suppress(LostRanksError):
            while not request.Test():
                if timeout_s and time.monotonic() - since > timeout_s:
                    raise CommunicationError(
                        f"rank {self.all.rank}: a rank died, but another one does not come to go on without it: "
                        f"{TIMEOUT} is over, {timeout_s:g} s."
                    )
                time.sleep(_LOOKS_EVERY_S)

    def _agreed(self, comm: Any, is_well: bool) -> bool:
        """Whether all is well on every rank, on which they agree whoever dies meanwhile."""
        try:
            return bool(comm.Agree(int(is_well)))
        except self._mpi.Exception as error:
            self._raise_unless_of_a_death(error, comm)
            return False

    def _raise_unless_of_a_death(self, error: Exception, comm: Any) -> None:
        if not self._is_of_a_death(error, comm):
            raise self._of_no_death(error) from error

    def _of_no_death(self, error: Exception) -> CommunicationError:
        return CommunicationError(f"rank {self.all.rank}: MPI failed, though no rank died: {error}")


class Guarded:
    """A request of MPI's, or a channel: what MPI says of dead ranks is raised as ``LostRanksError``.

    Args:
        inner: the request or channel.
        mpi_error: ``mpi4py.MPI.Exception``.
        told: makes the error, see ``Members.told``.
    """

    def __init__(self, inner: Any, mpi_error: type[Exception], told: Callable[[Exception], CommunicationError]) -> None:
        self._inner, self._mpi_error, self._told = inner, mpi_error, told

    def Test(self) -> bool:
        """Whether the request is complete."""
        return bool(self._guarded(self._inner.Test))

    def test(self) -> Any:
        """The same, with the message."""
        return self._guarded(self._inner.test)

    def isend(self, obj: Any, dest: int) -> Guarded:
        """Start to send."""
        return Guarded(self._guarded(self._inner.isend, obj, dest), self._mpi_error, self._told)

    def Ibarrier(self) -> Guarded:
        """Start to meet all ranks."""
        return self.started(self._inner.Ibarrier)

    def Ireduce_scatter_block(self, given: Array, taken: Array) -> Guarded:
        """Start to sum arrays over the ranks, of which rank i takes part i."""
        return self.started(partial(self._inner.Ireduce_scatter_block, given, taken))

    def iprobe(self) -> bool:
        """Whether a message is there."""
        return bool(self._guarded(self._inner.iprobe))

    def recv(self) -> Any:
        """The message."""
        return self._guarded(self._inner.recv)

    def started(self, start: Callable[[], Any]) -> Guarded:
        """The request that ``start`` gives."""
        return Guarded(self._guarded(start), self._mpi_error, self._told)

    def _guarded(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            return call(*args)
        except self._mpi_error as error:
            raise self._told(error) from error
