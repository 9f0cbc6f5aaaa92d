"""What keeps a rank at the place where the others are: it counts calls and collectives, and survives errors."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NoReturn, TypeAlias

from distnet.comm.asked import asked
from distnet.comm.carried import Carried
from distnet.comm.collectives import Collective
from distnet.comm.notices import Left
from distnet.comm.rejoining import Rejoining
from distnet.comm.watch import Waiting, Watch
from distnet.errors import CommunicationError, LostRanksError

_KEPT = 1024
"""Collectives that a rank remembers: so far may another be behind after an error. Only a root's broadcasts go ahead."""

EndJob: TypeAlias = Callable[[type[BaseException], BaseException, TracebackType | None], NoReturn]


class Abreast:
    """The counts of one rank, and what it does about errors.

    Args:
        watch: what it hears of the others.
        local_ranks: of all ranks.
        take_part: takes part in a collective with nothing to give.
        end_job: ends the job with an error.

    Attributes:
        round: how often the ranks went on together after an error.
        met_by: the rank that was the first to meet the last of these errors.
        calls: number of the last call, or of the one under way.
        collectives: number of the last collective that was started.
        lent: requests that were started early, and not yet waited for.
        crowd: ranks of the node for each of its cores.
    """

    def __init__(
        self, watch: Watch, local_ranks: Sequence[int], take_part: Callable[[Collective], None], end_job: EndJob
    ) -> None:
        self.watch, self.local_ranks, self.take_part, self.end_job = watch, local_ranks, take_part, end_job
        self.round = self.met_by = self.calls = self.collectives = 0
        self.crowd = 1.0
        self._depth = self._thread = 0
        self._met_at = 0
        self._kept: deque[Collective] = deque(maxlen=_KEPT)
        self.lent: list[Any] = []
        self._abandoned: list[Any] = []
        self._before: Abreast | None = None
        self._left: Left | None = None
        self._has_met = False
        self._rejoining: Rejoining | None = None
        self._end: BaseException | None = None
        self._has_departed = False

    def go_on_from(self, before: Abreast) -> None:
        """Be in the call that the ranks were in when some of them died.

        Args:
            before: this rank's counts among all ranks; MPI may still write where its requests say.
        """
        self.calls, self._depth, self._thread = before.calls, before._depth, before._thread
        self.round, self.met_by, self._before = before.round, before.met_by, before
        self.crowd = before.crowd

    @property
    def is_within_call(self) -> bool:
        """Whether a call of distnet's is under way."""
        return self._depth > 0

    def begin(self, collective: Collective) -> None:
        """Count a collective that is about to be started, once the ranks have left an error behind them."""
        if self._left is not None or self._end is not None:
            self.rejoin()
        self.collectives += 1
        self._kept.append(collective)

    def begin_meeting(self) -> None:
        """The next collective is the first of a call."""
        self.rejoin()
        self._met_at = self.collectives + 1

    def begin_call(self) -> None:
        """Count it: an error that ends it is told with its number.

        Raises:
            CommunicationError: another thread of this process is within a call.
        """
        if self._depth and self._thread != threading.get_ident():
            raise self.fatal(
                CommunicationError(
                    f"rank {self.watch.rank}: two threads call distnet at once. Ranks must make the same calls in the "
                    "same order, which threads do not keep: let one thread make them all, one after the other, or "
                    "start a job for each."
                )
            )
        self._thread = threading.get_ident()
        self.calls += 1
        self._depth += 1

    def end_call(self, error: BaseException | None) -> None:
        """Tell the others of an error that ends it."""
        self._depth -= 1
        if error is not None:
            self.leave_by(error)

    def leave_by(self, error: BaseException) -> None:
        """Tell the others that this rank leaves with an error what all do; once until they go on together."""
        if self._has_departed:
            return
        if self._left is None and not isinstance(error, LostRanksError):  # of whom every rank is told
            self._left = Left(self.watch.rank, self.round, self.calls, self.collectives, Carried.of(error))
            self._has_met = error is not self.watch.heard
            self.watch.tell(self._left)

    def fatal(self, error: BaseException) -> BaseException:
        """The error, after which ranks cannot go on together: the next collective ends the job."""
        self._end = error
        return error

    def depart(self) -> None:
        """The program has ended, and this rank has left MPI: a call that is made nevertheless fails."""
        self.watch.close()
        self._has_departed = True
        self._end = CommunicationError(
            f"rank {self.watch.rank}: the program has ended, and the ranks have left MPI: no distnet call of all ranks "
            "can be made any more, as by __del__ of an object that lives on until then. Make it before the end."
        )

    def waiting(self, number: int, what: str, since: float) -> Waiting:
        """That this rank waits in a collective."""
        return Waiting(self.round, self.calls, number, what, since, number == self._met_at, asked())

    def look(self, waiting: Waiting) -> None:
        """While this rank waits, see whether the others will come. For errors see ``Watch.look``."""
        self.watch.look(waiting)
        if self._rejoining is None and self.watch.has_left_before(waiting):
            self._rejoining = self._begin_rejoining(self.collectives - 1, False)
        if self._rejoining is not None and self._rejoining.is_known(waiting, self._before_meeting()):
            self._end_round()
            waiting.round = self.round

    def end_of_wait(self, waiting: Waiting) -> None:
        """Once this rank need not wait any more, let it know where the others stood when they went on."""
        if self._rejoining is not None:
            self._rejoining.wait_until_known(waiting, self._before_meeting())
            self._end_round()

    def abandon(self, request: Any, error: BaseException) -> None:
        """Leave a collective by an error, while MPI may still write into its buffer; None if it has none."""
        if request is not None:
            self._abandoned.append(request)
        if isinstance(error, LostRanksError):
            return
        if isinstance(error, CommunicationError) and error is not self.watch.heard:
            self.fatal(error)
        elif not self._depth:
            self.leave_by(error)

    def take_back(self, request: Any) -> None:
        """Forget a lent request, which is complete."""
        self.lent = [each for each in self.lent if each is not request]

    def rejoin(self) -> None:
        """After an error, wait until every rank has left that call, and stands where the others do.

        Raises:
            CommunicationError: the ranks cannot go on together.
        """
        if self._end is not None and self._has_departed:
            raise self._end
        if self._end is not None:
            self.end_job(type(self._end), self._end, self._end.__traceback__)
        if self._left is None:
            return
        waiting = self.waiting(self.collectives, "what follows an error", time.monotonic())
        kept = list(self._kept) if self._rejoining is None else self._before_meeting()
        rejoining = self._rejoining = self._rejoining or self._begin_rejoining(self.collectives, self._has_met)
        try:
            rejoining.wait_until_known(waiting, kept)
            for missed in rejoining.missed():
                self.collectives += 1
                self._kept.append(missed)
                self.take_part(missed)
        except CommunicationError as error:
            self.fatal(error)
            raise
        for request in (*self._abandoned, *self.lent):
            complete(request)
        self._abandoned, self.lent = [], []
        self._end_round()

    def _before_meeting(self) -> list[Collective]:
        """The collectives before the one that this rank waits in, where a call begins."""
        return list(self._kept)[:-1]

    def _begin_rejoining(self, number: int, has_met: bool) -> Rejoining:
        return Rejoining(self.watch, self.round, number, has_met, self.local_ranks, self._work)

    def _work(self) -> None:
        """Let MPI work at what this rank has left: others may wait for its part, which MPI does in calls only."""
        for request in (*self._abandoned, *self.lent):
            request.Test()

    def _end_round(self) -> None:
        if self._rejoining is not None:
            self.met_by = self._rejoining.met_by
        self.round += 1
        self._left = self._rejoining = self.watch.heard = self.watch.heard_from = None


def complete(request: Any) -> None:
    """Wait for a collective that every rank takes part in."""
    while not request.Test():
        os.sched_yield()
