"""Ranks that are threads of one process: what tests of sums over ranks share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, local

import numpy as np

from distnet import comm
from distnet.comm import LocalCommunicator


class Meeting:
    """Where n threads sum and gather arrays."""

    def __init__(self, n):
        self.barrier, self.parts = Barrier(n, timeout=30), [None] * n

    def gathered_for(self, rank, value):
        """The values of all ranks."""
        self.parts[rank] = value
        self.barrier.wait()
        parts = list(self.parts)
        self.barrier.wait()
        return parts

    def sum_for(self, rank):
        """The function that sums an array over all ranks, in place."""

        def sum_over_ranks(array):
            array[...] = sum(self.gathered_for(rank, array.copy()))

        return sum_over_ranks


class ThreadCommunicator(LocalCommunicator):
    """One thread's view of the others."""

    def __init__(self, meeting, rank):
        super().__init__(rank, len(meeting.parts), rank, len(meeting.parts), common_seed=1)
        self.meeting = meeting
        self.allreduce = meeting.sum_for(rank)

    def allgather_object(self, value):
        return self.meeting.gathered_for(self.rank, value)

    def allgather_rows(self, rows):
        return np.concatenate(self.meeting.gathered_for(self.rank, rows))

    def broadcast(self, buffer, root=0):
        buffer[...] = self.meeting.gathered_for(self.rank, buffer.copy())[root]

    def broadcast_object(self, value, root=0):
        return self.meeting.gathered_for(self.rank, value)[root]


def on_ranks(n, program):
    """What ``program(rank, sum_over_ranks)`` returns on each of n ranks."""
    meeting = Meeting(n)
    return together(meeting, lambda rank: program(rank, meeting.sum_for(rank)))


def as_ranks(n, program, monkeypatch):
    """What ``program(communicator)`` returns on each of n ranks; ``comm.world()`` is the communicator there."""
    meeting, own = Meeting(n), local()
    monkeypatch.setattr(comm, "world", lambda: own.communicator)

    def run(rank):
        own.communicator = ThreadCommunicator(meeting, rank)
        return program(own.communicator)

    return together(meeting, run)


def together(meeting, run):
    """What ``run(rank)`` returns in the thread of each rank; the error of the first that raised one of its own."""

    def guarded(rank):
        try:
            return run(rank)
        except BaseException:
            meeting.barrier.abort()
            raise

    with ThreadPoolExecutor(len(meeting.parts)) as pool:
        return list(pool.map(guarded, range(len(meeting.parts))))
