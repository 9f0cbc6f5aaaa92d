"""Names of files that a user gives, and what the system answers where they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from distnet.errors import ArgumentError, CheckpointError


def checked_path(where: str, path: object, what: str = "the name of a file") -> str:
    """The name of a file or folder as text.

    Args:
        where: who takes it, for messages.
        what: it should be.

    Raises:
        ArgumentError: it is no such name.
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
        CheckpointError: the system does not let it be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(
            f"{where}: {os.fspath(path)}: cannot be written: {reason}. Name a file in a folder that may be written to."
        ) from error
