"""A process that must not live longer than the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux's ``prctl``."""


def end_with(parent: int, number: signal.Signals) -> None:
    """Let this process get a signal when its parent ends, however that ends; other systems than Linux cannot.

    Args:
        parent: its number, by which a parent is known that has ended already.
        number: of the signal.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
