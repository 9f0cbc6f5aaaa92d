"""Sum and update by slices: each rank of a node does its share of the weights, in memory that the ranks share.

A rank's message can be read by its neighbours. Each sums one slice of the messages, which on several nodes is
then summed with the same slice of the other nodes, updates that slice of the weights with that slice of
the optimizer's slots, and copies the others' slices of the weights. Nobody reads what another may be writing:

    all write their messages | barrier | sum, update, publish a slice | barrier | copy the others' slices

The messages are written again only after the second barrier, the slices only after the next first one.
"""

from __future__ import annotations

import numpy as np

from distnet.comm import Communicator
from distnet.errors import CommunicationError
from distnet.optimizers import Optimizer
from distnet.parallel.exchange import Extra, Reduction, WholeReduction
from distnet.types import Array, DType
from distnet.variables import StorePart, VariableStore

LEAST_BYTES = 1 << 16
"""Of a message for which slices are worth two barriers."""

_LINE = 16
"""Slices begin at multiples of this number of entries: ranks do not write to one cache line."""


class Messages:
    """Memory for one message of each rank of the node: ``allocate`` of a ``VariableStore``."""

    def __init__(self, communicator: Communicator) -> None:
        self.communicator = communicator
        self.of_ranks: list[Array] = []
        """The messages by local rank; none where they are not shared."""

    def __call__(self, entries: int, dtype: DType) -> Array:
        ranks = self.communicator
        if entries * dtype.itemsize < LEAST_BYTES:
            return np.zeros(entries, dtype)
        stride = -(-entries // _LINE) * _LINE
        shared = ranks.shared_array(stride * ranks.local_size, dtype)
        if shared is None:
            return np.zeros(entries, dtype)
        self.of_ranks = [shared[i * stride : i * stride + entries] for i in range(ranks.local_size)]
        return self.of_ranks[ranks.local_rank]

    def reduction(self, store: VariableStore, optimizer: Optimizer) -> Reduction:
        """How the messages of this store are to be summed. The optimizer's slots may move to shared memory."""
        if not self.of_ranks:
            return WholeReduction(self.communicator, store)
        kind = SlicedUpdate if optimizer.is_elementwise else SlicedSum
        return kind(self.communicator, store, self.of_ranks, optimizer)


class SlicedSum:
    """Each rank sums a slice, and every rank updates all weights: for updates that need norms.

    Args:
        communicator: the ranks.
        store: holds this rank's message.
        messages: of the node's ranks.
        optimizer: whose steps they are.
    """

    def __init__(
        self, communicator: Communicator, store: VariableStore, messages: list[Array], optimizer: Optimizer
    ) -> None:
        self.communicator = communicator
        self.store = store
        self.messages = messages
        share = -(-store.size // (len(messages) * _LINE)) * _LINE
        starts = [min(rank * share, store.size) for rank in range(len(messages) + 1)]
        self.slices = [slice(*pair) for pair in zip(starts[:-1], starts[1:], strict=True)]
        self.mine = self.slices[communicator.local_rank]
        self.own = np.zeros(self.mine.stop - self.mine.start + store.extra.size, store.dtype)
        """The sums of this rank's slice, then those of what lies behind the gradients."""

    def step(self, optimizer: Optimizer) -> Extra:
        """Sum a slice, copy the others' sums, and update."""
        gradients, extra = self.sum()
        message = self.messages[self.communicator.local_rank]
        message[self.mine] = gradients
        self.communicator.local_barrier()
        for part, theirs in zip(self.slices, self.messages, strict=True):
            if part is not self.mine:
                message[part] = theirs[part]
        self.communicator.local_barrier()
        optimizer.apply(self.store)
        return extra

    def sum(self) -> tuple[Array, Extra]:
        """The sums of this rank's slice of the gradient, and of what lies behind it."""
        self.communicator.local_barrier()
        length = self.mine.stop - self.mine.start
        first, second, *others = self.messages
        # A sum that overflows is for the optimizer to see, as in the sums that MPI takes.
        with np.errstate(over="ignore", invalid="ignore"):
            for out, part in ((self.own[:length], self.mine), (self.own[length:], slice(self.store.size, None))):
                np.add(first[part], second[part], out=out)
                for message in others:
                    out += message[part]
        self.communicator.allreduce_across_nodes(self.own)
        return self.own[:length], Extra(self.own[length:])


class SlicedUpdate(SlicedSum):
    """Each rank sums and updates a slice. The optimizer's slots then lie in shared memory, once a node."""

    def __init__(
        self, communicator: Communicator, store: VariableStore, messages: list[Array], optimizer: Optimizer
    ) -> None:
        super().__init__(communicator, store, messages, optimizer)
        self.published = self._shared(store.size)
        for name, slot in optimizer.slots.items():
            shared = self._shared(store.size)
            shared[self.mine] = slot[self.mine]
            optimizer.slots[name] = shared
        communicator.local_barrier()

    def step(self, optimizer: Optimizer) -> Extra:
        """Sum and update a slice; copy the others' weights."""
        gradients, extra = self.sum()
        weights, mine = self.store.weights, self.mine
        optimizer.advance(StorePart(weights[mine], gradients, mine))
        self.published[mine] = weights[mine]
        self.communicator.local_barrier()
        weights[: mine.start] = self.published[: mine.start]
        weights[mine.stop :] = self.published[mine.stop :]
        optimizer.finish(self.store)
        return extra

    def _shared(self, entries: int) -> Array:
        array = self.communicator.shared_array(entries, self.store.dtype)
        if array is None:
            raise CommunicationError(
                f"rank {self.communicator.rank}: the ranks of this node shared memory for gradients, but cannot for "
                f"{entries} weights more. Give the job more memory, or each node fewer ranks."
            )
        return array
