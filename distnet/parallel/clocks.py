"""How far the clocks of ranks are apart, so that what ranks did can be shown on one axis of time."""

from __future__ import annotations

from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from distnet.comm import Communicator

_ROUNDS = 5
"""Questions to each rank; the one that was answered fastest counts."""


class ClockOffset(NamedTuple):
    """A rank's clock beside rank 0's.

    Args:
        offset_ns: its time less rank 0's time of the same moment.
        error_ns: how much the offset may be wrong.
    """

    offset_ns: int = 0
    error_ns: int = 0


def clock_offsets(ranks: Communicator) -> list[ClockOffset]:
    """The clocks of all ranks; the offsets hold on rank 0, which asks each rank in turn what time it is.

    The answer was given between question and answer: half of that time is the error. An offset that is smaller than
    its error is taken as none: processes of one machine read one clock.

    Source: Cristian, "Probabilistic clock synchronization", 1989.
    """
    time_ns = np.zeros(1, np.int64)
    offsets = [ClockOffset()]
    for rank in range(1, ranks.size):
        answers = []
        for _ in range(_ROUNDS):
            asked_ns = perf_counter_ns()
            ranks.broadcast(time_ns)
            if ranks.rank == rank:
                time_ns[0] = perf_counter_ns()
            ranks.broadcast(time_ns, rank)
            trip_ns = perf_counter_ns() - asked_ns
            answers.append((trip_ns, int(time_ns[0]) - asked_ns - trip_ns // 2))
        trip_ns, offset_ns = min(answers)
        error_ns = trip_ns // 2 + 1
        offsets.append(ClockOffset(offset_ns if abs(offset_ns) > error_ns else 0, error_ns))
    return offsets
