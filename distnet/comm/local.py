"""One process without MPI: every sum is already complete."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from distnet.types import Array, DType

T = TypeVar("T")


class Done:
    """The request of a communication that is already complete."""

    def wait(self) -> None:
        """Return at once."""

    def test(self) -> bool:
        """True."""
        return True


@dataclass
class LocalCommunicator:
    """The communicator of a job of one rank."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    node_count: int = 1
    blas_threads: int | None = None
    has_cores: bool = True
    common_seed: int = field(default_factory=lambda: secrets.randbits(32))
    errors: int = 0
    met_by: int = 0
    can_survive: bool = False

    def survive(self) -> list[int]:
        """This rank alone is left, as it was before."""
        return [self.rank]

    def settle(self) -> None:
        """Nothing: this rank is here."""

    def allreduce(self, buffer: Array) -> None:
        """Leave the buffer as it is, the sum over one rank."""

    def iallreduce(self, buffer: Array) -> Done:
        """Leave the buffer as it is."""
        return Done()

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Leave the buffer as it is; this rank is root."""

    def broadcast_object(self, value: T, root: int = 0) -> T:
        """``value`` itself."""
        return value

    def scatter_object(self, values: list[T] | None, root: int = 0) -> T:
        """The one value."""
        return (values or [])[0]

    def allgather_object(self, value: T) -> list[T]:
        """``[value]``."""
        return [value]

    def allgather_rows(self, rows: Array) -> Array:
        """``rows`` itself."""
        return rows

    def meet(self, call: str, error: Exception | None = None) -> None:
        """Return at once."""

    def begin_call(self) -> None:
        """Do nothing."""

    def end_call(self, error: BaseException | None) -> None:
        """Do nothing."""

    def leave_by(self, error: BaseException) -> None:
        """Do nothing: no rank waits."""

    def relay(self, error: BaseException | None, root: int = 0) -> None:
        """Raise ``error``."""
        if error is not None:
            raise error

    def barrier(self) -> None:
        """Return at once."""

    def shared_arrays(self, parts: Sequence[tuple[int, DType]]) -> None:
        """None: there is nobody to share with."""

    def iallreduce_across_nodes(self, buffer: Array) -> Done:
        """Leave the buffer as it is, the sum over one node."""
        return Done()

    def ialltoall(self, given: Array, taken: Array, across_nodes: bool = False) -> Done:
        """Copy what this rank sends to itself."""
        taken[...] = given
        return Done()

    def iallgather(self, given: Array, taken: Array, across_nodes: bool = False) -> Done:
        """Copy what this rank sends to itself."""
        taken[0] = given
        return Done()

    def done_on_node(self, work: bytes) -> AbstractContextManager[bool]:
        """Nobody else has done it."""
        return nullcontext(False)

    def poll(self, what: str, is_done: Callable[[int], bool]) -> None:
        """Ask until it is done."""
        while not is_done(0):
            pass

    def local_barrier(self) -> None:
        """Return at once."""
