"""What ranks that wait tell each other, without MPI: the channel is a list a rank."""

from __future__ import annotations

import logging
import pickle
import time
from collections import deque

import pytest

from distnet.comm.watch import Ended, Left, Patience, Waiting, Watch
from distnet.errors import ArgumentError, CommunicationError, DataError

LONG_AGO = -1000.0


class Sent:
    def test(self):
        return True, None


class Channel:
    def __init__(self, boxes, rank):
        self.boxes, self.rank = boxes, rank

    def isend(self, obj, dest):
        self.boxes[dest].append(obj)
        return Sent()

    def iprobe(self):
        return bool(self.boxes[self.rank])

    def recv(self):
        return self.boxes[self.rank].popleft()


def watches(size, **patience):
    boxes = [deque() for _ in range(size)]
    return [Watch(Channel(boxes, rank), rank, size, Patience(**patience)) for rank in range(size)]


def waiting(number=7, what="allreduce", call=2):
    return Waiting(call, number, what, time.monotonic() + LONG_AGO)


def ask_and_answer(found, places):
    """Each rank that has a place looks, until all have heard each other's answers."""
    for _ in range(3):
        for watch, place in zip(found, places, strict=True):
            if place is not None:
                watch.look(place, is_meeting=False)
    for place in filter(None, places):
        place.asked_at = LONG_AGO


def test_the_lowest_rank_that_waits_names_those_that_do_not(caplog):
    found = watches(4)
    places = [None, waiting(), waiting(), None]
    ask_and_answer(found, places)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for rank in (1, 2):
                found[rank].look(places[rank], is_meeting=False)
    assert len(caplog.messages) == 1
    assert "rank 1 has waited" in caplog.text
    assert "in allreduce for ranks 0, 3." in caplog.text


def test_nobody_is_named_where_all_are_there(caplog):
    found = watches(2)
    places = [waiting(), waiting()]
    ask_and_answer(found, places)
    found[0].look(places[0], is_meeting=False)
    assert not caplog.messages


def test_an_answer_to_an_earlier_question_does_not_count(caplog):
    found = watches(2)
    earlier, later = waiting(number=3), waiting(number=9)
    ask_and_answer(found, [earlier, waiting(number=3)])
    ask_and_answer(found, [later, None])
    found[0].look(later, is_meeting=False)
    assert "for rank 1." in caplog.text


def test_ranks_that_wait_in_collectives_that_do_not_belong_together_fail():
    found = watches(2)
    places = [waiting(what="allreduce"), waiting(what="evaluate")]
    ask_and_answer(found, places)
    with pytest.raises(CommunicationError, match="rank 0 waits in allreduce, but rank 1 in evaluate"):
        found[0].look(places[0], is_meeting=False)


def test_a_timeout_raises():
    found = watches(2, timeout_s=2.0)
    place = waiting()
    ask_and_answer(found, [place, None])
    with pytest.raises(CommunicationError, match=r"in allreduce for rank 1: DISTNET_TIMEOUT_S is over"):
        found[0].look(place, is_meeting=False)


def test_an_ended_rank_fails_those_that_wait_for_it():
    found = watches(2)
    found[1].tell(Ended(1, 6))
    found[0].look(waiting(number=6), is_meeting=False)
    with pytest.raises(CommunicationError, match="the program of rank 1 has ended"):
        found[0].look(waiting(number=7), is_meeting=False)


def test_an_error_reaches_those_in_the_same_call_only():
    found = watches(2)
    found[1].tell(Left(1, call=2, number=6, error=DataError("row 3"), told="DataError: row 3"))
    found[0].look(waiting(number=7, call=3), is_meeting=True)
    found[0].look(waiting(number=6, call=2), is_meeting=False)
    with pytest.raises(DataError, match="rank 1: row 3"):
        found[0].look(waiting(number=7, call=2), is_meeting=False)


def test_a_rank_that_met_an_error_goes_on_with_those_that_left_the_call_at_its_place():
    found = watches(3)
    for rank in (1, 2):
        found[rank].tell(Left(rank, call=2, number=6, told="ValueError: a"))
    assert found[1].others_left(2, 6) is False
    found[0].look(waiting(number=7, call=3), is_meeting=True)  # it met no error in call 2, and says so
    assert found[1].others_left(2, 6) is True
    found[2].tell(Left(2, call=4, number=9, told="ValueError: b"))
    with pytest.raises(CommunicationError, match=r"rank 1 cannot go on: .*\(rank 2: ValueError: b\)"):
        found[1].others_left(4, 8)


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_times_that_are_none_are_refused(text):
    with pytest.raises(ArgumentError, match="DISTNET_TIMEOUT_S: expected a number of seconds"):
        Patience.from_environment({"DISTNET_TIMEOUT_S": text})


def test_times_come_from_the_environment():
    assert Patience.from_environment({}) == Patience(60.0, 0.0)
    assert Patience.from_environment({"DISTNET_STALL_S": "0", "DISTNET_TIMEOUT_S": "2.5"}) == Patience(0.0, 2.5)


@pytest.mark.parametrize("make", [ValueError, lambda text: DataError(text, row=3), CommunicationError])
def test_what_is_told_of_an_error_is_short_enough_to_be_sent_at_once(make):
    told = Left.by(make("x" * 100_000), 1, 2, 3)
    assert len(pickle.dumps(told)) < 4000
    assert (told.rank, told.call, told.number) == (1, 2, 3)
    short = Left.by(make("short"), 1, 2, 3)
    assert "short" in short.told
    assert short.error is None or str(short.error) == "short"
