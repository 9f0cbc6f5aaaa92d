"""Waiting told from sending: a sum over ranks begins when the last of them has come to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from distnet.callbacks.rank_times import RankTimes
from distnet.timeline import FINISHED_SUM, STARTED_SUM, SUM, WAIT, WAITING, Interval


def with_waits(of_ranks: Sequence[RankTimes]) -> list[RankTimes]:
    """The times of all ranks, whose sums are each a wait for the last rank and the sum itself.

    Nothing more is sent for this while the ranks train: it is seen from their clocks. Where a rank left out
    intervals, sums stay whole.
    """
    for start, finish in ((SUM, SUM), (STARTED_SUM, FINISHED_SUM)):
        begins = [
            [interval.begin_ns - of_rank.offset_ns for interval in of_rank.intervals if interval.name == start]
            for of_rank in of_ranks
        ]
        if len(of_ranks) > 1 and len({len(own) for own in begins}) == 1:
            last = [max(each) for each in zip(*begins, strict=True)]
            of_ranks = [replace(of_rank, intervals=_parted(of_rank, finish, last)) for of_rank in of_ranks]
    return list(of_ranks)


def _parted(of_rank: RankTimes, name: str, last: Sequence[int]) -> list[Interval]:
    """A rank's intervals, those of this name parted where the last rank came; ``last`` is by the clock of rank 0."""
    arrivals, intervals = iter(last), list[Interval]()
    for interval in of_rank.intervals:
        came_ns = next(arrivals, None) if interval.name == name else None
        if came_ns is not None and came_ns + of_rank.offset_ns > interval.begin_ns:
            came_ns = min(came_ns + of_rank.offset_ns, interval.end_ns)
            intervals.append(interval._replace(name=WAIT, category=WAITING, end_ns=came_ns))
            interval = interval._replace(begin_ns=came_ns)
        intervals.append(interval)
    return intervals
