"""Whether functions of tensors are recorded for gradients, in each thread by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class _State(threading.local):
    recording = 0
    following = 0
    calls = 0
    is_plain = False
    accessed: tuple[dict[int, Any], ...] = ()


STATE = _State()
"""How many blocks that record, that gradients may flow through, and that are layers' ``call`` this thread is in.

``is_plain``: gradients of arrays are being computed, for which functions return arrays as they are.
``accessed``: for each open tape the variables that it watches, by their identities.
"""


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


@contextmanager
def computing_gradients() -> Iterator[None]:
    """Within the block functions of arrays return plain ones, unless something records; no warnings are given.

    Warnings would be of slopes of entries that nothing depends on.
    """
    before, STATE.is_plain = STATE.is_plain, STATE.recording == 0
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        STATE.is_plain = before
