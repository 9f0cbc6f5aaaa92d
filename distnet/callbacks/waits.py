"""Waiting told from sending: a sum over ranks begins when the last of them has come to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from distnet.callbacks.rank_times import RankTimes
from distnet.timeline import SUM, WAIT, WAITING, Interval


def with_waits(of_ranks: Sequence[RankTimes]) -> list[RankTimes]:
    """The times of all ranks, whose sums are each a wait for the last rank and the sum itself.

    Nothing more is sent for this while the ranks train: it is seen from their clocks. Where a rank left out
    intervals, sums stay whole.
    """
    begins = [
        [interval.begin_ns - of_rank.offset_ns for interval in of_rank.intervals if interval.name == SUM]
        for of_rank in of_ranks
    ]
    if len(of_ranks) < 2 or len({len(of_rank) for of_rank in begins}) > 1:
        return list(of_ranks)
    last = [max(each) for each in zip(*begins, strict=True)]
    return [replace(of_rank, intervals=_parted(of_rank, last)) for of_rank in of_ranks]


def _parted(of_rank: RankTimes, last: Sequence[int]) -> list[Interval]:
    """A rank's intervals; ``last`` says when the last rank came to each sum, by the clock of rank 0."""
    arrivals, intervals = iter(last), []
    for interval in of_rank.intervals:
        if interval.name != SUM:
            intervals.append(interval)
            continue
        came_ns = min(max(next(arrivals) + of_rank.offset_ns, interval.begin_ns), interval.end_ns)
        if came_ns > interval.begin_ns:
            intervals.append(interval._replace(name=WAIT, category=WAITING, end_ns=came_ns))
        intervals.append(interval._replace(begin_ns=came_ns))
    return intervals
