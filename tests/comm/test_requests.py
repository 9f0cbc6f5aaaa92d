"""A rank that waits long leaves its core to other processes, and goes on soon after its wait is over."""

from types import SimpleNamespace

import pytest

from distnet.comm import requests
from distnet.comm.requests import MPIRequest, Polled


class Clock:
    """Time passes by yielding, a microsecond, and by sleeping."""

    def __init__(self):
        self.now = self.slept = 0.0
        self.yields = 0

    def monotonic(self):
        return self.now

    def sched_yield(self):
        self.yields += 1
        self.now += 1e-6

    def sleep(self, seconds):
        self.slept += seconds
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(requests, "time", clock)
    monkeypatch.setattr(requests, "os", clock)
    return clock


def waited(clock, seconds, crowd, is_message):
    """The time at which a request that is complete after so many seconds is waited for no more."""
    abreast = SimpleNamespace(
        collectives=1,
        crowd=crowd,
        take_back=lambda request: None,
        waiting=lambda *args: None,
        look=lambda waiting: None,
    )
    polled = Polled(lambda number: clock.now >= seconds, 1)
    MPIRequest(abreast, SimpleNamespace(Test=lambda: polled.Test()) if is_message else polled, "sum").wait()
    return clock.now


@pytest.mark.parametrize("is_message", [False, True])
@pytest.mark.parametrize("crowd", [0.5, 2, 32])
@pytest.mark.parametrize("seconds", [0.02, 0.4, 30.0])
def test_a_long_wait_is_slept_through(clock, seconds, crowd, is_message):
    over = waited(clock, seconds, crowd, is_message)
    assert clock.slept > 0.4 * seconds
    assert seconds <= over <= 1.021 * seconds


@pytest.mark.parametrize(("crowd", "seconds"), [(1, 9e-4), (2, 9e-5)])
def test_a_short_wait_is_not(clock, crowd, seconds):
    waited(clock, seconds, crowd, is_message=False)
    assert clock.slept == 0 < clock.yields
