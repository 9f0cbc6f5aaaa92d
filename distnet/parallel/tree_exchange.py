"""The sum and update of a step whose sums run along one tree over fixed blocks of rows, on any number of ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from distnet.comm import Communicator, Request
from distnet.comm.local import Done
from distnet.comm.sum_tree import SumTree
from distnet.optimizers import Optimizer
from distnet.parallel.buckets import Buckets, Finish
from distnet.parallel.exchange import StepSums
from distnet.types import Array
from distnet.variables import VariableStore


class TreeExchange:
    """Every rank gets the whole sum, and updates all weights: for ranks that share no memory, or few weights.

    Each rank sums the subtrees whose blocks it holds; of what is above them it sums one piece of the message, and
    sends that to the others.

    Args:
        communicator: the ranks.
        store: its message is that of this rank's first block.
        messages: of this rank's blocks.
        held: the numbers of these blocks.
        tree: along which all sums run.
        finish: see ``Buckets``.
    """

    def __init__(
        self,
        communicator: Communicator,
        store: VariableStore,
        messages: Sequence[Array],
        held: range,
        tree: SumTree,
        finish: Finish,
    ) -> None:
        self.communicator, self.store, self.messages = communicator, store, messages
        self.held, self.tree = held, tree
        self.sums = StepSums(store.extra)
        self.buckets = Buckets(store, math.inf, finish, self._send)
        size = communicator.size
        self._nodes = tree.nodes_of_ranks(size)
        if size > 1:
            piece = -(-store.message.size // size)
            self._given = np.zeros((size, max(map(len, self._nodes)), piece), store.dtype)
            self._taken = np.zeros_like(self._given)
            self._pieces = np.zeros((size, piece), store.dtype)

    @property
    def slots_updated(self) -> slice:
        """All."""
        return self.store.part

    @property
    def nbytes(self) -> int:
        """Bytes of the messages of the other blocks, and of the pieces that ranks send."""
        pieces = [] if self.communicator.size == 1 else [self._given, self._taken, self._pieces]
        return sum(a.nbytes for a in (*self.messages[1:], *pieces))

    def sum_and_update(self, optimizer: Optimizer) -> StepSums:
        """Sum in place in the store, and update."""
        self.buckets.complete()
        optimizer.apply(self.store)
        return self.sums

    def weights_in_place(self) -> AbstractContextManager[None]:
        """Every rank keeps weights of its own."""
        return nullcontext()

    def _send(self, part: slice) -> Request:
        """Sum the whole message, which is one bucket."""
        own = self.tree.subtrees(self.held, self.messages)
        if self.communicator.size == 1:
            self.tree.sum_in_place(own)
            return Done()
        for number, summed in enumerate(own.values()):
            for piece, given in zip(self._cut(summed), self._given[:, number], strict=True):
                given[: piece.size] = piece
        self.communicator.ialltoall(self._given, self._taken).wait()
        parts = {
            node: self._taken[rank, number]
            for rank, nodes in enumerate(self._nodes)
            for number, node in enumerate(nodes)
        }
        self.communicator.iallgather(self.tree.sum_in_place(parts), self._pieces).wait()
        self.store.message[...] = self._pieces.reshape(-1)[: self.store.message.size]
        return Done()

    def _cut(self, message: Array) -> list[Array]:
        length = self._pieces.shape[1]
        return [message[rank * length : (rank + 1) * length] for rank in range(self.communicator.size)]
