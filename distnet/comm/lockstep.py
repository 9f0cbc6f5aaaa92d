"""Calls that run in turn within one process, each until it needs something of the others.

A call that comes to ``meet`` waits until all others have come to it; one of them runs at a time, in order. So code
written for several ranks runs for several blocks of rows in one process, and does the same each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any, Protocol, TypeVar

from distnet.errors import CommunicationError

T = TypeVar("T")


class _Abandoned(BaseException):
    """Ends a call whose neighbour has failed; no handler of the user's is meant."""


class Own(Protocol):
    """What a call has for itself of what the calls share."""

    def enter(self) -> None:
        """The call goes on."""

    def leave(self) -> None:
        """The call waits, or has ended."""


class Lockstep:
    """Runs as many calls as there are places.

    Args:
        places: what each call has for itself.
    """

    def __init__(self, places: Sequence[Own]) -> None:
        self._places, self.size = places, len(places)
        size = self.size
        self._pool = ThreadPoolExecutor(size - 1, "distnet block") if size > 1 else None
        self._turns = [Lock() for _ in range(size)]
        """Each is free while it is the turn of the call of its number."""
        for turn in self._turns:
            turn.acquire()
        self._whose = 0

    def run(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What the calls return, one for each place; the first one runs in this thread.

        Raises:
            BaseException: that of the first call that failed.
        """
        self._given: list[Any] = [None] * self.size
        self._has_ended = [False] * self.size
        self._errors: dict[int, BaseException] = {}
        self._returned: list[Any] = [None] * self.size
        self._places[0].enter()
        if self._pool is None:
            try:
                return [calls[0]()]
            finally:
                self._places[0].leave()
        context = copy_context()
        waiting = [
            self._pool.submit(context.copy().run, self._in_turn, number, calls[number])
            for number in range(1, self.size)
        ]
        self._guarded(0, calls[0])
        self._let_all_end()
        for future in waiting:
            future.result()
        self._places[0].enter()
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._returned

    def meet(self, number: int, name: str, given: object, together: Callable[[list[Any]], Any]) -> Any:
        """What ``together`` makes of all that the calls give, once all have come here.

        Args:
            number: of the call.
            name: of what is done here, the same for all.
            given: by this call.
            together: runs once, in the thread of the first call.

        Raises:
            CommunicationError: another call is somewhere else.
        """
        if self._pool is None:
            return together([given])
        self._given[number] = name, given
        self._places[number].leave()
        self._pass_on(number)
        self._await_turn(number)
        if self._errors:
            raise _Abandoned
        if number == 0:
            self._made = self._of_all(name, together)
        self._places[number].enter()
        return self._made

    def _of_all(self, name: str, together: Callable[[list[Any]], Any]) -> Any:
        for number in range(self.size):
            there = "at its end" if self._has_ended[number] else f"at {self._given[number][0]}"
            if there != f"at {name}":
                raise _apart(f"at {name}", number, there)
        return together([given for _, given in self._given])

    def _in_turn(self, number: int, call: Callable[[], object]) -> None:
        self._await_turn(number)
        if self._errors:
            self._has_ended[number] = True
        else:
            self._places[number].enter()
            self._guarded(number, call)
        self._pass_on(number)

    def _guarded(self, number: int, call: Callable[[], object]) -> None:
        try:
            self._returned[number] = call()
        except _Abandoned:
            pass  # the error that it is for is noted
        except BaseException as error:  # raised by ``run``
            self._errors[number] = error
        finally:
            if number == 0 and self._whose != 0:  # an interrupt came while others ran
                self._await_turn(0)
            self._has_ended[number] = True
            self._places[number].leave()

    def _let_all_end(self) -> None:
        """Let the others run to their ends, too; one that waits for more must fail."""
        while True:
            self._pass_on(0)
            self._await_turn(0)
            behind = [number for number in range(1, self.size) if not self._has_ended[number]]
            if not behind:
                return
            if not self._errors:
                self._errors[behind[0]] = _apart("at its end", behind[0], f"at {self._given[behind[0]][0]}")

    def _pass_on(self, number: int) -> None:
        """It is the turn of the next call that has not ended; the first one's comes in any case."""
        following = [*range(number + 1, self.size), 0]
        self._whose = next(other for other in following if other == 0 or not self._has_ended[other])
        self._turns[self._whose].release()

    def _await_turn(self, number: int) -> None:
        """An interrupt, which comes to the first call, waits for its turn."""
        interrupt: BaseException | None = None
        while True:
            try:
                self._turns[number].acquire()
            except BaseException as error:  # raised below
                interrupt = error
                continue
            break
        if interrupt is not None:
            raise interrupt


def _apart(here: str, number: int, there: str) -> CommunicationError:
    return CommunicationError(
        f"block 0 of the batch is {here}, but block {number} is {there}. Every block must run the same code: a layer, "
        "loss or metric may not choose by the rows at hand whether it sums over the batch."
    )
