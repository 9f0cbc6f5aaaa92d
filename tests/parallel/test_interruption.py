"""Ctrl-C while ranks update weights together."""

import signal

import pytest

from distnet.parallel.interruption import InterruptsHeld


@pytest.fixture
def held(interruptible):
    return InterruptsHeld.instead_of_default()


def interrupted(held, times, done):
    with held:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        done.append(times)


def test_an_interrupt_waits_for_the_end_of_the_block(held):
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(held, 1, done)
    assert done == [1]
    interrupted(held, 0, done)


def test_a_second_interrupt_does_not_wait(held):
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(held, 2, done)
    assert done == []


def test_elsewhere_nothing_is_held(held):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert InterruptsHeld.instead_of_default() is held


def test_a_handler_of_the_programs_own_stays(held):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    InterruptsHeld.instead_of_default()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
