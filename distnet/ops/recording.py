"""Whether functions of tensors are recorded for gradients, in each thread by itself."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from distnet.checksums import checksum


class _State(threading.local):
    recording = 0
    following = 0
    calls = 0
    tapes = 0
    is_plain = False
    accessed: tuple[dict[int, Any], ...] = ()
    held: tuple[tuple[str, int], ...] = ()
    called: tuple[Any, ...] = ()
    checks: Any = None
    nodes: list[Any] | None = None


STATE = _State()
"""How many blocks that record, that gradients may flow through, and, of these, that are layers' ``call`` and that are
tapes of the user's this thread is in.

``is_plain``: gradients of arrays are being computed, for which functions return arrays as they are.
``accessed``: for each open tape the variables that it watches, by their identities.
``held``: what every rank holds whole and open tapes used, such as a batch, with its checksum.
``called``: models, layers and losses that were called while a tape was open, each once, in order.
``checks``: compares these among ranks.
``nodes``: takes the nodes of a call's functions, if somebody wants them.
"""


def is_recording() -> bool:
    """Whether functions of tensors leave nodes."""
    return STATE.recording > 0


def is_following() -> bool:
    """Whether code that gradients may flow through is running: NumPy's own functions must not see tensors then."""
    return STATE.following > 0


def is_in_call() -> bool:
    """Whether a layer's ``call`` is running, which must not depend on the entries of its tensors."""
    return STATE.calls > 0


def is_followed_by_tapes_alone() -> bool:
    """Whether the code is a training loop within ``GradientTape``, and not that of a layer or a loss within it."""
    return STATE.following == STATE.tapes


def note_held(what: str, array: np.ndarray[Any, Any]) -> None:
    """Note what every rank holds whole, and must hold alike, where a tape is open."""
    if STATE.accessed:
        STATE.held += ((f"{what} of shape {array.shape}", checksum(array)),)


def note_called(called: Any, training: Any = None) -> None:
    """Note a model, layer or loss that is called by the user's own code, where a tape is open."""
    if STATE.accessed:
        if not any(one is called for one in STATE.called):
            STATE.called += (called,)
        STATE.held += (("the argument training of a call", -1 if training is None else int(bool(training))),)


class paused:  # noqa: N801 - a function's name
    """Within the block nothing is recorded."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before, STATE.recording = STATE.recording, 0

    def __exit__(self, *error: object) -> None:
        STATE.recording = self._before


class computing_gradients:  # noqa: N801 - a function's name
    """Within the block functions of arrays return plain ones, unless something records; no warnings are given.

    Warnings would be of slopes of entries that nothing depends on.
    """

    __slots__ = ("_before", "_without_warnings")

    def __enter__(self) -> None:
        self._before, STATE.is_plain = STATE.is_plain, STATE.recording == 0
        self._without_warnings = np.errstate(all="ignore")
        self._without_warnings.__enter__()

    def __exit__(self, *error: object) -> None:
        self._without_warnings.__exit__(None, None, None)
        STATE.is_plain = self._before
