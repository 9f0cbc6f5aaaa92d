"""Ranks that an error parted go on together: without MPI, each rank a thread."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from boxes import Channel
from distnet.comm.abreast import Abreast
from distnet.comm.collectives import Collective
from distnet.comm.patience import Patience
from distnet.comm.watch import Watch
from distnet.errors import CommunicationError

A, B, C = (Collective("broadcast", entries=n) for n in (1, 2, 3))


class OverError(Exception):
    """The job is over."""


def end_job(kind, error, trace):
    raise OverError from error


def made(size, local_ranks=None):
    """Each rank, and what each took part in with nothing to give."""
    boxes, parts = [deque() for _ in range(size)], [[] for _ in range(size)]
    watches = [Watch(Channel(boxes, rank), rank, size, Patience()) for rank in range(size)]
    ranks = [
        Abreast(watch, local_ranks or range(size), part.append, end_job)
        for watch, part in zip(watches, parts, strict=True)
    ]
    return ranks, parts


def at_once(*calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(call) for call in calls]]


def leave(rank, *collectives, error=None):
    rank.begin_call()
    for collective in collectives:
        rank.begin(collective)
    rank.end_call(error or rank.watch.raised(other.error, other.rank) if (other := heard(rank)) else error)


def heard(rank):
    rank.watch.hear()
    return next(iter(rank.watch._left.values()), None)


def test_a_rank_that_is_behind_takes_part_in_what_it_missed():
    ranks, parts = made(3)
    leave(ranks[1], A, error=LookupError("lost"))
    leave(ranks[0], A, B)
    leave(ranks[2], A, B, C)
    at_once(*(rank.rejoin for rank in ranks))
    assert parts == [[C], [B, C], []]
    assert {rank.collectives for rank in ranks} == {3}
    assert {rank.met_by for rank in ranks} == {1}
    assert {rank.round for rank in ranks} == {1}
    at_once(*(rank.rejoin for rank in ranks))
    assert {rank.round for rank in ranks} == {1}


def test_what_was_missed_is_told_by_a_rank_of_the_same_number_in_its_node():
    ranks, parts = made(4, local_ranks=[0, 1, 0, 1])
    ahead = {0: A, 1: B}
    leave(ranks[3], error=LookupError("lost"))
    leave(ranks[2])
    for number in (0, 1):
        leave(ranks[number], ahead[number])
    at_once(*(rank.rejoin for rank in ranks))
    assert parts == [[], [], [A], [B]]


def test_a_rank_that_waits_where_the_next_call_begins_tells_where_it_stands():
    ranks, parts = made(2)
    leave(ranks[1], A, error=LookupError("lost"))
    ranks[0].begin_call()
    ranks[0].begin(A)
    ranks[0].end_call(None)
    ranks[0].begin_call()
    ranks[0].begin_meeting()
    ranks[0].begin(B)
    waiting = ranks[0].waiting(2, "fit", time.monotonic())
    ranks[0].look(waiting)
    at_once(ranks[1].rejoin, lambda: ranks[0].end_of_wait(waiting))
    assert parts == [[], []]
    assert [rank.round for rank in ranks] == [1, 1]
    assert [rank.collectives for rank in ranks] == [2, 1]


def test_a_rank_too_far_behind_ends_the_job():
    ranks, _ = made(2)
    leave(ranks[1], error=LookupError("lost"))
    leave(ranks[0], *[A] * 1100)
    ranks[1].watch.tell(object())
    with pytest.raises(CommunicationError, match="rank 1 is 1100 collectives behind"):
        at_once(ranks[0].rejoin, lambda: ranks[1].watch.tell(ranks[1]._begin_rejoining(0, True).mine))
    with pytest.raises(OverError):
        ranks[0].begin(A)
