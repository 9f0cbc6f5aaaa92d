"""A barrier of the ranks of one node, in memory that they share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distnet import kernels
from distnet.comm import Communicator
from distnet.types import Array, DType

_LOOKS = 200
"""At each counter, a few microseconds, before the core is offered to other processes."""


def counters_of(communicator: Communicator) -> tuple[int, DType]:
    """How many counters a barrier of this node's ranks takes, and their dtype; none where messages are used."""
    arrival = kernels.arrival()
    return communicator.local_size * (0 if arrival is None else arrival[1]), np.dtype(np.int64)


class NodeBarrier:
    """Waits until every rank of the node is here: by counters where that is possible, else by messages.

    A rank whose counter has come to a number has written all that it wrote before. The numbers are those of the
    communicator's collectives: they only grow, and an error that ends a call leaves none behind that a later wait
    could mistake for its own.

    Args:
        communicator: the ranks.
        counters: zeros that the ranks of the node share, as many as ``counters_of`` says; None if they share none.
    """

    def __init__(self, communicator: Communicator, counters: Array | None) -> None:
        self.communicator = communicator
        self._has_everybody_come: Callable[[int], bool] | None = None
        arrival = kernels.arrival()
        if arrival is not None and counters is not None:
            arrive, _ = arrival
            looks = _LOOKS if communicator.has_cores else 1
            self._has_everybody_come = lambda number: arrive(counters, communicator.local_rank, number, looks)

    def wait(self) -> None:
        """Return once every rank of this node has come here.

        Raises:
            CommunicationError: a rank will not come.
            DistnetError: another rank left the call with it.
        """
        if self._has_everybody_come is None:
            self.communicator.local_barrier()
        else:
            self.communicator.poll("barrier", self._has_everybody_come)
