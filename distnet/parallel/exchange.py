"""The sum over all ranks that a training step takes, and the update that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from distnet.comm import Communicator
from distnet.optimizers import Optimizer
from distnet.types import Array
from distnet.variables import VariableStore

_LOSS, _STOP, _LEAVE, _SUMS = 0, 1, 2, 3


def extra_size(entries: int) -> int:
    """Entries that a step's message needs behind the gradient, for so many sums of what is measured."""
    return _SUMS + entries


@dataclass(frozen=True)
class Extra:
    """What travels behind the gradient: loss, sums of what is measured, control word."""

    buffer: Array

    def write(self, loss: float, sums: Array, stop: bool, leave: bool) -> None:
        """Put in one rank's part."""
        self.buffer[_LOSS], self.buffer[_STOP], self.buffer[_LEAVE], self.buffer[_SUMS:] = loss, stop, leave, sums

    @property
    def loss(self) -> float:
        """The global batch's loss, in a sum."""
        return float(self.buffer[_LOSS])

    @property
    def sums(self) -> Array:
        """(entries,) float64, over the global batch."""
        return self.buffer[_SUMS:].astype(np.float64)

    @property
    def stop(self) -> bool:
        """Whether any rank asked to stop."""
        return bool(self.buffer[_STOP] > 0)

    @property
    def leave(self) -> bool:
        """Whether any rank was told that the job must end."""
        return bool(self.buffer[_LEAVE] > 0)


class Reduction(Protocol):
    """Ends a step: the ranks' messages are summed, and every rank's weights updated alike.

    Every rank puts in the sums over its own rows, scaled by the global batch. The gradient lies where the
    layers wrote it: nothing is packed.
    """

    def step(self, optimizer: Optimizer) -> Extra:
        """Sum and update; give the sums of what travels behind the gradients."""


@dataclass(frozen=True)
class WholeReduction:
    """Every rank gets the whole sum, and updates all weights: for one rank, few weights, or ranks that share no memory.

    Args:
        communicator: the ranks.
        store: holds the message.
    """

    communicator: Communicator
    store: VariableStore

    def step(self, optimizer: Optimizer) -> Extra:
        """Sum in place in the store, and update."""
        self.communicator.allreduce(self.store.message)
        optimizer.apply(self.store)
        return Extra(self.store.extra)
