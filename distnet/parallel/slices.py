"""Sum and update by slices: each rank of a node does its share of the weights, in memory that the ranks share.

A rank's message can be read by its neighbours. Each sums one slice of the messages, which on several nodes is
then summed with the same slice of the other nodes, and updates that slice of the weights with that slice of
the optimizer's slots. Nobody reads what another may be writing:

    all write their messages | barrier | sum and update a slice | barrier | read the weights

The messages are written again only after the second barrier, the slices only after the next first one. While ``fit``
trains layers of distnet's own, the ranks of a node have one copy of the weights. Otherwise users' code may change
weights on every rank: each then has its own copy, publishes its slice, and copies the others'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np

from distnet.comm import Communicator, Request
from distnet.comm.fixed_blocks import blocks_of
from distnet.comm.local import Done
from distnet.comm.shared_memory import let_go_of
from distnet.comm.sum_tree import SumTree
from distnet.errors import ArgumentError
from distnet.kernels import LateSum
from distnet.optimizers import Optimizer
from distnet.optimizers.store_part import StorePart
from distnet.parallel.buckets import Buckets, Finish, least_bytes
from distnet.parallel.compression import CompressedSum, Together
from distnet.parallel.exchange import Exchange, StepSums, WholeExchange
from distnet.parallel.interruption import InterruptsHeld
from distnet.parallel.node_barrier import NodeBarrier, counters_of
from distnet.parallel.tree_exchange import TreeExchange
from distnet.types import Array
from distnet.variables import VariableStore, zeros_from_a_line

LEAST_BYTES = 1 << 16
"""Of a message for which slices are worth two barriers."""

_LINE = 16
"""Slices begin at multiples of this number of entries: ranks do not write to one cache line."""

LARGE_BYTES = 1 << 25
"""Of a message, from which on what a rank reads and writes at some time of a step only is not mapped all the time."""

_CHUNK = 1 << 20
"""Entries that are copied at once where memory counts."""


def exchange_of(
    communicator: Communicator,
    store: VariableStore,
    optimizer: Optimizer,
    measured: int,
    finish: Finish,
    compression: str | None = None,
    is_whole: bool = False,
) -> Exchange:
    """How the ranks are to sum the messages of this store, whose gradients move to where the message is.

    The optimizer's slots may move to shared memory.

    Args:
        measured: number of the metrics' sums.
        finish: makes the last changes to gradients before they are sent; see ``Buckets``.
        compression: of the gradients that nodes send each other; see ``pack``.
        is_whole: whether every rank is to have all sums and slots, so that others may die.
    """
    entries = store.size + StepSums.entries(measured)
    memory = None if is_whole else NodeMemory.of(communicator, communicator.local_size, entries, store, optimizer)
    if memory is None:
        store.move_gradients(zeros_from_a_line(entries, store.dtype))
        return WholeExchange(communicator, store, finish, compression)
    start = memory.messages.size // communicator.local_size * communicator.local_rank
    store.move_gradients(memory.messages[start : start + entries])
    kind = SlicedUpdate if optimizer.is_elementwise else SlicedSum
    return kind(communicator, store, memory, optimizer, finish, compression)


def exchange_of_blocks(
    communicator: Communicator,
    store: VariableStore,
    optimizer: Optimizer,
    measured: int,
    finish: Finish,
    tree: SumTree,
    is_whole: bool = False,
) -> tuple[Exchange, list[Array]]:
    """As ``exchange_of``, for messages that are summed along a tree; and the messages of this rank's blocks."""
    held = blocks_of(communicator.rank, communicator.size, tree.leaves)
    entries, is_one_node = store.size + StepSums.entries(measured), communicator.node_count == 1
    may_share = is_one_node and not is_whole
    memory = NodeMemory.of(communicator, tree.leaves, entries, store, optimizer) if may_share else None
    if memory is None:
        own = [np.zeros(entries, store.dtype) for _ in held]
        store.move_gradients(own[0])
        return TreeExchange(communicator, store, own, held, tree, finish), own
    stride = memory.messages.size // tree.leaves
    own = [memory.messages[block * stride : block * stride + entries] for block in held]
    store.move_gradients(own[0])
    kind = SlicedUpdate if optimizer.is_elementwise else SlicedSum
    return kind(communicator, store, memory, optimizer, finish, tree=tree), own


