"""What a rank is at while others wait for it: told now and then, so that they know that it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Work:
    """What this process is at.

    Attributes:
        listener: is told of each piece of work; None where nobody waits for this process.
    """

    def __init__(self) -> None:
        self.listener: Callable[[str], None] | None = None


OF_THIS_PROCESS = Work()


def at_work(phase: str) -> None:
    """Say that this rank begins a piece of work: a callback's hook, or a batch that it reads for all.

    Args:
        phase: what it is, for messages.
    """
    if OF_THIS_PROCESS.listener is not None and threading.current_thread() is threading.main_thread():
        OF_THIS_PROCESS.listener(phase)
