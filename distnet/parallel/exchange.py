"""The sum over all ranks that a training step takes, and the update that follows it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from distnet.comm import Communicator, Request
from distnet.optimizers import Optimizer
from distnet.parallel.buckets import Buckets, Finish, least_bytes
from distnet.parallel.compression import CompressedSum, Together
from distnet.types import Array
from distnet.variables import VariableStore

_LOSS, _STOP, _LEAVE, _READ, _CHECKS, _MEASURED = 0, 1, 2, 3, (4, 5), 6


class Control(NamedTuple):
    """The control word of a step: what one rank tells the others besides numbers to add.

    Args:
        stop: that training is to end.
        leave: that the job is to end.
        has_read: that it knows the checksums of all its data.
        checks: what ``StepChecks.tell`` gives.
    """

    stop: bool
    leave: bool
    has_read: bool = False
    checks: tuple[float, float] = (0.0, 0.0)


@dataclass
class StepSums:
    """What is sent after the gradient: the loss, the metrics' sums, the control word.

    Args:
        buffer: holds them, one rank's part or the global batch's; the next step writes there again.
        penalty: of the regularized weights. Every rank computes it, so none sends it.
    """

    buffer: Array
    penalty: float = 0.0

    def __post_init__(self) -> None:
        self._measured = self.buffer[_MEASURED:]

    @staticmethod
    def entries(measured: int) -> int:
        """Length of the buffer for this number of metrics' sums."""
        return _MEASURED + measured

    def write(self, loss: float, measured: Array, control: Control) -> None:
        """Put in one rank's part."""
        buffer = self.buffer  # entry by entry: numbers of several kinds at once would become an array first
        buffer[_LOSS] = loss
        buffer[_STOP], buffer[_LEAVE], buffer[_READ], (buffer[_CHECKS[0]], buffer[_CHECKS[1]]) = control
        if measured.size:
            self._measured[...] = measured

    @property
    def loss(self) -> float:
        """The loss, with the penalty."""
        return float(self.buffer.item(_LOSS)) + self.penalty

    @loss.setter
    def loss(self, value: float) -> None:
        self.buffer[_LOSS] = value

    @property
    def measured(self) -> Array:
        """(entries,) the metrics' sums."""
        return self._measured

    @property
    def stop(self) -> bool:
        """Whether any rank asked to stop."""
        return bool(self.buffer.item(_STOP) > 0)

    @property
    def have_read(self) -> int:
        """The number of ranks that have read all of their data."""
        return int(self.buffer.item(_READ))

    @property
    def checks(self) -> tuple[float, float]:
        """What ``StepChecks.hear`` is told."""
        return self.buffer.item(_CHECKS[0]), self.buffer.item(_CHECKS[1])

    @property
    def leave(self) -> bool:
        """Whether any rank was told that the job must end."""
        return bool(self.buffer.item(_LEAVE) > 0)


class Exchange(Protocol):
    """Ends a step: the ranks' messages are summed, and every rank's weights updated alike.

    Every rank puts in the sums over its own rows, scaled by the global batch. The gradient lies where the
    layers wrote it: nothing is packed.
    """

    buckets: Buckets
    """The message's parts, which may be sent before the step's end."""

    @property
    def slots_updated(self) -> slice:
        """The part of the optimizer's slots that this rank updates."""

    @property
    def nbytes(self) -> int:
        """Bytes of what the exchange holds besides the store's message and the slots."""

    def sum_and_update(self, optimizer: Optimizer) -> StepSums:
        """Sum and update; return the sums of what is sent after the gradients."""

    def weights_in_place(self) -> AbstractContextManager[None]:
        """Within the block nothing but ``sum_and_update`` may change trainable weights on more than one rank.

        The ranks, which must hold the same weights, may then share them.
        """


class WholeExchange:
    """Every rank gets the whole sum, and updates all weights: for one rank, few weights, or ranks that share no memory.

    Args:
        communicator: the ranks.
        store: holds the message.
        finish: see ``Buckets``.
        compression: of gradients that are sent; see ``pack``.
    """

    def __init__(
        self, communicator: Communicator, store: VariableStore, finish: Finish, compression: str | None = None
    ) -> None:
        self.communicator = communicator
        self.compression = compression if communicator.node_count > 1 else None
        self.store = store
        self.sums = StepSums(store.extra)
        self.buckets = Buckets(store, least_bytes(communicator), finish, self._send)

    @property
    def slots_updated(self) -> slice:
        """All."""
        return self.store.part

    @property
    def nbytes(self) -> int:
        """None."""
        return 0

    def sum_and_update(self, optimizer: Optimizer) -> StepSums:
        """Sum in place in the store, and update."""
        if self.communicator.size == 1:
            self.buckets.finish_alone()
        else:
            self.buckets.complete()
        optimizer.apply(self.store)
        return self.sums

    def weights_in_place(self) -> AbstractContextManager[None]:
        """Every rank keeps weights of its own."""
        return nullcontext()

    def _send(self, part: slice) -> Request:
        if self.compression is None:
            return self.communicator.iallreduce(self.store.message[part])
        gradients = self.store.gradients[part]
        compressed = CompressedSum(self.communicator, gradients, self.compression, across_nodes=False)
        after = self.store.message[part][gradients.size :]
        return Together(compressed, self.communicator.iallreduce(after)) if after.size else compressed
