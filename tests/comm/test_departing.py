"""Ranks that end together tell each other nothing; one that others do not come to tells them that it has ended."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np
import pytest

from boxes import Channel
from distnet.comm import departing
from distnet.comm.notices import AtWork, Ended
from distnet.comm.patience import Patience
from distnet.comm.watch import Watch


class Meeting:
    """Where threads do as ranks what MPI does: each brings a value, and sees whether all have come."""

    def __init__(self, size):
        self.size, self.brought = size, []

    def __call__(self, value, take=lambda brought: None):
        self.brought.append(value)
        return Awaited(lambda: len(self.brought) == self.size and (take(self.brought) or True))


class Awaited:
    def __init__(self, is_done):
        self.Test = is_done


class Ranks:
    def __init__(self, size, **patience):
        self.boxes, self.barrier, self.count = [deque() for _ in range(size)], Meeting(size), Meeting(size)
        self.shown = []
        self.watches = [Watch(self.channel(rank), rank, size, Patience(**patience)) for rank in range(size)]

    def channel(self, rank):
        channel = Channel(self.boxes, rank)
        channel.Ibarrier = lambda: self.barrier(rank)
        channel.Ireduce_scatter_block = lambda given, taken: self.count(
            given.copy(), lambda brought: np.copyto(taken, sum(brought)[rank])
        )
        return channel

    def depart(self, *late):
        """Every rank ends at once, but for those that are late by a time."""
        threads = [
            threading.Thread(target=self._depart, args=(watch, late[i] if i < len(late) else 0.0), daemon=True)
            for i, watch in enumerate(self.watches)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        return [thread.is_alive() for thread in threads]

    def _depart(self, watch, late_s):
        time.sleep(late_s)
        departing.depart(watch, Ended(watch.rank, 5), self.shown.append)


def test_ranks_that_end_together_tell_each_other_nothing_and_take_what_was_told_before():
    ranks = Ranks(5)
    ranks.watches[3].tell(AtWork(3))
    ranks.watches[1].tell_one(AtWork(1), 3)
    assert ranks.depart() == [False] * 5
    assert [watch.received for watch in ranks.watches] == [1, 1, 1, 1, 1]
    assert not any(ranks.boxes)
    assert not any(watch._ended for watch in ranks.watches)


def test_a_rank_that_waits_elsewhere_learns_who_has_ended(monkeypatch):
    monkeypatch.setattr(departing, "_TELLS_AFTER_S", 0.02)
    ranks = Ranks(3)
    assert ranks.depart(0.3) == [False] * 3
    assert set(ranks.watches[0]._ended) == {1, 2}
    assert not any(ranks.boxes)


def test_a_rank_is_waited_for_as_long_as_it_takes(monkeypatch):
    monkeypatch.setattr(departing, "_TELLS_AFTER_S", 0.02)
    ranks = Ranks(2, timeout_s=0.1)
    assert ranks.depart(0.4) == [False] * 2
    assert ranks.barrier.brought == [1, 0]
    assert ranks.watches[0].received == 1


def test_the_first_that_waits_says_which_ranks_have_not_ended_and_shows_them(monkeypatch, caplog):
    monkeypatch.setattr(departing, "_TELLS_AFTER_S", 0.02)
    ranks = Ranks(4, warning_s=0.1)
    assert ranks.depart(0.0, 0.6, 0.0, 0.6) == [False] * 4
    assert ranks.shown == [[1, 3]]
    assert [record.message.partition(":")[2].partition(":")[0] for record in caplog.records] == [
        " the program of rank 0 has ended, and waits for that of ranks 1, 3"
    ]


def test_what_is_told_after_the_end_reaches_nobody():
    ranks = Ranks(2)
    ranks.watches[0].close()
    ranks.watches[0].tell(AtWork(0))
    ranks.watches[0].hear()
    assert ranks.watches[0].have_gone()
    assert not ranks.boxes[1]


def test_notices_that_do_not_come_are_not_waited_for_longer_than_patience_lasts():
    ranks = Ranks(2, timeout_s=0.1)
    ranks.watches[1].sent_to[0] = 1
    assert ranks.depart() == [False] * 2
    assert ranks.watches[0].received == 0


@pytest.mark.parametrize("size", [2, 7])
def test_every_rank_counts_what_it_was_sent(size):
    ranks = Ranks(size)
    for watch in ranks.watches:
        for _ in range(watch.rank):
            watch.tell(AtWork(watch.rank))
    assert ranks.depart() == [False] * size
    told = size * (size - 1) // 2
    assert [watch.received for watch in ranks.watches] == [told - rank for rank in range(size)]
