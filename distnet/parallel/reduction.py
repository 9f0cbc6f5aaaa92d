"""The one sum over all ranks that a training step takes."""

from __future__ import annotations

import numpy as np

from distnet.comm import Communicator
from distnet.types import Array
from distnet.variables import VariableStore

_LOSS, _STOP, _METRICS = 0, 1, 2


class StepReduction:
    """Gradient, loss, metric sums and control word, summed in one message.

    Every rank puts in the sums over its own rows, scaled by the global batch; afterwards every rank
    has the global ones. The gradient lies where the layers wrote it: nothing is packed.

    Args:
        communicator: the ranks.
        store: holds the message; must have ``extra_size(metric_entries)`` extra entries.
        metric_entries: total length of the metrics' sums.
    """

    def __init__(self, communicator: Communicator, store: VariableStore, metric_entries: int) -> None:
        self.communicator = communicator
        self.store = store
        self.metric_entries = metric_entries

    @staticmethod
    def extra_size(metric_entries: int) -> int:
        """Entries that the message needs behind the gradient."""
        return _METRICS + metric_entries

    def sum(self, loss: float, metric_sums: Array, stop: bool) -> None:
        """Sum this rank's message with all others', in place in the store."""
        extra = self.store.extra
        extra[_LOSS], extra[_STOP], extra[_METRICS:] = loss, stop, metric_sums
        self.communicator.allreduce(self.store.message)

    @property
    def loss(self) -> float:
        """The global batch's loss."""
        return float(self.store.extra[_LOSS])

    @property
    def metric_sums(self) -> Array:
        """(metric_entries,) float64, over the global batch."""
        return self.store.extra[_METRICS:].astype(np.float64)

    @property
    def stop(self) -> bool:
        """Whether any rank asked to stop."""
        return bool(self.store.extra[_STOP] > 0)
