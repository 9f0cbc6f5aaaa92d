"""Shared memory that MPI's ranks leave behind where they are killed before they could take its name away."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

_FOLDER = Path("/dev/shm")
_NAMES = ("mpich_shm_*", "sm_segment.*", "vader_segment.*")
_LEAST_AGE_S = 2.0
"""A segment is mapped within milliseconds of its making: one of this age that nobody has mapped is lost."""

_LOOKS, _LOOKS_AGAIN_S = 3, 0.5


def remove_lost_segments(since: float) -> None:
    """Remove the segments of this user that were made since then, and that no process has mapped.

    Args:
        since: by ``time.time``.
    """
    names = {path: made for path in _candidates() if (made := _made(path)) is not None and made >= since}
    if not names:
        return
    time.sleep(max(0.0, max(names.values()) + _LEAST_AGE_S - time.time()))
    for attempt in range(_LOOKS):  # a rank that is being ended has its segments mapped until it is gone
        time.sleep(_LOOKS_AGAIN_S * min(attempt, 1))
        mapped = "".join(_maps())
        for path in list(names):
            if str(path) not in mapped:
                path.unlink(missing_ok=True)
                del names[path]
        if not names:
            return


def _candidates() -> list[Path]:
    return [path for pattern in _NAMES for path in _FOLDER.glob(pattern)]


def _made(path: Path) -> float | None:
    """When it was made; None if it is another user's, or gone."""
    with suppress(OSError):
        state = path.stat()
        return state.st_mtime if state.st_uid == os.getuid() else None
    return None


def _maps() -> list[str]:
    """What the processes have mapped; those of other users cannot map this one's segments."""
    texts = []
    for path in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
    return texts
