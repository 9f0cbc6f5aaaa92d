"""What distnet asks of the other ranks: the one seam between training and message passing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from distnet.types import Array, DType

T = TypeVar("T")


class Request(Protocol):
    """A communication under way. Its buffer is lent until ``wait`` returns."""

    def wait(self) -> None: ...

    def test(self) -> bool:
        """Let it go on; whether it is complete. It must be waited for all the same."""


class Communicator(Protocol):
    """The ranks of one job. Methods are collective unless they say otherwise: all ranks call them in the same order."""

    rank: int
    """This process's number, 0 to size - 1."""
    size: int
    """Number of processes."""
    local_rank: int
    """This process's number among those of its node."""
    local_size: int
    """Number of processes on this node."""
    node_count: int
    """Number of nodes."""
    blas_threads: int | None
    """BLAS threads of this process; None if BLAS was left to itself."""
    has_cores: bool
    """Whether the node has a core for each of its ranks."""
    common_seed: int
    """32 random bits, drawn when the job was joined, the same on every rank."""
    errors: int
    """How often the ranks went on together after an error."""
    met_by: int
    """The rank that was the first to meet the last of these errors."""

    can_survive: bool
    """Whether ranks may go on when others die: they then raise ``LostRanksError`` where they wait for others."""

    def survive(self) -> list[int]:
        """After ``LostRanksError``, be a communicator of the ranks that are left; collective among these.

        Returns:
            The numbers that these had before, in order.

        Raises:
            CommunicationError: a rank that lives does not come.
        """

    def settle(self) -> None:
        """Return on all ranks, or raise ``LostRanksError`` on all, where ranks may die; elsewhere do nothing."""

    def allreduce(self, buffer: Array) -> None:
        """Sum ``buffer`` over all ranks, in place."""

    def iallreduce(self, buffer: Array) -> Request:
        """Start ``allreduce``; the buffer must not be touched until ``wait``."""

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Overwrite ``buffer`` with root's, in place."""

    def broadcast_object(self, value: T, root: int = 0) -> T:
        """Root's ``value``, pickled, on every rank."""

    def scatter_object(self, values: list[T] | None, root: int = 0) -> T:
        """This rank's entry of root's list, which has one value for each rank, pickled; other ranks pass None."""

    def allgather_object(self, value: T) -> list[T]:
        """Every rank's ``value``, in order of rank, on every rank."""

    def allgather_rows(self, rows: Array) -> Array:
        """The rows of all ranks, in order of rank; ranks may hold different numbers of rows, or none."""

    def meet(self, call: str, error: Exception | None = None) -> None:
        """Wait until every rank is here; fail unless all make this call, and none met an error before it.

        Every call that concerns all ranks begins with it: a script whose ranks diverge ends with an error that says
        where, instead of waiting in collectives that do not belong together.

        Args:
            error: what prevents this rank from making the call; the caller raises it if ``meet`` does not.
        """

    def begin_call(self) -> None:
        """Begin what every rank does; not collective."""

    def end_call(self, error: BaseException | None) -> None:
        """End it, with an error or without; see ``leave_by``."""

    def leave_by(self, error: BaseException) -> None:
        """Tell the other ranks that an error ends here what all do, so that none waits for this rank; not collective.

        Each of them raises it, too. A rank that continues all the same waits at its next collective until all others
        have raised it.
        """

    def relay(self, error: BaseException | None, root: int = 0) -> None:
        """Raise root's error on every rank, all at one place; the other ranks pass None.

        Raises:
            Exception: ``error``; elsewhere than on root with a note that names root.
        """

    def barrier(self) -> None:
        """Wait until every rank is here."""

    def shared_arrays(self, parts: Sequence[tuple[int, DType]]) -> list[Array] | None:
        """Zeros that the ranks of each node share: an array for each number of entries and dtype.

        None if nothing can be shared: one process alone, nodes of different numbers of ranks, or ranks that may not
        see each other's memory.
        """

    def iallreduce_across_nodes(self, buffer: Array) -> Request:
        """Start to sum ``buffer`` in place over the ranks with this ``local_rank``, one on each node."""

    def ialltoall(self, given: Array, taken: Array, across_nodes: bool = False) -> Request:
        """Start to send row i of ``given`` to rank i, whose row for this rank goes to row i of ``taken``.

        Args:
            given, taken: of one shape and dtype.
            across_nodes: whether only the ranks with this ``local_rank`` take part, of which rank i is on node i.
        """

    def iallgather(self, given: Array, taken: Array, across_nodes: bool = False) -> Request:
        """Start to send ``given`` to every rank; rank i's goes to row i of ``taken``."""

    def done_on_node(self, work: bytes) -> AbstractContextManager[bool]:
        """Whether another rank of the node has lately done the work within the block; not collective.

        One of the ranks that come does it, and the others wait, a minute at most. Where it fails, each does it itself.

        Args:
            work: names it; on all ranks alike.
        """

    def poll(self, what: str, is_done: Callable[[int], bool]) -> None:
        """Wait for something that needs no messages; like every collective it notices ranks that will not come.

        Args:
            what: its name, for messages.
            is_done: takes the collective's number, larger than that of any before; asked until it is true.
        """

    def local_barrier(self) -> None:
        """Wait until every rank of this node is here."""
