"""Ctrl-C while ranks update weights together: it waits until all weights are of one step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class InterruptsHeld:
    """Within the block ``KeyboardInterrupt`` is held back; it is raised at the block's end.

    So a rank that has told the others that its gradient is there also updates its weights, as they do. A second
    interrupt is raised at once: the user insists.
    """

    def __init__(self) -> None:
        self._is_within = self._is_waiting = False

    @classmethod
    def instead_of_default(cls) -> Self:
        """From now on interrupts come to it, unless the program handles them itself: changing this takes long."""
        held = cls()
        handler = signal.getsignal(signal.SIGINT)
        if isinstance(handler, cls):
            return handler
        if handler is signal.default_int_handler and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, held)
        return held

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if not self._is_within or self._is_waiting:
            signal.default_int_handler(number, frame)
        self._is_waiting = True

    def __enter__(self) -> None:
        self._is_within = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_within, is_waiting, self._is_waiting = False, self._is_waiting, False
        if is_waiting and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt
