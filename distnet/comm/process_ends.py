"""How a process ended, in words, for those who watch over ranks: they load this file, and nothing else of distnet."""

from __future__ import annotations

import signal

_OF_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
_OF_ORDERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_KILLS_FOR_MEMORY = "/sys/fs/cgroup/memory.events"


def in_words(code: int, memory_ran_out: bool = False) -> str:
    """What to say of a process that could not say so itself.

    Args:
        code: its exit code; minus the number of the signal that ended it.
        memory_ran_out: whether the system has killed a process of this control group for want of memory meanwhile.
    """
    if code < 0:
        return f"was ended by {_name(-code)}. {_cause(-code, memory_ran_out)}".rstrip()
    return (
        f"left without ending its program, with exit code {code}: by os._exit, MPI_Abort or a library. The other ranks "
        "would wait for it: end programs by sys.exit."
    )


def kills_for_memory() -> int:
    """How many processes of this control group the system has killed for want of memory."""
    try:
        with open(_KILLS_FOR_MEMORY, encoding="ascii") as file:
            counts = dict(line.split() for line in file)
    except (OSError, ValueError):
        return 0
    return int(counts.get("oom_kill", 0))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"signal {number}"


def _cause(number: int, memory_ran_out: bool) -> str:
    if number == signal.SIGKILL and memory_ran_out:
        return "Its memory ran out: use fewer ranks a machine, or smaller batches."
    if number == signal.SIGKILL:
        return "Something outside of it did so: the system, where memory runs out (dmesg says so), or a person."
    if number in _OF_CRASHES:
        return "A library crashed; above is where, if Python could still tell."
    if number in _OF_ORDERS:
        return "A launcher, a scheduler or a person did so."
    return ""
