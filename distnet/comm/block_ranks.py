"""Fixed blocks of rows as ranks: what code that runs for one block knows of the others, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from distnet.comm.base import Communicator
from distnet.comm.fixed_blocks import blocks_of
from distnet.comm.local import Done, LocalCommunicator
from distnet.comm.lockstep import Lockstep, Own
from distnet.comm.sum_tree import SumTree
from distnet.types import Array

T = TypeVar("T")


class HeldBlocks:
    """The blocks that this rank holds, which run in turn.

    Args:
        ranks: who hold all blocks.
        tree: along which sums over the blocks are taken.
        places: what each of this rank's blocks has for itself.
    """

    def __init__(self, ranks: Communicator, tree: SumTree, places: Sequence[Own]) -> None:
        self.ranks, self.tree = ranks, tree
        self.numbers = blocks_of(ranks.rank, ranks.size, tree.leaves)
        """Of this rank's, among all."""
        self.lockstep = Lockstep(places)
        self.members = [BlockCommunicator(self, place) for place in range(len(self.numbers))]
        """One for each block held."""

    def summed(self, arrays: Sequence[Array]) -> Array:
        """The sum over all blocks of their arrays; takes the memory of this rank's."""
        return self.tree.total(self.ranks, self.numbers, arrays)

    def holder_of(self, block: int) -> int:
        """The rank that holds a block."""
        return next(
            rank for rank in range(self.ranks.size) if block in blocks_of(rank, self.ranks.size, self.tree.leaves)
        )


class BlockCommunicator(LocalCommunicator):
    """A block's view of all blocks: its rank is its number. Sums are taken along the tree.

    Args:
        held: the blocks of this process.
        place: of this one among them.
    """

    def __init__(self, held: HeldBlocks, place: int) -> None:
        number, size = held.numbers[place], held.tree.leaves
        super().__init__(number, size, number, size, common_seed=held.ranks.common_seed)
        self._held, self._place = held, place

    def allreduce(self, buffer: Array) -> None:
        """Sum over all blocks, in place."""

        def summed(buffers: list[Array]) -> Array:
            return self._held.summed([np.array(each) for each in buffers])

        buffer[...] = self._meet("allreduce", buffer, summed)

    def iallreduce(self, buffer: Array) -> Done:
        """Sum at once."""
        self.allreduce(buffer)
        return Done()

    def allgather_rows(self, rows: Array) -> Array:
        """The rows of all blocks, in order."""
        gathered: Array = self._meet(
            "allgather_rows", rows, lambda parts: self._held.ranks.allgather_rows(np.concatenate(parts))
        )
        return gathered.copy()

    def allgather_object(self, value: T) -> list[T]:
        """Every block's value, in order."""

        def gathered(values: list[T]) -> list[T]:
            return [each for of_rank in self._held.ranks.allgather_object(values) for each in of_rank]

        return list(self._meet("allgather_object", value, gathered))

    def broadcast(self, buffer: Array, root: int = 0) -> None:
        """Overwrite ``buffer`` with that of block ``root``."""

        def of_root(buffers: list[Array]) -> Array:
            sent = np.array(buffers[root - self._held.numbers.start if root in self._held.numbers else 0])
            self._held.ranks.broadcast(sent, self._held.holder_of(root))
            return sent

        buffer[...] = self._meet("broadcast", buffer, of_root)

    def broadcast_object(self, value: T, root: int = 0) -> T:
        """The value of block ``root``."""
        return self.allgather_object(value)[root]

    def scatter_object(self, values: list[T] | None, root: int = 0) -> T:
        """This block's entry of the list of block ``root``."""
        return (self.broadcast_object(values, root) or [])[self.rank]

    def relay(self, error: BaseException | None, root: int = 0) -> None:
        """Raise the error of block ``root`` on every block."""
        raised = self.broadcast_object(error, root)
        if raised is not None:
            raise raised

    def meet(self, call: str, error: Exception | None = None) -> None:
        """Wait until every block is here, of all ranks; an error ends the step anyway."""
        if error is None:
            self._meet(call, None, lambda given: self._held.ranks.meet(call))

    def barrier(self) -> None:
        """Wait until every block is here."""
        self.meet("barrier")

    def iallreduce_across_nodes(self, buffer: Array) -> Done:
        """Nothing: all blocks are of one node here."""
        return Done()

    def _meet(self, name: str, given: object, together: Callable[[list[Any]], Any]) -> Any:
        return self._held.lockstep.meet(self._place, name, given, together)