@dataclass(frozen=True)
class NodeMemory:
    """What the ranks of a node share.

    Args:
        messages: one of each rank of the node, at equal distances; with a tree, of each block of rows.
        counters: of the barrier between them.
        of_weights: as long as the weights: those that are published, and each of the optimizer's slots; none where
            every rank updates all weights.
    """

    messages: Array
    counters: Array
    of_weights: Sequence[Array]

    @classmethod
    def of(
        cls, communicator: Communicator, count: int, entries: int, store: VariableStore, optimizer: Optimizer
    ) -> NodeMemory | None:
        """Memory for so many messages of so many entries; None if not worth it or not shared."""
        if entries * store.dtype.itemsize < LEAST_BYTES:
            return None
        stride = -(-entries // _LINE) * _LINE
        like_weights = 1 + len(optimizer.slots) if optimizer.is_elementwise else 0
        parts = [(stride * count, store.dtype), counters_of(communicator), *[(store.size, store.dtype)] * like_weights]
        arrays = communicator.shared_arrays(parts)
        return None if arrays is None else cls(arrays[0], arrays[1], arrays[2:])


class SlicedSum:
    """Each rank sums a slice, and every rank updates all weights: for updates that need norms.

    Args:
        communicator: the ranks.
        store: holds this rank's message.
        memory: of the node.
        optimizer: whose steps they are.
        finish: see ``Buckets``.
        compression: of gradients that are sent; see ``pack``.
        tree: along which messages are summed, on one node; None to add one to the other.
    """

    def __init__(
        self,
        communicator: Communicator,
        store: VariableStore,
        memory: NodeMemory,
        optimizer: Optimizer,
        finish: Finish,
        compression: str | None = None,
        tree: SumTree | None = None,
    ) -> None:
        self.communicator, self.tree = communicator, tree
        self.barrier, self.held = NodeBarrier(communicator, memory.counters), InterruptsHeld.instead_of_default()
        self.store = store
        self.memory, ranks = memory.messages, communicator.local_size
        self.starts = range(0, self.memory.size, self.memory.size // (ranks if tree is None else tree.leaves))
        """Where each message begins."""
        self.messages = [self.memory[start : start + store.message.size] for start in self.starts]
        self.of_ranks = [self.messages[_first_message(rank, ranks, tree)] for rank in range(ranks)]
        """One message of each rank, by local rank."""
        share = -(-store.size // (ranks * _LINE)) * _LINE
        starts = [min(rank * share, store.size) for rank in range(ranks + 1)]
        self.slices = [slice(*pair) for pair in zip(starts[:-1], starts[1:], strict=True)]
        self.mine = self.slices[communicator.local_rank]
        self.starts_of_mine = np.array([start + self.mine.start for start in self.starts], np.intp)
        """Where this rank's slice begins in each message."""
        self.own = np.zeros(self.mine.stop - self.mine.start + store.extra.size, store.dtype)
        """The sums of this rank's slice, then those of what is sent after the gradients."""
        self.sums = StepSums(self.own[self.mine.stop - self.mine.start :])
        self.compression = compression if communicator.node_count > 1 else None
        self.buckets = Buckets(store, least_bytes(communicator), finish, self._send)
        self.share_slots(optimizer, memory.of_weights)

    @property
    def slots_updated(self) -> slice:
        """All."""
        return self.store.part

    @property
    def nbytes(self) -> int:
        """Bytes of the sums of this rank's slice."""
        return self.own.nbytes

    def share_slots(self, optimizer: Optimizer, of_weights: Sequence[Array]) -> None:
        """Nothing: every rank has all slots, and updates all weights."""

    def sum_and_update(self, optimizer: Optimizer) -> StepSums:
        """Sum a slice, copy the others' sums, and update."""
        with self.held:
            self.buckets.complete()
            message = self.of_ranks[self.communicator.local_rank]
            message[self.mine] = self.own[: self.mine.stop - self.mine.start]
            self.barrier.wait()
            for part, theirs in zip(self.slices, self.of_ranks, strict=True):
                if part is not self.mine:
                    message[part] = theirs[part]
            self.barrier.wait()
            optimizer.apply(self.store)
            return self.sums

    def weights_in_place(self) -> AbstractContextManager[None]:
        """Every rank keeps weights of its own: it updates them all."""
        return nullcontext()

    def _send(self, part: slice) -> Request:
        """Once all of the node have written a bucket, sum what lies in this rank's slice, and start to send it."""
        self.barrier.wait()
        mine = self.mine
        first, last = (min(max(bound, mine.start), mine.stop) for bound in (part.start, part.stop))
        summed = slice(first - mine.start, last - mine.start)
        self._add(self.own[summed], slice(first, last))
        has_more = part.stop > self.store.size
        if has_more:
            self._add(self.sums.buffer, slice(self.store.size, None))
        if self.compression is not None:
            sent: Request = CompressedSum(self.communicator, self.own[summed], self.compression, across_nodes=True)
            more = self.communicator.iallreduce_across_nodes(self.sums.buffer) if has_more else None
            return sent if more is None else Together(sent, more)
        return self.communicator.iallreduce_across_nodes(self.own[summed.start : None if has_more else summed.stop])

    def _add(self, out: Array, part: slice) -> None:
        """Sum a part of the node's messages; an overflowing sum is left to the optimizer, as in MPI's sums."""
        if self.tree is not None:
            is_of_all = part.start >= self.store.size  # what each rank sums, and may not change for the others
            parts = [np.array(message[part]) if is_of_all else message[part] for message in self.messages]
            leaves = {(block, block + 1): leaf for block, leaf in enumerate(parts)}
            out[...] = self.tree.sum_in_place(leaves)
            return
        first, second, *others = self.messages
        with np.errstate(over="ignore", invalid="ignore"):
            np.add(first[part], second[part], out=out)
            for message in others:
                out += message[part]


def _first_message(local_rank: int, size: int, tree: SumTree | None) -> int:
    return local_rank if tree is None else blocks_of(local_rank, size, tree.leaves)[0]


class SlicedUpdate(SlicedSum):
    """Each rank sums and updates a slice. The optimizer's slots then lie in shared memory, once a node.

    On one node the gradients are summed where the weights are updated, unless the optimizer asks for the sum before.
    """

    @property
    def slots_updated(self) -> slice:
        """This rank's slice."""
        return self.mine

    @property
    def nbytes(self) -> int:
        """Bytes of the sums of this rank's slice, and of the weights that are published."""
        return self.own.nbytes + (0 if self.store.own is not None else self.published.nbytes)

    def share_slots(self, optimizer: Optimizer, of_weights: Sequence[Array]) -> None:
        """Move the slots, and the weights that are published, to memory of the node."""
        self.published, *of_slots = of_weights
        for (name, slot), shared in zip(optimizer.slots.items(), of_slots, strict=True):
            shared[self.mine] = slot[self.mine]
            optimizer.slots[name] = shared
            self._let_go_of(shared)
        self.barrier.wait()

    def sum_and_update(self, optimizer: Optimizer) -> StepSums:
        """Sum and update a slice; copy the others' weights, unless they are shared."""
        with self.held:
            self.buckets.complete()
            weights, mine, is_shared = self.store.weights, self.mine, self.store.own is not None
            if self._is_large:
                self._make_room()
            optimizer.advance(StorePart(weights[mine], self._gradients(), mine, self._add_over_slices))
            if not is_shared:
                self.published[mine] = weights[mine]
            if self._is_large:
                self._let_go_of(*self._neighbours(), *list(optimizer.slots.values())[-1:])
            self.barrier.wait()
            if not is_shared:
                weights[: mine.start] = self.published[: mine.start]
                weights[mine.stop :] = self.published[mine.stop :]
            optimizer.finish(self.store)
            return self.sums

    def _gradients(self) -> Array | LateSum:
        """Of this rank's slice, summed or to be summed."""
        own = self.own[: self.mine.stop - self.mine.start]
        return LateSum(self.memory, self.starts_of_mine, own) if self._sums_late else own

    def _add_over_slices(self, squares: Array) -> None:
        """Sum over the ranks of a node, each of which has a slice; other nodes have the same."""
        if self.tree is not None:
            raise ArgumentError(
                "clipnorm, global_clipnorm: expected to be set before the training starts, where reproducible_shards "
                "keeps the bits the same on any number of ranks; they were set within it. Set them before fit."
            )
        self.communicator.allreduce(squares)
        squares /= self.communicator.node_count

    @property
    def _sums_late(self) -> bool:
        return self.communicator.node_count == 1 and self.tree is None

    def _send(self, part: slice) -> Request:
        if not self._sums_late:
            return super()._send(part)
        self.barrier.wait()
        self._add(self.sums.buffer, slice(self.store.size, None))
        return Done()

    @contextmanager
    def weights_in_place(self) -> Iterator[None]:
        """Within the block the ranks of this node have one copy of the weights, unless constraints change them."""
        if any(span.variable.constraint is not None for span in self.store.spans):
            yield
            return
        self.published[self.mine] = self.store.weights[self.mine]
        self.barrier.wait()
        self.store.move_weights(self.published, self.mine)  # those before are freed, unless somebody refers to them
        try:
            yield
        finally:
            self.store.move_weights(self._copied())

    def _copied(self) -> Array:
        """The published weights, in memory of this rank's own."""
        own = np.empty_like(self.published)
        self._let_go_of(self.memory)
        for start in range(0, own.size, _CHUNK):
            chunk = slice(start, start + _CHUNK)
            own[chunk] = self.published[chunk]
            self._let_go_of(self.published[chunk])
        return own

    def _make_room(self) -> None:
        """For the update: weights and gradients of the others' slices are not used until the next forward pass."""
        own = self.store.message
        for array in (own, *([self.published] if self.store.own is not None else [])):
            self._let_go_of(array[: self.mine.start], array[self.mine.stop :])

    def _neighbours(self) -> Iterator[Array]:
        """The other ranks' gradients of this rank's slice."""
        for rank, message in enumerate(self.of_ranks):
            if rank != self.communicator.local_rank:
                yield message[self.mine]

    def _let_go_of(self, *arrays: Array) -> None:
        """Unmap them until they are used again; see ``let_go_of``."""
        if self._is_large:
            for array in arrays:
                let_go_of(array)

    @property
    def _is_large(self) -> bool:
        return self.store.message.nbytes >= LARGE_BYTES
