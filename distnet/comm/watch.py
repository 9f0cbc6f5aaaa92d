"""What a rank does while it waits for others: it learns which ranks will not come, and asks which do not answer.

Besides collectives, ranks send each other notices, which only a rank that waits long reads: a training step costs
nothing more. The settings are those of Horovod's stall inspector: a warning, and an end of the job if the user
wants one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from distnet.comm.asked import is_of_tensors
from distnet.comm.carried import Carried
from distnet.comm.collectives import Collective
from distnet.errors import ArgumentError, CommunicationError

SAME_CALLS = (
    "All ranks must make the same distnet calls: fit, evaluate, predict, save and barrier are for every rank, not for "
    "rank 0 alone."
)

SAME_TENSORS = (
    "A tensor in a loop of your own holds this rank's rows: all ranks must ask for its values together. Ask on every "
    "rank, then let one print: value = tensor.numpy(); if keras.distribution.is_chief(): print(value)."
)

_WARNING, _WARNING_S = "DISTNET_STALL_S", 60.0
_TIMEOUT = "DISTNET_TIMEOUT_S"
_ASKS_AFTER_S = 5.0
_ANSWERS_S = 2.0
"""Time in which every waiting rank answers: it looks for questions twice a second."""


class Channel(Protocol):
    """Where notices go: an ``mpi4py.MPI.Intracomm`` of their own."""

    def isend(self, obj: Any, dest: int) -> Any: ...

    def iprobe(self) -> bool: ...

    def recv(self) -> Any: ...


@dataclass(frozen=True)
class Ended:
    """The program of ``rank`` has ended, after ``number`` collectives."""

    rank: int
    number: int


@dataclass(frozen=True)
class Left:
    """``rank`` left its call number ``call`` with an error, after ``number`` collectives.

    Args:
        round: how often the ranks have gone on together after an error.
    """

    rank: int
    round: int
    call: int
    number: int
    error: Carried


@dataclass(frozen=True)
class Position:
    """Where ``rank`` stands after the errors of a round: what all ranks tell each other before they go on.

    Args:
        number: of the last collective that it took part in.
        has_met: whether it met an error of its own.
    """

    rank: int
    round: int
    number: int
    has_met: bool


@dataclass(frozen=True)
class Missed:
    """The collectives that the rank that this is sent to did not take part in."""

    round: int
    collectives: tuple[Collective, ...]


@dataclass(frozen=True)
class Question:
    """``rank`` has long been waiting in collective ``number``: who else waits?"""

    rank: int
    number: int


@dataclass(frozen=True)
class Answer:
    """``rank`` waits, too, in ``what``, its collective ``number``."""

    rank: int
    asked: int
    number: int
    what: str
    caller: str = ""


@dataclass(frozen=True)
class Patience:
    """How long a rank waits for others.

    Args:
        warning_s: until it logs whom it waits for; 0 for never.
        timeout_s: until it ends the job; 0 for never.
    """

    warning_s: float = _WARNING_S
    timeout_s: float = 0.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Patience:
        """The settings in ``DISTNET_STALL_S`` and ``DISTNET_TIMEOUT_S``.

        Raises:
            ArgumentError: one of them is not a number of seconds.
        """
        return cls(_seconds(environ, _WARNING, _WARNING_S), _seconds(environ, _TIMEOUT, 0.0))

    @property
    def asks_after_s(self) -> float:
        """When to ask the others, so that they have answered before anything is reported."""
        return min([_ASKS_AFTER_S, *(s / 2 for s in (self.warning_s, self.timeout_s) if s)])


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
        self.heard_from: int | None = None
        self.heard: BaseException | None = None

    def tell(self, notice: object) -> None:
        """Send a notice to every other rank."""
        for other in range(self.size):
            if other != self.rank:
                self._send(notice, other)

    def finish(self) -> None:
        """Before this rank ends, let MPI take what is being sent."""
        for request in self._sent:
            request.test()

    def hear(self) -> None:
        """Read the notices that have arrived."""
        while self.channel.iprobe():
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
        self._sent = [request for request in self._sent if not request.test()[0]]  # their buffers must live
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
        told = f"rank {self.rank} has waited {waited_s:.0f} s in {waiting.what} for {_listed(awaited)}"
        if self.patience.timeout_s and waited_s >= self.patience.timeout_s:
            raise CommunicationError(
                f"{told}: {_TIMEOUT} is over. It may be stuck in a callback, or in reading a file, or its machine may "
                "be gone."
            )
        if self.patience.warning_s and waited_s >= self.patience.warning_s and not waiting.is_reported:
            waiting.is_reported = True
            if awaited and all(rank > self.rank for rank in waiting.answers):
                logging.getLogger("distnet").warning(
                    "distnet: %s. Waiting on; set %s to a number of seconds to end the job instead.", told, _TIMEOUT
                )


def _placed(place: Waiting | Answer) -> str:
    return f"{place.what} ({place.caller})" if is_of_tensors(place.caller) else place.what


def _remedy(*callers: str) -> str:
    return SAME_TENSORS if any(map(is_of_tensors, callers)) else SAME_CALLS


def _listed(ranks: list[int]) -> str:
    if not ranks:
        return "the network: all ranks are there"
    return f"rank{'s' if len(ranks) > 1 else ''} {', '.join(map(str, ranks))}"


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentError(f"{name}: expected a number of seconds, or 0 for never, received {text!r}.")
    return seconds
