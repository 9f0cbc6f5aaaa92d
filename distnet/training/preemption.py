"""Signals by which a scheduler tells a job to end: they are noted, and the training is saved after its next step."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from distnet.callbacks.console import say
from distnet.comm import Communicator
from distnet.comm.scope import alone
from distnet.errors import ArgumentError, Preempted
from distnet.saving import background
from distnet.training_state import Moment

_VARIABLE = "DISTNET_STOP_SIGNALS"


class StopSignals:
    """Within the block, the signals that mean the end are noted, and do nothing else.

    They are ``SIGTERM``, or those that ``DISTNET_STOP_SIGNALS`` names, such as ``TERM,USR1``. One that the
    program handles itself is left to it. What was noted and came to nothing has its usual effect after the block.

    Raises:
        ArgumentError: ``DISTNET_STOP_SIGNALS`` names no signal.
    """

    def __init__(self, is_wanted: bool = True) -> None:
        self.received: signal.Signals | None = None
        self._handled: dict[signal.Signals, Any] = {}
        is_possible = threading.current_thread() is threading.main_thread()
        self._wanted = _named(os.environ.get(_VARIABLE, "TERM")) if is_wanted and is_possible else []

    def __enter__(self) -> Self:
        for number in self._wanted:
            if signal.getsignal(number) is signal.SIG_DFL:
                self._handled[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handled.items():
            signal.signal(number, handler)
        if self.received is not None and kind is None:
            _send_again(self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)


def leave(
    ranks: Communicator, backup: Callable[[], str] | None, moment: Moment, received: signal.Signals | None
) -> None:
    """Save the training and end the program, on all ranks.

    Args:
        backup: saves it, on rank 0, and tells where.
        moment: at which the training is.
        received: the signal that tells the job to end, where this rank received it.

    Raises:
        Preempted: always.
    """
    if ranks.rank == 0 and backup is not None:
        with alone():
            path = backup()
            background.finish()
        name = "" if received is None else f" by {received.name}"
        say(
            f"\ndistnet: the job was told to end{name}: its training is saved in {path}, at epoch "
            f"{moment.epoch + 1}, step {moment.batches}. Start it again to go on; exit code {Preempted.EXIT_CODE}."
        )
    ranks.meet("the end of training")
    raise Preempted


def _send_again(number: signal.Signals) -> None:
    signal.raise_signal(number)


def _named(names: str) -> list[signal.Signals]:
    numbers = []
    for name in filter(None, (name.strip().upper() for name in names.split(","))):
        try:
            numbers.append(signal.Signals[name if name.startswith("SIG") else f"SIG{name}"])
        except KeyError:
            raise ArgumentError(f"{_VARIABLE}: expected signals such as TERM,USR1, received {name!r}.") from None
    return numbers
