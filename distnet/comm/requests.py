"""Collectives under way: how a rank waits for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from distnet.comm.abreast import Abreast
from distnet.comm.watch import Waiting

_LOOKS_EVERY_S = 0.5

_YIELDS_S = {True: 1e-3, False: 1e-4}
"""How long a waiting rank yields its core before it sleeps, by whether each rank has a core. One that only yields takes
half of the core from a process that works there, be it another rank or none of the job's."""

_SLEEPS = 0.02
"""Of the time that it waited so far: about so much later at most does a rank see that its wait is over."""

_MESSAGE_YIELDS, _MESSAGE_SLEEPS = 10, 0.001
"""Times ``_YIELDS_S``, and in the place of ``_SLEEPS``, for messages: MPI moves them on only where it is asked."""

_LONGEST_SLEEP_S = 1e-3
"""Times the number of ranks for each core: those that wait look as often together, however many they are."""


class MPIRequest:
    """A non-blocking collective: ``wait`` leaves the core to other processes and notices ranks that will not come."""

    def __init__(self, abreast: Abreast, request: Any, what: str) -> None:
        self.abreast = abreast
        self.request = request
        self.what = what
        self.number = abreast.collectives

    def lend(self) -> Self:
        """This request, whose buffer is MPI's until it is complete, whatever error parts the ranks before."""
        self.abreast.lent.append(self.request)
        return self

    def test(self) -> bool:
        """Let MPI work at it, which it does in no other calls than its own; whether it is complete."""
        return bool(self.request.Test())

    def wait(self) -> None:
        """Return once the collective is complete on this rank.

        Raises:
            CommunicationError: a rank will not take part.
            Exception: another rank left the call with it.
        """
        if not self.request.Test():
            try:
                self._wait()
            except BaseException as error:
                self.abreast.abandon(None if isinstance(self.request, Polled) else self.request, error)
                raise
        self.abreast.take_back(self.request)

    def _wait(self) -> None:
        began = time.monotonic()
        looks_at = began + _LOOKS_EVERY_S
        crowd = max(self.abreast.crowd, 1.0)
        times, share = (1.0, _SLEEPS)
        if not isinstance(self.request, Polled):
            times, share = _MESSAGE_YIELDS / crowd, min(_MESSAGE_SLEEPS * crowd, _SLEEPS)
        yields_s, longest_s = times * _YIELDS_S[self.abreast.crowd <= 1], _LONGEST_SLEEP_S * crowd
        waiting: Waiting | None = None
        while not self.request.Test():
            waited_s = time.monotonic() - began
            if waited_s < yields_s:
                os.sched_yield()
            else:
                time.sleep(min(share * waited_s, longest_s))
            if time.monotonic() > looks_at:
                waiting = waiting or self.abreast.waiting(self.number, self.what, looks_at - _LOOKS_EVERY_S)
                self.abreast.look(waiting)
                looks_at = time.monotonic() + _LOOKS_EVERY_S
        if waiting is not None:
            self.abreast.end_of_wait(waiting)


@dataclass(frozen=True)
class Polled:
    """What is waited for without a message, in the form of a request."""

    is_done: Callable[[int], bool]
    number: int

    def Test(self) -> bool:
        return self.is_done(self.number)
