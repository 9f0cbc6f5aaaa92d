"""Large work of one process, shared out among its cores: a few threads compute parts of it at the same time.

Compiled loops and BLAS let go of Python's lock, so that threads run them side by side. How work is cut into parts does
not change what compiled loops write: each number is computed as it would be alone, and sums are taken in one order.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

from distnet.comm import subnormals, threads

Part = Callable[[], object]

LEAST_NS = 120_000
"""Work that takes one thread less time is not worth waking another, which takes 10 to 30 us."""

_LEAST_PART_NS = 50_000

_FINE_NS = 1_000_000
"""From here on each thread has two parts, so that others can take the second of one that was held up."""

_LOOKS = 100
"""How often a thread that waits for others looks before it sleeps: each time takes about 1 us."""

_NAP_S = 0.01

_LEAST_GAIN = 0.85
"""Of the time of one thread: the next work finds its numbers in the caches of several cores."""

_MOST_RESTS = 256
"""Works done alone, at most, before the team is tried again."""


class Team:
    """Threads that wait for work, and whoever hands it to them.

    Whoever is free takes the next part. A thread that is late, because the machine is busy, holds up nobody: the one
    that handed out the work takes what is left.

    Args:
        size: how many work, the one with the work among them.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._rests, self._next_rests = 0, 1
        self._is_busy = threading.Lock()
        self._job: _Job | None = None
        self._calls = [threading.Lock() for _ in range(size - 1)]
        for call in self._calls:
            call.acquire()
            threading.Thread(target=self._help, args=(call,), name="distnet helper", daemon=True).start()

    def do(self, parts: Sequence[Part]) -> None:
        """Call all parts, in any order, and return when they are done.

        While the team works for another thread, this one does it alone.

        Raises:
            BaseException: what the first of the parts that failed raised.
        """
        if not self._is_busy.acquire(blocking=False):
            for part in parts:
                part()
            return
        called, began = self._calls[: len(parts) - 1], time.perf_counter()
        job = self._job = _Job(parts)
        try:
            for call in called:
                if call.locked():
                    call.release()
            own = job.work()
            ended = time.perf_counter()
            job.wait()
            if own:
                self._note(time.perf_counter() - began, (ended - began) / own * len(parts))
        finally:
            job.parts.clear()
            job.wait()
            self._job = None
            self._is_busy.release()
        if job.errors:
            raise min(job.errors, key=lambda numbered: numbered[0])[1]

    def is_resting(self) -> bool:
        """Whether the next work is better done by one thread: others' programs keep the cores busy."""
        if not self._rests:
            return False
        self._rests -= 1
        return True

    def _note(self, taken: float, alone: float) -> None:
        """Rest for some time, longer each time, where work took nearly as long as it takes one thread."""
        if taken > _LEAST_GAIN * alone:
            self._rests = self._next_rests
            self._next_rests = min(2 * self._next_rests, _MOST_RESTS)
        else:
            self._next_rests = max(self._next_rests // 2, 1)

    def _help(self, call: Any) -> None:
        """Work whenever called."""
        while True:
            call.acquire()
            job = self._job
            if job is not None:
                job.help()
            del job  # and the arrays of its parts


class _Job:
    """Parts of work, which threads take one by one."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = deque(enumerate(parts))
        self._context = copy_context()
        """Of the thread with the work: among others how NumPy is to treat errors."""
        self._subnormals = subnormals.Setting()
        self.errors: list[tuple[int, BaseException]] = []
        self._come: list[None] = []
        self._gone: list[None] = []
        self._is_done = threading.Lock()
        self._is_done.acquire()

    def work(self) -> int:
        """Take parts from the front until there are none; returns how many there were."""
        return self._take(self.parts.popleft)

    def help(self) -> None:
        """Take parts from the end: each thread then has the same rows at each call, in the cache of its core."""
        self._come.append(None)
        self._subnormals.take_on()
        self._context.copy().run(self._take, self.parts.pop)
        self._gone.append(None)
        if len(self._gone) == len(self._come) and self._is_done.locked():
            self._is_done.release()

    def wait(self) -> None:
        """Return when all helpers that came are gone; who comes later sees no parts.

        They write into arrays until then, so that an interrupt waits, too.
        """
        interrupt: BaseException | None = None
        looks = 0
        while len(self._gone) < len(self._come):
            try:
                looks += 1
                if looks < _LOOKS:
                    time.sleep(0)
                else:
                    self._is_done.acquire(timeout=_NAP_S)
            except BaseException as error:  # raised below
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _take(self, take: Callable[[], tuple[int, Part]]) -> int:
        taken = 0
        while True:
            try:
                number, part = take()
            except IndexError:
                return taken
            taken += 1
            try:
                part()
            except BaseException as error:
                self.errors.append((number, error))


_teams: dict[int, Team] = {}
_making = threading.Lock()


def _forget() -> None:
    """A forked process has none of its parent's threads."""
    global _making
    _teams.clear()
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def team() -> Team | None:
    """The threads of this process; None if there is one only."""
    size = threads.OF_THIS_PROCESS.count()
    return _team_of(size) if size > 1 else None


def _team_of(size: int) -> Team:
    known = _teams.get(size)
    if known is None:
        with _making:
            known = _teams.get(size) or Team(size)
            _teams[size] = known
    return known


def is_one() -> bool:
    """Whether this process computes with one thread, so that nothing can be shared out."""
    return threads.OF_THIS_PROCESS.count() == 1


def takes_long(nanoseconds: float) -> bool:
    """Whether work that takes one thread so long is worth sharing, and there are others to share it with."""
    return nanoseconds >= LEAST_NS and not is_one()


def parts_of(count: int, nanoseconds: float, unit: int = 1, most: int = 2) -> list[slice]:
    """Parts of about equal size of ``count`` things; one if there is not enough to do.

    Args:
        nanoseconds: about how long one thread takes for all.
        unit: all parts but the last have a multiple of so many things.
        most: how many for each thread at most: 1 where each part has something to prepare.
    """
    if nanoseconds < LEAST_NS or (shared := team()) is None or shared.is_resting():
        return [slice(0, count)]
    each = most if nanoseconds > _FINE_NS * shared.size else 1
    units = -(-count // unit)
    parts = max(1, min(shared.size * each, units, int(nanoseconds / _LEAST_PART_NS)))
    edges = [min(units * i // parts * unit, count) for i in range(parts + 1)]
    return [slice(start, stop) for start, stop in zip(edges, edges[1:], strict=False)]


def do(parts: Sequence[Part]) -> None:
    """Call all parts, at the same time if there are several and this process has threads for them."""
    shared = team() if len(parts) > 1 else None
    if shared is not None:
        shared.do(parts)
        return
    for part in parts:
        part()


def share(loop: Callable[..., object], nanoseconds: float, places: Sequence[int], *args: Any) -> None:
    """Call a loop over rows, on parts of them at the same time if it takes long.

    Args:
        loop: computes each row in the same way whichever others it is given.
        nanoseconds: about how long one thread takes.
        places: which of the arguments have a first axis of rows; None among them stays.
    """
    if nanoseconds < LEAST_NS or is_one():
        loop(*args)
        return
    parts = []
    for rows in parts_of(len(args[places[0]]), nanoseconds):
        own = list(args)
        for place in places:
            own[place] = None if args[place] is None else args[place][rows]
        parts.append(partial(loop, *own))
    do(parts)


def sharing(loop: Callable[..., object], nanoseconds: float, places: Sequence[int], *args: Any) -> Part:
    """The call of ``share``, made ready: what takes short is called as it is."""
    return partial(loop, *args) if nanoseconds < LEAST_NS else partial(share, loop, nanoseconds, places, *args)


def cut(part_of: Callable[[slice, int], Part], count: int, nanoseconds: float, most: int = 2) -> Part:
    """Work that is made ready once: done as a whole, or, where it takes long, in parts that are cut anew each time.

    Args:
        part_of: makes ready what is to be done with some of ``count`` things; parts with different numbers may be done
            at the same time.
        nanoseconds, most: as for ``parts_of``.
    """
    whole = part_of(slice(0, count), 0)
    if nanoseconds < LEAST_NS:
        return whole

    def in_parts() -> None:
        if is_one() or len(parts := parts_of(count, nanoseconds, most=most)) == 1:
            whole()
        else:
            do([part_of(part, number) for number, part in enumerate(parts)])

    return in_parts
