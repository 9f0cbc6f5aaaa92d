"""A folder that one job at a time writes to."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from weakref import WeakValueDictionary

from distnet.errors import CheckpointError

_CLAIMS: WeakValueDictionary[str, Claim] = WeakValueDictionary()
"""Those of this process, in which one training follows the other."""


class Claim:
    """A folder that is this process's, as long as this object lives; the system ends a dead process's claim.

    Args:
        descriptor: of the folder, locked.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

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
        raise CheckpointError(
            f"{folder}: another job backs up its training here, and each would go on from the other's. Wait for its "
            "end, or give this training a folder of its own."
        ) from error
    except OSError:  # writing the backup says what is wrong with the folder
        if descriptor >= 0:
            os.close(descriptor)
        return None
    claim = _CLAIMS[path] = Claim(descriptor)
    return claim
