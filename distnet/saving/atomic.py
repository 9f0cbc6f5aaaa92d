"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from distnet.errors import CheckpointError


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give the path of a temporary file beside ``path``, which takes its place once the block is done.

    The data is on the disk before the name changes, so that a crash at any instant leaves the old
    file or the new one. Missing folders are made, links are followed. If the block fails, the old file stands.

    Raises:
        CheckpointError: the folder cannot be written to, the disk is full, or ``path`` is a folder,
            a device or a pipe.
    """
    target = os.path.realpath(os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        # Renaming over a device would take it away from the whole machine.
        raise CheckpointError(f"{target}: cannot be written: it is no regular file. Name another file to save to.")
    folder = os.path.dirname(target)
    temporary = None
    try:
        os.makedirs(folder, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", suffix=".tmp", dir=folder)
        os.close(handle)
        yield temporary
        _flush(temporary)
        os.chmod(temporary, _usual_mode())
        os.replace(temporary, target)
        temporary = None
        _flush(folder)
    except OSError as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{target}: cannot be written: {error}. The file that was there, if any, stands."
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _flush(path: str) -> None:
    """Wait until a file's content, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _usual_mode() -> int:
    """The mode that a new file has under the current mask; ``mkstemp`` makes private ones."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
