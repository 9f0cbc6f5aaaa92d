"""Whether functions of tensors are recorded for gradients, in each thread by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _State(threading.local):
    recording = 0
    following = 0
    calls = 0


STATE = _State()
"""How many blocks that record, that gradients may flow through, and that are layers' ``call`` this thread is in."""


def is_recording() -> bool:
    """Whether functions of tensors leave nodes."""
    return STATE.recording > 0


def is_following() -> bool:
    """Whether code that gradients may flow through is running: NumPy must not be called on tensors then."""
    return STATE.following > 0


def is_in_call() -> bool:
    """Whether a layer's ``call`` is running, which must not depend on the entries of its tensors."""
    return STATE.calls > 0


@contextmanager
def paused() -> Iterator[None]:
    """Within the block nothing is recorded."""
    before, STATE.recording = STATE.recording, 0
    try:
        yield
    finally:
        STATE.recording = before
