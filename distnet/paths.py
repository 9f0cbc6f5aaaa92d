"""File names that a user passes, and errors of the system when files are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from distnet.errors import ArgumentError, CheckpointError


def checked_path(where: str, path: object, what: str = "the name of a file") -> str:
    """A file or folder name as a string.

    Args:
        where: who takes it, for messages.
        what: what it should be.

    Raises:
        ArgumentError: ``path`` is no such name.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ArgumentError(f"{where}: expected {what}, received {path!r:.100}.")
    return text


@contextmanager
def written(where: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Write a file within the block.

    Args:
        where: who writes it, for messages.

    Raises:
        CheckpointError: the system cannot write it.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(
            f"{where}: {os.fspath(path)}: cannot be written: {reason}. Choose a file in a writable folder."
        ) from error
