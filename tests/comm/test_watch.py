"""What ranks that wait tell each other, without MPI: the channel is a list a rank."""

from __future__ import annotations

import logging
import time
from collections import deque

import pytest

from boxes import Channel
from distnet.comm.carried import Carried
from distnet.comm.notices import Ended, Left
from distnet.comm.patience import Patience
from distnet.comm.watch import Waiting, Watch
from distnet.errors import ArgumentError, CommunicationError, DataError

LONG_AGO = -1000.0


def watches(size, **patience):
    boxes = [deque() for _ in range(size)]
    patience = {"timeout_s": 0.0, **patience}
    return [Watch(Channel(boxes, rank), rank, size, Patience(**patience)) for rank in range(size)]


def waiting(number=7, what="allreduce", call=2, round_=0, is_meeting=False):
    return Waiting(round_, call, number, what, time.monotonic() + LONG_AGO, is_meeting)


def left(rank, call, number, error, round_=0):
    return Left(rank, round_, call, number, Carried.of(error))


def ask_and_answer(watch_of, places):
    """Each rank that has a place looks, until all have heard each other's answers."""
    for _ in range(3):
        for watch, place in zip(watch_of, places, strict=True):
            if place is not None:
                watch.look(place)
    for place in filter(None, places):
        place.asked_at = LONG_AGO


def test_the_lowest_rank_that_waits_names_those_that_do_not(caplog):
    watch_of = watches(4)
    places = [None, waiting(), waiting(), None]
    ask_and_answer(watch_of, places)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for rank in (1, 2):
                watch_of[rank].look(places[rank])
    assert len(caplog.messages) == 1
    assert "rank 1 has waited" in caplog.text
    assert "in allreduce for ranks 0, 3." in caplog.text


def test_nobody_is_named_where_all_are_there(caplog):
    watch_of = watches(2)
    places = [waiting(), waiting()]
    ask_and_answer(watch_of, places)
    watch_of[0].look(places[0])
    assert not caplog.messages


def test_an_answer_to_an_earlier_question_does_not_count(caplog):
    watch_of = watches(2)
    earlier, later = waiting(number=3), waiting(number=9)
    ask_and_answer(watch_of, [earlier, waiting(number=3)])
    ask_and_answer(watch_of, [later, None])
    watch_of[0].look(later)
    assert "for rank 1." in caplog.text


def test_ranks_that_wait_in_collectives_that_do_not_belong_together_fail():
    watch_of = watches(2)
    places = [waiting(what="allreduce"), waiting(what="evaluate")]
    ask_and_answer(watch_of, places)
    with pytest.raises(CommunicationError, match="rank 0 waits in allreduce, but rank 1 in evaluate"):
        watch_of[0].look(places[0])


@pytest.mark.parametrize("caller", ["tensor.numpy() at a.py:3", "ops.max() at a.py:3", "float() of a tensor at a.py:3"])
def test_who_asks_one_rank_alone_for_a_tensor_is_told_where_and_what_to_do(caller):
    ranks = watches(2)
    places = [waiting(what="allgather"), waiting(what="allreduce")]
    places[0].caller = caller
    ask_and_answer(ranks, places)
    with pytest.raises(CommunicationError) as caught:
        ranks[1].look(places[1])
    assert f"rank 1 waits in allreduce, but rank 0 in allgather ({caller})" in str(caught.value)
    assert "then let one print" in str(caught.value)


def test_a_timeout_raises():
    watch_of = watches(2, timeout_s=2.0)
    place = waiting()
    ask_and_answer(watch_of, [place, None])
    with pytest.raises(CommunicationError, match=r"in allreduce for rank 1: DISTNET_TIMEOUT_S is over"):
        watch_of[0].look(place)


def test_ranks_show_where_they_are_before_the_job_ends():
    watch_of = watches(3, timeout_s=2.0)
    shown = []
    for watch in watch_of:
        watch.show = lambda awaited, what, rank=watch.rank: shown.append((rank, tuple(awaited), what))
    places = [waiting(), waiting(), None]
    ask_and_answer(watch_of, places)
    with pytest.raises(CommunicationError, match="2 s without progress"):
        watch_of[0].look(places[0])
    places[1].asked_at = None
    watch_of[1].patience = Patience(timeout_s=0.0)
    watch_of[1].look(places[1])
    assert shown == [(0, (2,), "allreduce"), (1, (2,), "allreduce")]


def test_a_rank_that_goes_on_is_waited_for():
    watch_of = watches(2, timeout_s=900.0)
    place = waiting()
    ask_and_answer(watch_of, [place, None])
    watch_of[1].patience = Patience(timeout_s=0.01)
    time.sleep(0.01)
    watch_of[1].go_on()
    watch_of[0].look(place)
    assert place.is_reported


def test_an_ended_rank_fails_those_that_wait_for_it():
    watch_of = watches(2)
    watch_of[1].tell(Ended(1, 6))
    watch_of[0].look(waiting(number=6))
    with pytest.raises(CommunicationError, match="the program of rank 1 has ended"):
        watch_of[0].look(waiting(number=7))


def test_an_error_reaches_those_who_wait_for_the_rank_that_met_it():
    watch_of = watches(2)
    watch_of[1].tell(left(1, 2, 6, DataError("row 3")))
    watch_of[0].look(waiting(number=6))
    watch_of[0].look(waiting(round_=1))
    watch_of[0].look(waiting(call=3, is_meeting=True))
    with pytest.raises(DataError, match="rank 1: row 3") as caught:
        watch_of[0].look(waiting())
    assert (watch_of[0].heard, watch_of[0].heard_from) == (caught.value, 1)


def test_the_first_of_several_errors_is_raised():
    watch_of = watches(3)
    watch_of[1].tell(left(1, 2, 6, KeyError("later")))
    watch_of[2].tell(left(2, 2, 5, LookupError("first")))
    with pytest.raises(LookupError, match="first"):
        watch_of[0].look(waiting())


def test_a_rank_where_a_call_begins_learns_that_another_left_the_one_before():
    watch_of = watches(2)
    watch_of[1].tell(left(1, 2, 6, DataError("row 3")))
    watch_of[0].look(waiting(call=3, is_meeting=True))
    assert watch_of[0].has_left_before(waiting(call=3, is_meeting=True))
    assert not watch_of[0].has_left_before(waiting(call=4, is_meeting=True))
    assert not watch_of[0].has_left_before(waiting(call=3, is_meeting=True, round_=1))


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_times_that_are_none_are_refused(text):
    with pytest.raises(ArgumentError, match="DISTNET_TIMEOUT_S: expected a number of seconds"):
        Patience.from_environment({"DISTNET_TIMEOUT_S": text})


def test_times_come_from_the_environment():
    assert Patience.from_environment({}) == Patience(60.0, 600.0)
    assert Patience.from_environment({"DISTNET_STALL_S": "0", "DISTNET_TIMEOUT_S": "2.5"}) == Patience(0.0, 2.5)
