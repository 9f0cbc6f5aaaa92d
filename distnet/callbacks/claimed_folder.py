"""A folder that one job at a time writes to."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from contextlib import suppress
from weakref import WeakValueDictionary

from distnet.errors import CheckpointError

_NOTE = ".wanted_by_another_job"
_NOTE_CHARACTERS = 400
_CLAIMS: WeakValueDictionary[str, Claim] = WeakValueDictionary()
"""Those of this process, in which one training follows the other."""


class Claim:
    """A folder that is this process's, as long as this object lives; the system ends a dead process's claim.

    Args:
        descriptor: of the folder, locked.
        folder: its path.
    """

    def __init__(self, descriptor: int, folder: str) -> None:
        self.descriptor, self.folder = descriptor, folder

    def told(self) -> str | None:
        """What another job that wanted the folder has left for this one, once; None if none did."""
        with suppress(OSError):
            path = os.path.join(self.folder, _NOTE)
            with open(path, encoding="utf-8", errors="replace") as note:
                text = note.read(_NOTE_CHARACTERS)
            os.unlink(path)
            return text
        return None

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)


def claimed(folder: str) -> Claim | None:
    """Claim a folder, which is made if it is missing; None where the file system knows no locks of folders.

    Raises:
        CheckpointError: it is another process's.
    """
    path = os.path.realpath(folder)
    descriptor = -1
    try:
        os.makedirs(folder, exist_ok=True)
        own = _CLAIMS.get(path)
        if own is not None and os.path.samestat(os.fstat(own.descriptor), os.stat(path)):
            return own
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        _leave_note(path)
        raise CheckpointError(
            f"{folder}: another job backs up its training here, and each would go on from the other's. Wait for its "
            "end, or give this training a folder of its own."
        ) from error
    except OSError:  # writing the backup says what is wrong with the folder
        if descriptor >= 0:
            os.close(descriptor)
        return None
    claim = _CLAIMS[path] = Claim(descriptor, path)
    return claim


def _leave_note(folder: str) -> None:
    """Tell the job that has the folder who else wanted it."""
    who = f"process {os.getpid()} of {socket.gethostname()}, at {time.strftime('%Y-%m-%d %H:%M:%S')}"
    with suppress(OSError), open(os.path.join(folder, _NOTE), "w", encoding="utf-8") as note:
        note.write(who)
