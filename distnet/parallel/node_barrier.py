"""A barrier of the ranks of one node, in memory that they share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distnet import kernels
from distnet.comm import Communicator

_LOOKS = 200
"""At each counter, a few microseconds, before the core is offered to other processes."""


class NodeBarrier:
    """Waits until every rank of the node is here: by counters where that is possible, else by messages.

    A rank whose counter has come to a number has written all that it wrote before. The numbers are those of the
    communicator's collectives: they only grow, and an error that ends a call leaves none behind that a later wait
    could mistake for its own.

    Args:
        communicator: the ranks.
    """

    def __init__(self, communicator: Communicator) -> None:
        self.communicator = communicator
        self._has_everybody_come: Callable[[int], bool] | None = None
        arrival = kernels.arrival()
        if arrival is not None:
            arrive, entries = arrival
            counters = communicator.shared_array(communicator.local_size * entries, np.dtype(np.int64))
            looks = _LOOKS if communicator.has_cores else 1
            if counters is not None:
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
