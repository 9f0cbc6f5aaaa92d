"""Ranks that are threads of one process, of which some die: what a training does then, at every single message."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from distnet import comm
from distnet.comm import LocalCommunicator
from distnet.comm.local import Done
from distnet.errors import LostRanksError

_PATIENCE_S = 10


class JobEnded(BaseException):
    """Ends the other threads where one met an error that it did not catch, as MPI's abort does."""


class Died(BaseException):
    """Ends a thread, as SIGKILL ends a process."""


@dataclass(frozen=True)
class Death:
    """When one rank dies.

    Args:
        rank: its first number.
        message: the number of the message at which it dies, from 0, among those that it takes part in.
        received_by: first numbers of the ranks that get that message all the same: its part in it was done.
    """

    rank: int
    message: int
    received_by: tuple[int, ...] | None = None


@dataclass
class Generation:
    """The ranks between two deaths."""

    members: list[int]
    parts: dict[int, dict[int, object]] = field(default_factory=dict)
    lost_at: tuple[int, tuple[int, ...]] | None = None
    survivors: set[int] = field(default_factory=set)


class MortalRanks:
    """Where the threads meet.

    Args:
        size: number of ranks.
        deaths: of them.
    """

    def __init__(self, size, deaths):
        self.changed, self.deaths = threading.Condition(), {death.rank: death for death in deaths}
        self.generations = [Generation(list(range(size)))]
        self.messages = [0] * size
        self.is_ended = False

    def gather(self, communicator, value, is_uniform=False):
        """The values of all ranks; raises where one of them died."""
        with self.changed:
            own, generation = communicator.identity, communicator.generation
            number, communicator.number = communicator.number, communicator.number + 1
            death = self.deaths.get(own)
            dies = death is not None and death.message == self.messages[own]
            self.messages[own] += 1
            if dies and (death.received_by is None or is_uniform):
                self.lose(generation, number, ())
            generation.parts.setdefault(number, {})[own] = pickle.dumps(value)
            if dies:
                self.lose(generation, number, death.received_by)
            self.changed.notify_all()
            self.wait(lambda: self.is_complete(generation, number) or self.is_lost(generation, number, own))
            if self.is_lost(generation, number, own):
                raise LostRanksError(f"rank {communicator.rank} cannot go on as it was: another one died")
            parts = generation.parts[number]
            return [pickle.loads(parts[member]) for member in generation.members]

    def lose(self, generation, number, received_by):
        """The calling thread dies."""
        generation.lost_at = generation.lost_at or (number, received_by)
        self.changed.notify_all()
        raise Died

    def is_complete(self, generation, number):
        return len(generation.parts.get(number, ())) == len(generation.members)

    def is_lost(self, generation, number, own):
        """Whether this rank gets nothing of this message any more."""
        if generation.lost_at is None:
            return False
        at, received_by = generation.lost_at
        return number > at or (number == at and own not in received_by) or not self.may_complete(generation, number)

    def may_complete(self, generation, number):
        dead = [member for member in generation.members if self.has_died(member)]
        return all(member in generation.parts.get(number, ()) for member in dead)

    def has_died(self, member):
        death = self.deaths.get(member)
        return death is not None and self.messages[member] > death.message

    def left(self, communicator):
        """Wait for all that live; the next generation."""
        with self.changed:
            generation = communicator.generation
            generation.survivors.add(communicator.identity)
            self.changed.notify_all()
            self.wait(lambda: generation.survivors >= {m for m in generation.members if not self.has_died(m)})
            at = self.generations.index(generation)
            if at + 1 == len(self.generations):
                self.generations.append(Generation([m for m in generation.members if not self.has_died(m)]))
            return self.generations[at + 1]

    def wait(self, is_over):
        assert self.changed.wait_for(lambda: self.is_ended or is_over(), _PATIENCE_S), "the ranks wait for each other"
        if self.is_ended:
            raise JobEnded

    def end(self):
        """End the job."""
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()


class MortalCommunicator(LocalCommunicator):
    """One thread's view of the others."""

    def __init__(self, ranks, identity):
        super().__init__(identity, len(ranks.messages), identity, len(ranks.messages), common_seed=1)
        self.can_survive = True
        self.ranks, self.identity, self.generation, self.number = ranks, identity, ranks.generations[0], 0

    def _gather(self, value):
        return self.ranks.gather(self, value)

    def survive(self):
        before = self.generation.members
        self.generation, self.number = self.ranks.left(self), 0
        self.rank = self.local_rank = self.generation.members.index(self.identity)
        self.size = self.local_size = len(self.generation.members)
        return [before.index(member) for member in self.generation.members]

    def settle(self):
        self.ranks.gather(self, None, is_uniform=True)

    def allreduce(self, buffer):
        buffer[...] = sum(self._gather(buffer))

    def iallreduce(self, buffer):
        self.allreduce(buffer)
        return Done()

    def broadcast(self, buffer, root=0):
        buffer[...] = self._gather(buffer)[root]

    def broadcast_object(self, value, root=0):
        return self._gather(value)[root]

    def scatter_object(self, values, root=0):
        return self._gather(values)[root][self.rank]

    def allgather_object(self, value):
        return self._gather(value)

    def allgather_rows(self, rows):
        return np.concatenate(self._gather(rows))

    def meet(self, call, error=None):
        self._gather(None)

    def barrier(self):
        self._gather(None)

    def relay(self, error, root=0):
        told = self._gather(None if error is None else str(error))[root]
        if error is not None:
            raise error
        if told is not None:
            raise RuntimeError(told)


def on_mortal_ranks(size, deaths, program, monkeypatch):
    """What ``program(communicator)`` returns on each rank, or what ended it: an error, ``Died`` or ``JobEnded``."""
    ranks, own = MortalRanks(size, deaths), threading.local()
    monkeypatch.setattr(comm, "world", lambda: own.communicator)

    def run(identity):
        own.communicator = MortalCommunicator(ranks, identity)
        try:
            return program(own.communicator)
        except (Died, JobEnded) as end:
            return end
        except Exception as error:
            ranks.end()
            return error

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(run, range(size))), ranks.messages
