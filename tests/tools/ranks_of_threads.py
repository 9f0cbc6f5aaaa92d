"""Ranks that are threads of one process: what tests of sums over ranks share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


class Meeting:
    """Where n threads sum arrays."""

    def __init__(self, n):
        self.barrier, self.parts = Barrier(n), [None] * n

    def sum_for(self, rank):
        """The function that sums an array over all ranks, in place."""

        def sum_over_ranks(array):
            self.parts[rank] = array.copy()
            self.barrier.wait()
            array[...] = sum(self.parts)
            self.barrier.wait()

        return sum_over_ranks


def on_ranks(n, program):
    """What ``program(rank, sum_over_ranks)`` returns on each of n ranks."""
    meeting = Meeting(n)

    def run(rank):
        try:
            return program(rank, meeting.sum_for(rank))
        except BaseException:
            meeting.barrier.abort()
            raise

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))
