"""Waits for the end of a job's launcher, and ends one that stays although all its ranks are gone.

Open MPI's ``mpirun`` was seen to stay for ever, once in some forty jobs, after a rank had died and told of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from distnet.commands.rank_process import BEGAN, PID_NAMESPACE

_LOOKS_EVERY_S = 1.0
_STAYS_S = 10.0
"""How long a launcher may take to end after its ranks: it forwards what they said, and tells other machines."""


def wait_for(process: subprocess.Popen[bytes], ranks: int, notes: Path, stays_s: float = _STAYS_S) -> tuple[int, bool]:
    """The launcher's exit code, and whether it had to be ended.

    Args:
        process: the launcher, first of a group of processes.
        ranks: how many it was to start.
        notes: the folder of ``rank_process.ENDS``. Ranks on other machines note nothing there: such jobs are awaited.
        stays_s: how long it may stay without ranks.
    """
    gone_since: float | None = None
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_LOOKS_EVERY_S), False
        if not _are_gone(notes, ranks):
            gone_since = None
            continue
        gone_since = gone_since or time.monotonic()
        if time.monotonic() - gone_since >= stays_s and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return process.wait(), True


def _are_gone(notes: Path, ranks: int) -> bool:
    """Whether all ranks have begun here, and none of them is left."""
    began = [note.read_text(encoding="ascii").split() for note in notes.glob(f"{BEGAN}-*")]
    return len(began) == ranks and all(len(words) == 2 and _is_gone(*words) for words in began)


def _is_gone(process: str, namespace: str) -> bool:
    """Whether a process has ended; False where that cannot be seen from here, as in a container of its own."""
    try:
        if os.readlink(PID_NAMESPACE) != namespace:
            return False
        state = Path("/proc", process, "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return os.path.exists(PID_NAMESPACE)
    except OSError:
        return False
    return state[0] in "ZX"
