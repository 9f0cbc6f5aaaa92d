"""Folders of files, one for each class."""

from __future__ import annotations

import os
from pathlib import Path

from distnet.errors import DatasetError, MissingFileError


def class_folders(directory: str | Path, asked_by: str) -> list[str]:
    """Names of the folders in a directory, in order.

    Args:
        directory: where they are.
        asked_by: the function that a user called, for messages.

    Raises:
        MissingFileError: there is no such directory.
        DatasetError: it cannot be read.
    """
    try:
        return sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    except OSError as error:
        kind = MissingFileError if isinstance(error, FileNotFoundError) else DatasetError
        raise kind(f"{asked_by}: {directory}: expected a directory with a folder for each class: {error}.") from error
