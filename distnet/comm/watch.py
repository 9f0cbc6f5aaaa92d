"""What a rank does while it waits for others: it learns which ranks will not come, and asks which do not answer.

Besides collectives, ranks send each other notices, which only a rank that waits long reads: a training step costs
nothing more. The settings are those of Horovod's stall inspector: a warning, and an end of the job.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from distnet.comm.asked import is_of_tensors
from distnet.comm.carried import Carried
from distnet.comm.collectives import Collective
from distnet.comm.notices import Answer, AtWork, Ended, Left, Missed, Position, Question, Stalled
from distnet.comm.patience import TIMEOUT, Patience
from distnet.errors import CommunicationError
from distnet.types import Array

SAME_CALLS = (
    "All ranks must make the same distnet calls: fit, evaluate, predict, save and barrier are for every rank, not for "
    "rank 0 alone."
)

SAME_TENSORS = (
    "A tensor in a loop of your own holds this rank's rows: all ranks must ask for its values together. Ask on every "
    "rank, then let one print: value = tensor.numpy(); if keras.distribution.is_chief(): print(value)."
)

_ANSWERS_S = 2.0
"""Time in which every waiting rank answers: it looks for questions twice a second."""
_SHOWING_S = 2.0
"""Time in which ranks show where they are, before the job ends."""
_TELLS_EVERY_S = 20.0
"""How often a rank tells that it goes on, while it works at what others wait for."""


class Channel(Protocol):
    """Where notices go: an ``mpi4py.MPI.Intracomm`` of their own."""

    def isend(self, obj: Any, dest: int) -> Any: ...

    def iprobe(self) -> bool: ...

    def recv(self) -> Any: ...

    def Ibarrier(self) -> Any: ...

    def Ireduce_scatter_block(self, given: Array, taken: Array) -> Any: ...


class _Closed:
    """Stands for a channel once MPI has ended."""

    def isend(self, obj: Any, dest: int) -> Any:
        """Nobody hears it."""
        return self

    def test(self) -> tuple[bool, None]:
        """Of what nobody hears: nothing is left to do."""
        return True, None

    def iprobe(self) -> bool:
        """Nothing comes."""
        return False

    def recv(self) -> Any:
        """Nothing comes."""

    def Ibarrier(self) -> Any:
        """Nobody meets."""
        return self

    def Ireduce_scatter_block(self, given: Array, taken: Array) -> Any:
        """Nobody meets."""
        return self


@dataclass
class Waiting:
    """A collective that this rank waits in.

    Args:
        round: how often the ranks have gone on together after an error.
        call: number of the call that it belongs to.
        number: number of the collective.
        what: name of the collective, for messages.
        since: when the waiting began, by ``time.monotonic``.
        is_meeting: whether its call begins with this collective.
        caller: what of the user's program waits, and where.
    """

    round: int
    call: int
    number: int
    what: str
    since: float
    is_meeting: bool = False
    caller: str = ""
    asked_at: float | None = None
    is_reported: bool = False
    answers: dict[int, Answer] = field(default_factory=dict)


class Watch:
    """The notices of one rank: what it heard, and what it says.

    Args:
        channel: carries notices, and nothing else.
        rank: this rank.
        size: number of ranks.
        patience: how long it waits.

    Attributes:
        show: shows where this rank is, and its neighbours of these numbers, given what it waits in.
        sent_to: how many notices each rank was sent.
        received: how many this rank has heard.
        heard_from: the rank whose error this rank has raised.
        heard: that error.
    """

    def __init__(self, channel: Channel, rank: int, size: int, patience: Patience) -> None:
        self.channel, self.rank, self.size, self.patience = channel, rank, size, patience
        self._ended: dict[int, Ended] = {}
        self._left: dict[int, Left] = {}
        self._positions: dict[int, dict[int, Position]] = {}
        self._missed: dict[int, Missed] = {}
        self._questions: dict[int, Question] = {}
        self._answers: list[Answer] = []
        self._sent: list[Any] = []
        self.sent_to, self.received = np.zeros(size, np.int64), 0
        self._stalled: Stalled | None = None
        self._progress_at, self._told_at = -math.inf, time.monotonic()
        self.show: Callable[[Sequence[int], str], None] = _show_nothing
        self.heard_from: int | None = None
        self.heard: BaseException | None = None

    def tell(self, notice: object) -> None:
        """Send a notice to every other rank."""
        for other in range(self.size):
            if other != self.rank:
                self._send(notice, other)

    def go_on(self) -> None:
        """Tell the others, now and then, that this rank works at what they wait for."""
        now = time.monotonic()
        if now - self._told_at >= min(_TELLS_EVERY_S, self.patience.timeout_s / 4 or _TELLS_EVERY_S):
            self._told_at = now
            self.tell(AtWork(self.rank))

    def have_gone(self) -> bool:
        """Whether MPI has sent all that this rank told."""
        self._sent = [request for request in self._sent if not request.test()[0]]
        return not self._sent

    def hear(self) -> None:
        """Read the notices that have arrived."""
        while self.channel.iprobe():
            self.received += 1
            match self.channel.recv():
                case Ended() as ended:
                    self._ended[ended.rank] = ended
                case Left() as left:
                    self._left[left.rank] = left
                case Position() as position:
                    self._positions.setdefault(position.round, {})[position.rank] = position
                case Missed() as missed:
                    self._missed[missed.round] = missed
                case Question() as question:
                    self._questions[question.rank] = question
                case Answer() as answer:
                    self._answers.append(answer)
                case AtWork():
                    self._progress_at = time.monotonic()
                case Stalled() as stalled:
                    self._stalled = stalled

    def not_ended(self) -> list[int]:
        """The other ranks that have not told that their program has ended."""
        self.hear()
        return [rank for rank in range(self.size) if rank != self.rank and rank not in self._ended]

    def close(self) -> None:
        """Say and hear nothing any more: MPI has ended."""
        self.channel, self._sent = _Closed(), []

    def look(self, waiting: Waiting) -> None:
        """Read notices, answer, and after some time ask the others and report who is missing.

        Raises:
            CommunicationError: the collective can never complete, or ``DISTNET_TIMEOUT_S`` has passed.
            Exception: another rank left this call with it.
        """
        self.hear()
        self._raise_what_a_rank_left_with(waiting)
        self._fail_if_a_rank_has_ended(waiting)
        self._ask_and_answer(waiting)
        if self._stalled is not None:
            self.show(self._stalled.awaited, _placed(waiting))
            self._stalled = None

    def has_left_before(self, waiting: Waiting) -> bool:
        """Whether a rank left the call before this one with an error that this rank did not meet."""
        return waiting.is_meeting and any(
            left.round == waiting.round and left.call == waiting.call - 1 for left in self._left.values()
        )

    def positions(self, waiting: Waiting) -> list[Position] | None:
        """Where the other ranks stand after the errors of the round; None as long as one has not told.

        Raises:
            CommunicationError: a rank's program has ended.
        """
        self.hear()
        told = self._positions.get(waiting.round, {})
        if len(told) == self.size - 1:
            del self._positions[waiting.round]
            return list(told.values())
        for ended in self._ended.values():
            raise CommunicationError(
                f"rank {self.rank} goes on after an error, but the program of rank {ended.rank} has ended."
            )
        self._ask_and_answer(waiting)
        return None

    def missed(self, round_: int) -> tuple[Collective, ...] | None:
        """What this rank did not take part in; None as long as it was not told."""
        self.hear()
        told = self._missed.pop(round_, None)
        return None if told is None else told.collectives

    def tell_one(self, notice: object, rank: int) -> None:
        """Send a notice to one rank."""
        self._send(notice, rank)

    def raised(self, error: Carried, rank: int) -> BaseException:
        """The error, which this rank raises because ``rank`` met it."""
        made = error.raised_on_other_ranks(rank)
        if not isinstance(made, SystemExit):  # all ranks end, or go on as if nothing had been
            self.heard_from, self.heard = rank, made
        return made

    def _send(self, notice: object, rank: int) -> None:
        self.have_gone()  # the buffers of those that have not must live
        self.sent_to[rank] += 1
        self._sent.append(self.channel.isend(notice, rank))

    def _raise_what_a_rank_left_with(self, waiting: Waiting) -> None:
        gone = [
            left for left in self._left.values()
            if left.round == waiting.round and left.call >= waiting.call and left.number < waiting.number
        ]  # fmt: skip
        if gone:
            first = min(gone, key=lambda left: (left.number, left.rank))
            raise self.raised(first.error, first.rank)

    def _fail_if_a_rank_has_ended(self, waiting: Waiting) -> None:
        for ended in self._ended.values():
            if ended.number < waiting.number:
                when = "" if ended.number else " before its first distnet call"
                raise CommunicationError(
                    f"rank {self.rank} waits in {_placed(waiting)}, but the program of rank {ended.rank} has "
                    f"ended{when}. {_remedy(waiting.caller)}"
                )

    def _ask_and_answer(self, waiting: Waiting) -> None:
        for question in self._questions.values():
            answer = Answer(self.rank, question.number, waiting.number, waiting.what, waiting.caller)
            self._send(answer, question.rank)
        self._questions.clear()
        now = time.monotonic()
        if waiting.asked_at is None and now - waiting.since >= self.patience.asks_after_s:
            waiting.asked_at = now
            self.tell(Question(self.rank, waiting.number))
        elif waiting.asked_at is not None and now - waiting.asked_at >= _ANSWERS_S:
            self._report(waiting, now - waiting.since)

    def _report(self, waiting: Waiting, waited_s: float) -> None:
        for answer in self._answers:
            if answer.asked == waiting.number:
                waiting.answers[answer.rank] = answer
        self._answers.clear()
        for answer in waiting.answers.values():
            if answer.number == waiting.number and answer.what != waiting.what:
                raise CommunicationError(
                    f"rank {self.rank} waits in {_placed(waiting)}, but rank {answer.rank} in {_placed(answer)}. "
                    f"{_remedy(waiting.caller, answer.caller)}"
                )
        awaited = [rank for rank in range(self.size) if rank != self.rank and rank not in waiting.answers]
        told = f"rank {self.rank} has waited {waited_s:.0f} s in {waiting.what} for {listed_ranks(awaited)}"
        idle_s = min(waited_s, time.monotonic() - self._progress_at)
        if self.patience.timeout_s and idle_s >= self.patience.timeout_s:
            self._show_all(waiting, awaited)
            raise CommunicationError(
                f"{told}: {TIMEOUT} is over, {self.patience.timeout_s:g} s without progress. It may be stuck in a "
                "callback, or in reading a file, or its machine may be gone; above is where ranks were. Set "
                f"{TIMEOUT} to more seconds, or to 0 for ever, where something takes so long."
            )
        if self.patience.warning_s and waited_s >= self.patience.warning_s and not waiting.is_reported:
            waiting.is_reported = True
            if awaited and all(rank > self.rank for rank in waiting.answers):
                logging.getLogger("distnet").warning("distnet: %s. %s", told, self._outlook())

    def _outlook(self) -> str:
        if not self.patience.timeout_s:
            return f"Waiting on; set {TIMEOUT} to a number of seconds to end the job instead."
        return f"Waiting on; the job ends after {self.patience.timeout_s:g} s without progress ({TIMEOUT})."

    def _show_all(self, waiting: Waiting, awaited: list[int]) -> None:
        """Show where this rank is, and let the others do so, of whom one of each node shows its silent neighbours."""
        self.tell(Stalled(self.rank, tuple(awaited)))
        self.show(awaited, _placed(waiting))
        time.sleep(_SHOWING_S)


def _show_nothing(ranks: Sequence[int], waiting: str) -> None:
    """Where ranks are is not known."""


def _placed(place: Waiting | Answer) -> str:
    return f"{place.what} ({place.caller})" if is_of_tensors(place.caller) else place.what


def _remedy(*callers: str) -> str:
    return SAME_TENSORS if any(map(is_of_tensors, callers)) else SAME_CALLS


def listed_ranks(ranks: Sequence[int]) -> str:
    """``rank 1``, ``ranks 0, 2``."""
    if not ranks:
        return "the network: all ranks are there"
    return f"rank{'s' if len(ranks) > 1 else ''} {', '.join(map(str, ranks))}"
