"""The one sum over all ranks that a training step takes."""

from __future__ import annotations

import numpy as np

from distnet.comm import Communicator
from distnet.types import Array
from distnet.variables import VariableStore

_LOSS, _STOP, _LEAVE, _SUMS = 0, 1, 2, 3


class StepReduction:
    """Gradient, loss, sums of what is measured and control word, summed in one message.

    Every rank puts in the sums over its own rows, scaled by the global batch; afterwards every rank
    has the global ones. The gradient lies where the layers wrote it: nothing is packed.

    Args:
        communicator: the ranks.
        store: holds the message; must have ``extra_size(entries)`` extra entries.
        entries: number of the sums of what is measured.
    """

    def __init__(self, communicator: Communicator, store: VariableStore, entries: int) -> None:
        self.communicator = communicator
        self.store = store
        self.entries = entries

    @staticmethod
    def extra_size(entries: int) -> int:
        """Entries that the message needs behind the gradient."""
        return _SUMS + entries

    def sum(self, loss: float, sums: Array, stop: bool, leave: bool = False) -> None:
        """Sum this rank's message with all others', in place in the store."""
        extra = self.store.extra
        extra[_LOSS], extra[_STOP], extra[_LEAVE], extra[_SUMS:] = loss, stop, leave, sums
        self.communicator.allreduce(self.store.message)

    @property
    def loss(self) -> float:
        """The global batch's loss."""
        return float(self.store.extra[_LOSS])

    @property
    def sums(self) -> Array:
        """(entries,) float64, over the global batch."""
        return self.store.extra[_SUMS:].astype(np.float64)

    @property
    def stop(self) -> bool:
        """Whether any rank asked to stop."""
        return bool(self.store.extra[_STOP] > 0)

    @property
    def leave(self) -> bool:
        """Whether any rank was told that the job must end."""
        return bool(self.store.extra[_LEAVE] > 0)
