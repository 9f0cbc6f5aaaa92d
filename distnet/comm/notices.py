"""What ranks tell each other besides collectives."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.comm.carried import Carried
from distnet.comm.collectives import Collective


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
class AtWork:
    """``rank`` goes on with its work, in callbacks or in reading data, for which others may have to wait long."""

    rank: int


@dataclass(frozen=True)
class Stalled:
    """``rank`` is about to end the job, because some ranks do not come: the others show where they are."""

    rank: int
    awaited: tuple[int, ...]
